/** Counts the series and samples of a partition, in steps between the worker's other work. */
import type { Core } from '../wasm/core.js';
import type { Counts } from '../wasm/figures.js';
import type { ClusterSummary } from './figures.js';
import { type Jobs, SERIES_STEP } from './jobs.js';
import { Mutex } from './mutex.js';

export class Counting {
  readonly #core: Core;
  readonly #jobs: Jobs;
  /** One count at a time: the core has one set of counters. */
  readonly #mutex = new Mutex();

  constructor(core: Core, jobs: Jobs) {
    this.#core = core;
    this.#jobs = jobs;
  }

  /** All clusters in one pass: their series lie mixed, so counting them one by one would take clusters x series. */
  summary(): Promise<ClusterSummary[]> {
    const core = this.#core;
    return this.#mutex.run(async () => {
      const counts = new Map<number, Counts>();
      let from = 0;
      await this.#jobs.run(() => {
        const end = from + SERIES_STEP;
        while (from >= 0 && from < end) {
          core.figures.countBegin();
          const { next, cluster } = core.figures.countClusterStep(from, end - from);
          if (cluster) counts.set(cluster, addCounts(counts.get(cluster), core.figures.counted));
          from = next;
        }
        return from >= 0;
      });
      return core.figures.clusters().map(({ name, node, hosts }) => ({
        cluster: name,
        hosts,
        ...(counts.get(node) ?? { series: 0, samples: 0, bytes: 0, blocks: {} }),
      }));
    });
  }

  /** Series and samples of all clusters. */
  all(): Promise<Counts> {
    const core = this.#core;
    return this.#mutex.run(async () => {
      let from = 0;
      core.figures.countBegin();
      await this.#jobs.run(() => {
        from = core.figures.countStep(from, SERIES_STEP);
        return from >= 0;
      });
      return core.figures.counted;
    });
  }
}

function addCounts(a: Counts | undefined, b: Counts): Counts {
  if (!a) return b;
  const blocks = { ...a.blocks };
  for (const [codec, n] of Object.entries(b.blocks)) blocks[codec] = (blocks[codec] ?? 0) + n;
  return {
    series: a.series + b.series,
    samples: a.samples + b.samples,
    bytes: a.bytes + b.bytes,
    blocks,
  };
}
