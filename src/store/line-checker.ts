/**
 * Main thread. Checks lines before they are stored, where they are only kept or passed on: a core that has no hosts refuses and
 * skips what storing would, and finds the lines of each partition.
 */

import type { Logger } from '../base/log.js';
import type { MetricConfig, StoreConfig } from '../config/config.js';
import type { TagRule } from '../config/influx-tags.js';
import { HostClocks } from '../partition/host-clocks.js';
import type { Reconfiguration } from '../partition/partition.js';
import { Refusals } from '../partition/refusals.js';
import { storeText } from '../partition/store-text.js';
import { Core } from '../wasm/core.js';
import type { Run } from '../wasm/runs.js';
import { CHECKS_ONLY } from '../wasm/tables/codes.js';
import type { UnconfiguredMetrics } from '../wasm/unconfigured.js';
import { type CheckedFigures, sum } from './merge.js';
import { joinOutcomes } from './routing.js';
import type { WriteOutcome } from './store.js';
import type { Lines } from './writes.js';

export interface LineCheckerOptions {
  /** Of dist/core.wasm. */
  module: WebAssembly.Module;
  metrics: ReadonlyMap<string, MetricConfig>;
  tagRules: readonly TagRule[];
  partitions: number;
  config: Pick<StoreConfig, 'retentionSeconds' | 'futureLimitSeconds'>;
  log: Logger;
}

/** What became of a body. */
export interface CheckedLines {
  /** `stored` are the good ones. */
  outcome: WriteOutcome;
  /** The good lines, by partition; stretches of the body, without comments, and the last may lack its newline. */
  runs: Run[];
  /** Unix seconds, of lines without a time. */
  now: number;
}

export class LineChecker {
  readonly #options: LineCheckerOptions;
  readonly clocks: HostClocks;
  readonly #refusals = new Refusals();
  #made: Core | undefined;

  constructor(options: LineCheckerOptions) {
    this.#options = options;
    this.clocks = new HostClocks(options.config, options.log);
  }

  /** What became of the lines that are not good, since this was made. */
  get figures(): CheckedFigures {
    if (!this.#made) return { skipped: 0, leftOut: 0, refused: 0, refusals: [] };
    const { skipped, leftOut, refusedByReason } = this.#made.figures.totals;
    return { skipped, leftOut, refused: sum(refusedByReason), refusals: this.#refusals.figures(refusedByReason) };
  }

  /** Made when it is needed: most starts keep no write. */
  get core(): Core {
    const { module, metrics, tagRules, partitions } = this.#options;
    if (!this.#made) {
      this.#made = new Core(module, metrics, CHECKS_ONLY, partitions);
      this.#made.writes.setTags(tagRules);
    }
    return this.#made;
  }

  /** Nothing of the body is taken over or changed. @throws StoreError OUT_OF_MEMORY. */
  check({ body, length, cluster, perSecond, fields, now: given }: Lines): CheckedLines {
    const clock = Math.floor(Date.now() / 1000);
    const now = given ?? clock;
    const text = new Uint8Array(body, 0, length);
    const batch = storeText(this.core, text, cluster, perSecond, now, this.clocks.limits(clock), fields);
    if (batch.faults.length) this.clocks.note(batch.faults, clock);
    if (batch.refusals.length) this.#refusals.note(text, batch, clock);
    const stored = batch.strays.reduce((n, { lines }) => n + lines, 0);
    const outcome = joinOutcomes([{ partition: 0, body, length }], [{ body, stored, skipped: batch.skipped, batch }]);
    return { outcome, runs: batch.strays, now };
  }

  /** What came of metrics that are not taken. */
  get unconfigured(): UnconfiguredMetrics {
    return this.core.figures.unconfigured;
  }

  /** The configuration was read again. @throws StoreError OUT_OF_MEMORY. */
  reconfigure({ metrics, tagRules }: Reconfiguration): void {
    this.core.setMetrics(metrics);
    this.core.writes.setTags(tagRules);
  }
}
