/**
 * Runs long work in a worker in steps of about a millisecond. Between two steps the worker takes messages, so that a large
 * answer or a checkpoint never delays writes. Of several jobs each runs one step, then the next one's.
 */

/** One step. `true`: there is more; `false`: done, or waiting until `wake` is called. Must not throw. */
export type Step = () => boolean;

/** Series that one step looks at: counting or freeing so many takes about that long. */
export const SERIES_PER_STEP = 2048;

export class Jobs {
  readonly #queue: Step[] = [];
  #scheduled = false;

  /** Adds a job, or wakes one that waited; it must not be queued already. */
  add(step: Step): void {
    this.#queue.push(step);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const step = this.#queue.shift();
      if (step?.()) this.#queue.push(step);
      this.#schedule();
    });
  }

  /** Runs steps of `step` between other jobs' until it is done. Errors reject. */
  run(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      this.add(() => {
        try {
          if (step()) return true;
          resolve();
        } catch (error) {
          reject(error);
        }
        return false;
      });
    });
  }
}
