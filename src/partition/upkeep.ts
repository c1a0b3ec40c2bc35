/** What a worker does to its partitions besides storing and answering: checkpoints and retention, in steps between the rest. */
import type { Logger } from '../log.js';
import type { Core } from '../wasm/instance.js';
import { type Jobs, SERIES_STEP } from './jobs.js';
import type { Partition } from './partition.js';

const RETRY_MS = 60_000;
/** Seconds. */
const DAY = 86_400;

/** What ends before `to`, unix seconds, is freed, except below the given hosts. */
export interface Retention {
  to: number;
  except: [cluster: string, hosts: string[]][];
}

export class Upkeep {
  readonly #jobs: Jobs;
  readonly #log: Logger;
  /** Checkpoints run one after the other in a worker. */
  #checkpoints: Promise<void> = Promise.resolve();
  /** Retention passes too: each has its own hosts to spare, and the core marks them for one pass at a time. */
  #retentions: Promise<unknown> = Promise.resolve();
  /** When the size of a log may start a checkpoint again, milliseconds of performance.now. */
  #retryAfter = 0;

  constructor(jobs: Jobs, log: Logger) {
    this.#jobs = jobs;
    this.#log = log;
  }

  /** Frees what is old, after the passes that are under way. */
  retain(partition: Partition, { to, except }: Retention): Promise<number> {
    const retain = async (): Promise<number> => {
      partition.freedOld(Math.min(to, Date.now() / 1000 + DAY));
      return this.#retainNow(partition.core, to, except);
    };
    const done = this.#retentions.then(() => {
      if (!partition.archives) return retain();
      // What is to be archived must be in a file first; no checkpoint may be half done meanwhile.
      return this.exclusively(async () => {
        if (await this.#hasUnsaved(partition, to)) await this.#checkpointNow(partition);
        return retain();
      });
    });
    this.#retentions = done.catch(() => {});
    return done;
  }

  /** Whether memory holds blocks that end before `to` and are in no checkpoint. */
  async #hasUnsaved({ core }: Partition, to: number): Promise<boolean> {
    let from = 0;
    let found = false;
    await this.#jobs.run(() => {
      const result = core.unsavedBefore(from, SERIES_STEP, to);
      if (typeof result === 'boolean') found = result;
      else from = result;
      return typeof result === 'number';
    });
    return found;
  }

  async #retainNow(core: Core, to: number, except: Retention['except']): Promise<number> {
    let from = 0;
    let freed = 0;
    try {
      for (const [cluster, hosts] of except) for (const host of hosts) core.keepHost(cluster, host);
      await this.#jobs.run(() => {
        const step = core.retainStep(from, SERIES_STEP, to);
        freed += step.freed;
        from = step.next;
        return from >= 0;
      });
    } finally {
      core.retainEnd();
    }
    return freed;
  }

  /** Makes a checkpoint of a partition, after those that are under way. */
  checkpoint(partition: Partition): Promise<void> {
    return this.exclusively(() => this.#checkpointNow(partition));
  }

  async #checkpointNow(partition: Partition): Promise<void> {
    partition.checkpointBegin();
    await this.#jobs.run(() => partition.checkpointStep());
    await partition.checkpointEnd();
  }

  /** Runs what must not happen during a checkpoint, in order. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#checkpoints.then(task);
    this.#checkpoints = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /** Makes a checkpoint if the log asks for one; called every second. */
  tick(partition: Partition): void {
    if (partition.wantsCheckpoint && performance.now() >= this.#retryAfter) this.#checkpointForLog(partition);
  }

  /** Makes one early checkpoint at a time; after a failure (a full disk, say) it waits before it tries again. */
  #checkpointForLog(partition: Partition): void {
    this.#retryAfter = Number.POSITIVE_INFINITY;
    this.checkpoint(partition).then(
      () => {
        this.#retryAfter = 0;
      },
      (error: unknown) => {
        this.#retryAfter = performance.now() + RETRY_MS;
        this.#log.err('the checkpoint that the size of the log asks for failed; it is tried again in a minute', error);
      },
    );
  }
}
