/** Counts the series and samples of a partition, in steps between the worker's other work. */

import { type Jobs, SERIES_PER_STEP } from '../base/jobs.js';
import type { Core } from '../wasm/core.js';
import type { Counts } from '../wasm/figures.js';
import { addCounts, type Contents, ContentsSum } from './contents.js';
import type { ClusterSummary } from './figures.js';
import { Mutex } from './mutex.js';

const noCounts = (): Counts => ({ series: 0, samples: 0, bytes: 0, blocks: {} });

export class Counting {
  readonly #core: Core;
  readonly #jobs: Jobs;
  /** One count at a time: the core has one set of counters. */
  readonly #mutex = new Mutex();

  constructor(core: Core, jobs: Jobs) {
    this.#core = core;
    this.#jobs = jobs;
  }

  /** By cluster, metric and level, all in one pass. */
  contents(): Promise<Contents[]> {
    const { figures } = this.#core;
    return this.#mutex.run(async () => {
      const contents = new ContentsSum();
      let from = 0;
      await this.#jobs.run(() => {
        const end = from + SERIES_PER_STEP;
        while (from >= 0 && from < end) {
          figures.countBegin();
          const { next, kind } = figures.countAlikeStep(from, end - from);
          if (kind) contents.add({ ...kind, ...figures.counted });
          from = next;
        }
        return from >= 0;
      });
      return contents.all();
    });
  }

  async summary(): Promise<ClusterSummary[]> {
    const byCluster = new Map<string, Counts>();
    for (const part of await this.contents()) {
      let counts = byCluster.get(part.cluster);
      if (counts === undefined) {
        counts = noCounts();
        byCluster.set(part.cluster, counts);
      }
      addCounts(counts, part);
    }
    return this.#core.figures.clusters().map(({ name, hosts }) => {
      return { cluster: name, hosts, ...(byCluster.get(name) ?? noCounts()) };
    });
  }

  /** Series and samples of all clusters. */
  all(): Promise<Counts> {
    const core = this.#core;
    return this.#mutex.run(async () => {
      let from = 0;
      core.figures.countBegin();
      await this.#jobs.run(() => {
        from = core.figures.countStep(from, SERIES_PER_STEP);
        return from >= 0;
      });
      return core.figures.counted;
    });
  }
}
