import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { SeriesRun } from '../../reference/types.js';
import { type ArchiveResult, writeArchive } from '../parquet/write-archive.js';

/** Runs that wait for a writer: each holds one series' samples. */
const WAITING = 8;
/** Bins a cluster sorts in memory, 8 MiB: several clusters are written at the same time. */
const SORT_BINS = 1 << 20;

interface Writer {
  runs: PassThrough;
  done: Promise<ArchiveResult | undefined>;
}

/** One archive a cluster, all of the same stretch of time, written side by side while runs come in, in any order. */
export class ArchiveWriters {
  readonly #writers = new Map<string, Writer>();

  constructor(
    readonly directory: string,
    /** What the files are named after, unix seconds. */
    readonly from: number,
  ) {}

  /** Resolves when there is room for more. Rejects when a file can't be written. */
  async push(run: SeriesRun): Promise<void> {
    const { runs, done } = this.#writer(run.cluster);
    // A writer that fails ends its stream, which then would never drain.
    if (!runs.write(run)) await Promise.race([once(runs, 'drain'), done]);
  }

  #writer(cluster: string): Writer {
    const known = this.#writers.get(cluster);
    if (known) return known;
    const runs = new PassThrough({ objectMode: true, highWaterMark: WAITING });
    const done = writeArchive(this.directory, cluster, this.from, runs as AsyncIterable<SeriesRun>, {
      sortBins: SORT_BINS,
    });
    // Looked at by `push` and `finish`; until then nobody handles it.
    done.catch(() => {});
    runs.on('error', () => {});
    const writer = { runs, done };
    this.#writers.set(cluster, writer);
    return writer;
  }

  /** Resolves once all files are complete and synced. */
  async finish(): Promise<ArchiveResult[]> {
    const results: ArchiveResult[] = [];
    for (const { runs, done } of this.#writers.values()) {
      runs.end();
      const result = await done;
      if (result) results.push(result);
    }
    return results;
  }

  /** Gives all files up; what was there before stays. */
  async abandon(error: Error): Promise<void> {
    for (const { runs } of this.#writers.values()) runs.destroy(error);
    await Promise.allSettled([...this.#writers.values()].map(({ done }) => done));
  }
}
