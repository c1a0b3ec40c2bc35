/**
 * Runs long work of a thread in steps of about a millisecond. Between two steps the thread takes messages, so that a large
 * answer or a checkpoint never delays writes. Of several jobs each runs one step, then the next one's.
 */
import type { Patience } from './patience.js';

/** One step. `true`: there is more; `false`: done, or waiting until `wake` is called. Must not throw. */
export type Step = () => boolean;

/** Series that one step looks at: counting or freeing so many takes about that long. */
export const SERIES_PER_STEP = 2048;

export class Jobs {
  readonly #queue: Step[] = [];
  readonly #patience: Patience | undefined;
  #scheduled = false;

  /** @param patience says when there may be a step; absent: as soon as there is nothing else to do. */
  constructor(patience?: Patience) {
    this.#patience = patience;
  }

  /** Adds a job, or wakes one that waited; it must not be queued already. */
  add(step: Step): void {
    this.#queue.push(step);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    const wait = this.#patience?.wait ?? 0;
    if (wait > 0) setTimeout(this.#turn, wait);
    else setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    // On the main thread whoever had the last turn worked on after its step, and the pause has become longer.
    if (!this.#patience?.wait) {
      const since = performance.now();
      const step = this.#queue.shift();
      if (step?.()) this.#queue.push(step);
      this.#patience?.worked(performance.now() - since);
    }
    this.#schedule();
  };

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
