/** Gives up what is old in a partition's memory, in steps between the worker's other work. */

import { type Jobs, SERIES_PER_STEP } from '../base/jobs.js';
import type { Core } from '../wasm/core.js';
import type { Checkpointer } from './checkpointer.js';
import { Mutex } from './mutex.js';

/** What ends before `to`, unix seconds, is freed, except below the given hosts. */
export interface Retention {
  to: number;
  except: [cluster: string, hosts: string[]][];
}

const DAY_SECONDS = 86_400;

export class RetentionPasses {
  readonly #core: Core;
  readonly #checkpointer: Checkpointer;
  readonly #jobs: Jobs;
  /** One pass at a time: each has its own hosts to spare, which the core marks for one pass only. */
  readonly #mutex = new Mutex();

  constructor(core: Core, checkpointer: Checkpointer, jobs: Jobs) {
    this.#core = core;
    this.#checkpointer = checkpointer;
    this.#jobs = jobs;
  }

  /** Frees what is old, after the passes that are under way. @returns blocks freed. */
  run(retention: Retention): Promise<number> {
    const checkpointer = this.#checkpointer;
    return this.#mutex.run(() => {
      if (!checkpointer.archives) return this.#free(retention);
      // What is to be archived must be in a file first, and no checkpoint may be half done while it leaves memory.
      return checkpointer.exclusively(async (checkpoint) => {
        if (await this.#hasUnsaved(retention.to)) await checkpoint('retention');
        return this.#free(retention);
      });
    });
  }

  /** Bytes of blocks by age, for `Ages`, after the passes that are under way. @param now unix seconds that ages count from. */
  ages(now: number): Promise<Uint32Array<ArrayBuffer>> {
    return this.#mutex.run(async () => {
      let from = 0;
      this.#core.figures.ageBegin(now);
      await this.#jobs.run(() => {
        from = this.#core.figures.ageStep(from, SERIES_PER_STEP);
        return from >= 0;
      });
      return this.#core.figures.ages;
    });
  }

  /** Whether memory holds blocks that end before `to` and are in no checkpoint. */
  async #hasUnsaved(to: number): Promise<boolean> {
    let from = 0;
    let found = false;
    await this.#jobs.run(() => {
      const result = this.#core.series.unsavedBefore(from, SERIES_PER_STEP, to);
      if (typeof result === 'boolean') found = result;
      else from = result;
      return typeof result === 'number';
    });
    return found;
  }

  async #free({ to, except }: Retention): Promise<number> {
    const core = this.#core;
    // The memory cap may name a time that is far in the future.
    this.#checkpointer.freedOld(Math.min(to, Date.now() / 1000 + DAY_SECONDS));
    let from = 0;
    let freed = 0;
    try {
      for (const [cluster, hosts] of except) for (const host of hosts) core.writes.keepHost(cluster, host);
      await this.#jobs.run(() => {
        const step = core.writes.retainStep(from, SERIES_PER_STEP, to);
        freed += step.freed;
        from = step.next;
        return from >= 0;
      });
    } finally {
      core.writes.retainEnd();
    }
    return freed;
  }
}
