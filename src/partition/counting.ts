/** Counts series and samples, in steps between a worker's other work. */

import type { Core, Counts } from '../wasm/instance.js';
import type { ClusterSummary } from './figures.js';
import { type Jobs, SERIES_STEP } from './jobs.js';

export class Counting {
  readonly #jobs: Jobs;
  /** The last count of each core that was asked for. */
  readonly #counting = new Map<Core, Promise<unknown>>();

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** All clusters in one pass: their series lie mixed, so counting them one by one would take clusters x series. */
  summary(core: Core): Promise<ClusterSummary[]> {
    return this.#oneByOne(core, async () => {
      const counts = new Map<number, Counts>();
      let from = 0;
      await this.#jobs.run(() => {
        const end = from + SERIES_STEP;
        while (from >= 0 && from < end) {
          core.countBegin();
          const { next, cluster } = core.countClusterStep(from, end - from);
          if (cluster) counts.set(cluster, addCounts(counts.get(cluster), core.counted));
          from = next;
        }
        return from >= 0;
      });
      return core.clusters().map(({ name, node, hosts }) => ({
        cluster: name,
        hosts,
        ...(counts.get(node) ?? { series: 0, samples: 0, bytes: 0, blocks: {} }),
      }));
    });
  }

  /** Series and samples of a core. */
  count(core: Core): Promise<Counts> {
    return this.#oneByOne(core, async () => {
      let from = 0;
      core.countBegin();
      await this.#jobs.run(() => {
        from = core.countStep(from, SERIES_STEP);
        return from >= 0;
      });
      return core.counted;
    });
  }

  /** One count at a time in a core, which has one set of counters. */
  #oneByOne<T>(core: Core, count: () => Promise<T>): Promise<T> {
    const done = (this.#counting.get(core) ?? Promise.resolve()).then(count);
    this.#counting.set(
      core,
      done.then(
        () => {},
        () => {},
      ),
    );
    return done;
  }
}

function addCounts(a: Counts | undefined, b: Counts): Counts {
  if (!a) return b;
  const blocks = { ...a.blocks };
  for (const [codec, n] of Object.entries(b.blocks)) blocks[codec] = (blocks[codec] ?? 0) + n;
  return { series: a.series + b.series, samples: a.samples + b.samples, bytes: a.bytes + b.bytes, blocks };
}
