/**
 * Main thread. The way in: what becomes of a body before its lines are in partitions, and what is known of lines that never come
 * to one.
 *
 *   alone, while it loads   checked and kept (early-writes.ts), stored once all partitions are loaded
 *   alone, from then on     split and stored (writes.ts)
 *   in a cluster            checked and published (membership.ts)
 */
import type { Config } from '../config/config.js';
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { Reconfiguration } from '../partition/partition.js';
import type { UnconfiguredMetrics } from '../wasm/unconfigured.js';
import type { Buffers } from './buffers.js';
import { EarlyWrites } from './early-writes.js';
import { LineChecker, type LineCheckerOptions } from './line-checker.js';
import type { Loading } from './loading.js';
import type { LocalPartitions } from './local/local-partitions.js';
import type { Membership } from './membership.js';
import { type CheckedFigures, sumClocks } from './merge.js';
import type { Placement } from './placement.js';
import type { HostRouter } from './routing.js';
import type { Precision, WriteOptions, WriteOutcome } from './store.js';
import { type Lines, UNITS_PER_SECOND, Writes } from './writes.js';

export interface IntakeOptions {
  checks: Omit<LineCheckerOptions, 'metrics'>;
  config: Config;
  router: HostRouter;
  placement: Placement;
  buffers: Buffers;
  loading: Loading;
  /** The partitions that are open in this process now. */
  local(): LocalPartitions;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #writes: Writes;
  /** Keeps what is written until all is loaded; undefined from then on, and in a cluster. */
  #early: EarlyWrites | undefined;
  /** Of what was written before all was loaded. */
  #notKept: CheckedFigures | undefined;
  /** Checks what is published; undefined: this store is alone. */
  #checker: LineChecker | undefined;
  #membership: Membership | undefined;
  #stopping = false;

  constructor(options: IntakeOptions) {
    const { checks, config, router, buffers } = options;
    const { metrics, cluster, store } = config;
    this.#options = options;
    this.#writes = new Writes(router, store.maxBodySize);
    if (cluster) this.#checker = new LineChecker({ ...checks, metrics });
    else this.#early = new EarlyWrites({ ...checks, metrics, config: store, buffers });
  }

  /** What is written is published from now on. */
  join(membership: Membership): void {
    this.#membership = membership;
  }

  /** In a cluster: lines of other metrics are skipped from now on, for not all stores have them. */
  acceptMetrics(names: ReadonlySet<string>): void {
    const { checks, config } = this.#options;
    const metrics = new Map([...config.metrics].filter(([name]) => names.has(name)));
    const isTrusted = this.#checker?.clocks.isTrusted ?? true;
    this.#checker = new LineChecker({ ...checks, metrics });
    this.#checker.clocks.trust(isTrusted);
  }

  /** See `EarlyWrites.open`: from now on writes may be kept. */
  open(): void {
    this.#early?.open();
  }

  /** Stores what was kept during the load, unless this is stopped before. @returns lines. */
  async applyEarly(): Promise<number> {
    const early = this.#early;
    if (!early) return 0;
    const { placement, local } = this.#options;
    // Their times were judged when they came, and are noted again: whoever was ahead still is.
    await local().everywhere('trustClock', { isTrusted: false });
    const lines = await early.apply((each) => this.#writes.store(placement, each));
    if (this.#stopping) return lines;
    await local().everywhere('trustClock', { isTrusted: early.trustsClock });
    this.#notKept = early.figures;
    this.#early = undefined;
    return lines;
  }

  /** See `Store.write`. */
  async write(
    body: ArrayBuffer,
    length: number,
    cluster: string,
    precision: Precision,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    if (length === 0) return { stored: 0, skipped: 0, refused: 0, refusals: [] };
    if (!this.#writes.tryEnter(length)) {
      try {
        await this.#writes.enter(length);
      } catch (error) {
        this.#options.buffers.give(body);
        throw error;
      }
    }
    try {
      const perSecond = UNITS_PER_SECOND[precision];
      const lines: Lines = { body, length, cluster, perSecond, fields: 'value', ...options };
      if (this.#checker) return await this.#publish(lines, this.#checker);
      const early = this.#early && (await this.#early.take(lines));
      return early ?? (await this.#writes.store(this.#options.placement, lines));
    } finally {
      this.#writes.release(length);
    }
  }

  async #publish(lines: Lines, checker: LineChecker): Promise<WriteOutcome> {
    const { buffers, loading } = this.#options;
    try {
      if (!this.#membership) throw loading.error();
      const checked = checker.check(lines);
      if (checked.runs.length) await this.#membership.publish(lines, checked);
      return checked.outcome;
    } finally {
      buffers.give(lines.body);
    }
  }

  /** Partitions whose log could not be written the last time: their writes are refused until the disk takes them again. */
  get withoutLog(): number[] {
    return this.#writes.withoutLog;
  }

  /** Of lines that came to no partition; undefined: there can be none. */
  get figures(): CheckedFigures | undefined {
    return this.#checker?.figures ?? this.#notKept;
  }

  /** What came of metrics that are not taken, where that is noticed here: in a cluster. */
  get unconfigured(): UnconfiguredMetrics | undefined {
    return this.#checker?.unconfigured;
  }

  /** The configuration was read again. @throws StoreError OUT_OF_MEMORY. */
  reconfigure(change: Reconfiguration): void {
    // New metrics are taken once all stores have them: `acceptMetrics`.
    this.#checker?.reconfigure({ ...change, metrics: [] });
  }

  /** Hosts that are ahead of this server's clock, of those that send (`HostClocks.count`). */
  async hostClocks(withSenders: boolean): Promise<HostClockCounts> {
    if (this.#early) return this.#early.hostClocks(withSenders);
    const parts = await this.#options.local().everywhere('hostClocks', { withSenders });
    // In a cluster times are checked where lines come in, not where they are stored.
    const ahead = this.#checker?.clocks.ahead(Math.floor(Date.now() / 1000)).length ?? 0;
    return sumClocks([...parts, { ahead, senders: withSenders ? ahead : 0 }]);
  }

  /** Whether samples are refused for their time. */
  async trustClock(isTrusted: boolean): Promise<void> {
    this.#checker?.clocks.trust(isTrusted);
    if (this.#early) this.#early.trustsClock = isTrusted;
    else await this.#options.local().everywhere('trustClock', { isTrusted });
  }

  /** No more is kept or applied. Resolves once nothing is on its way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#early?.stop();
    await this.#writes.finished();
  }
}
