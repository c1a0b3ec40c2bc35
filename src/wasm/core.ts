/**
 * A `Core` is the memory of one partition: an instance of the module, and a client for each kind of caller. Only this folder
 * calls the core's exports. What a method returns as a view is valid until the next call of any client of the same core.
 */
import { randomBytes } from 'node:crypto';
import type { MetricConfig } from '../config/config.js';
import { Figures } from './figures.js';
import { Files } from './files.js';
import { Instance, outOfMemory } from './instance.js';
import { Reads } from './reads.js';
import { Router } from './router.js';
import { SeriesAccess } from './series.js';
import { Aggregation, Precision } from './tables/codes.js';
import { Writes } from './writes.js';

const encoder = new TextEncoder();

export class Core {
  /** Stores and frees. */
  readonly writes: Writes;
  /** Answers questions; changes nothing. */
  readonly reads: Reads;
  /** Makes and reads the frames of log segments and checkpoint files. */
  readonly files: Files;
  /** Samples of single series, for files of other layouts. */
  readonly series: SeriesAccess;
  readonly figures: Figures;
  readonly #router: Router;
  readonly #instance: Instance;

  /**
   * @param module of dist/core.wasm. @param metrics in the config's order.
   * @param index of this partition among `partitions`: decides which hosts loading takes.
   */
  constructor(
    module: WebAssembly.Module,
    metrics: ReadonlyMap<string, MetricConfig>,
    readonly index: number,
    readonly partitions: number,
  ) {
    const instance = new Instance(module);
    this.#instance = instance;
    const key = randomBytes(16);
    instance.exports.setHashKey(key.readBigUInt64LE(0), key.readBigUInt64LE(8));
    instance.exports.setPartition(index, partitions);
    for (const [name, metric] of metrics) setMetric(instance, name, metric);
    this.writes = new Writes(instance);
    this.reads = new Reads(instance);
    this.files = new Files(instance, index, partitions);
    this.series = new SeriesAccess(instance, index, partitions);
    this.figures = new Figures(instance);
    this.#router = new Router(instance);
  }

  /** A core as another thread has filled it. @param image copied. */
  static ofImage(module: WebAssembly.Module, index: number, partitions: number, image: Uint8Array): Core {
    const core = new Core(module, new Map(), index, partitions);
    core.#instance.become(image);
    return core;
  }

  /** All that the core is, for `ofImage`: a copy. */
  image(): Uint8Array<ArrayBuffer> {
    return this.#instance.image();
  }

  /**
   * Adds metrics, and changes aggregation and precision of those that are there. Lines of new ones may have been skipped, which
   * is remembered: give the table of tags anew after it (`writes.setTags`), which forgets that.
   * @throws StoreError OUT_OF_MEMORY.
   */
  setMetrics(metrics: Iterable<readonly [string, MetricConfig]>): void {
    for (const [name, metric] of metrics) setMetric(this.#instance, name, metric);
  }

  /** Whether a host is in this partition. */
  owns(cluster: string, host: string): boolean {
    return this.#router.partitionOf(cluster, host, this.partitions) === this.index;
  }
}

/** Adds the metric, or changes its aggregation and precision if it is there. @throws StoreError OUT_OF_MEMORY. */
function setMetric(instance: Instance, name: string, metric: MetricConfig): void {
  const bytes = encoder.encode(name);
  const p = instance.stage(bytes);
  const { exports } = instance;
  const aggregation = { sum: Aggregation.Sum, avg: Aggregation.Avg, none: Aggregation.None }[
    metric.aggregation ?? 'none'
  ];
  const precision =
    metric.precision === 'double'
      ? Precision.Double
      : metric.precision === 'single'
        ? Precision.Single
        : metric.precision;
  if (exports.metricChange(p, bytes.length, aggregation, precision)) return;
  if (exports.metricAdd(p, bytes.length, metric.frequency, aggregation, precision) < 0) throw outOfMemory();
}
