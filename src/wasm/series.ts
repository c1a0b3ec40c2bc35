/** Samples of single series, by the series' number: for files of other layouts than our own. */

import { type Instance, outOfMemory } from './instance.js';
import { decodeNames, encodeNames } from './names.js';
import { readSpan, type Span } from './span.js';
import { Export, Unsaved } from './tables/codes.js';
import { ExportedField } from './tables/layouts.js';

/** Bins of one series: the middle of bin i is at start + i * frequency. Missing bins are NaN. */
export interface ExportedSeries {
  /** Cluster, host, level, sublevel. */
  levels: string[];
  metric: string;
  frequency: number;
  start: number;
  values: Float64Array;
}

export class SeriesAccess {
  readonly #instance: Instance;
  readonly #index: number;
  readonly #partitions: number;

  /** @param index of the partition among `partitions`: decides which hosts are taken. */
  constructor(instance: Instance, index: number, partitions: number) {
    this.#instance = instance;
    this.#index = index;
    this.#partitions = partitions;
  }

  /** Numbers of series are below it. */
  get end(): number {
    return this.#instance.exports.seriesEnd() >>> 0;
  }

  /** The node of the host that the series is of; 0: there is no such series. Valid until series are freed. */
  hostOf(number: number): number {
    return this.#instance.exports.seriesHost(number) >>> 0;
  }

  /** Names of a host's node. */
  hostNames(node: number): { cluster: string; host: string } {
    return {
      cluster: this.#instance.nodeName(this.#instance.exports.parentOf(node) >>> 0),
      host: this.#instance.nodeName(node),
    };
  }

  /**
   * From when to when a series has bins that no checkpoint holds (`full`: any bins), unix seconds. They count as kept from
   * then on; `checkpointForget` takes that back.
   */
  takeUnsaved(number: number, full: boolean): Span | undefined {
    const { exports } = this.#instance;
    return exports.takeUnsaved(number, full ? 1 : 0) ? readSpan(this.#instance, exports.unsaved.value) : undefined;
  }

  /**
   * Looks in n series from number `from` on for a block that retention to `to` would free and no checkpoint holds.
   * @returns true: there is one; false: there is none; a number: where to go on.
   */
  unsavedBefore(from: number, n: number, to: number): boolean | number {
    const result = this.#instance.exports.unsavedBefore(from, n, to);
    return result === Unsaved.Some ? true : result === Unsaved.None ? false : result;
  }

  /** Stores a run of samples from elsewhere. @returns samples stored. */
  importRun(
    levels: string[],
    metric: string,
    start: number,
    frequency: number,
    values: Float64Array,
    since: number,
  ): number {
    const names = encodeNames(levels, metric);
    const p = this.#instance.stage(names, values.byteLength + 8);
    const at = p + names.length;
    this.#instance.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    const stored = this.#instance.exports.importRun(
      p,
      names.length,
      start,
      frequency,
      at,
      values.length,
      since,
      this.#index,
      this.#partitions,
    );
    if (stored < 0) throw outOfMemory();
    return stored;
  }

  /** The series with this number, its bins in [from, to); undefined: none. Numbers go to `end`. */
  exportRun(number: number, from: number, to: number): ExportedSeries | undefined {
    const x = this.#instance.exports;
    x.outReset();
    const result: Export = x.exportSeries(number, from, to);
    if (result === Export.OutOfMemory) throw outOfMemory();
    if (result === Export.None) return undefined;
    const out = this.#instance.output();
    const exported = x.exported.value;
    const namesLength = this.#instance.u32(exported + ExportedField.Names);
    const { levels, metric } = decodeNames(out.subarray(0, namesLength));
    const values = new Float64Array(this.#instance.u32(exported + ExportedField.Count));
    new Uint8Array(values.buffer).set(out.subarray(namesLength, namesLength + values.byteLength));
    const frequency = this.#instance.u32(exported + ExportedField.Frequency);
    return { levels, metric, frequency, start: this.#instance.f64(exported + ExportedField.Start), values };
  }
}
