/**
 * Second stage of reading: the selected series -> a column of doubles with its statistics. Several series are rolled up, and
 * the result is scaled and resampled.
 */
import { Aggregation, AnswerParts, MemoryKind, QueryError } from '../../src/wasm/tables/codes';
import { alloc, capacity, free } from '../memory/alloc';
import { fillNaN } from '../memory/doubles';
import { endBin, firstBin } from '../series/blocks';
import { Metric } from '../series/metrics';
import { Series } from '../series/records';
import { divide, scale, stats } from './kernels';
import { rangeStats } from './read';
import { Query, Request } from './request';
import { lttb, lttbPoints } from './resample';
import { rollUp } from './rollup';
import { selection } from './select';
import { Statistics } from './statistics';

/** Shorter columns are never resampled. */
const RESAMPLE_FROM: i32 = 1000;
/**
 * Most bins of one column: 194 days at one second. Two samples may be thirty years apart, and what lies between them must
 * not take gigabytes.
 */
const MAX_COUNT: i64 = 1 << 24;
/** Values that are computed again at once, of a column whose values were given back. */
const AGAIN: i32 = 1 << 15;
/** Bytes behind the values that decoding may overwrite. */
const OVERRUN: u32 = 128;

/** The values of one entry and, if they were asked for, their statistics; or why there are none. It owns the memory of its values; memory of zeros is an empty one. */
@unmanaged
export class Column extends Statistics {
  /** Where the first value begins and the last one ends, unix seconds. */
  from: i64;
  to: i64;
  /** Seconds between values. */
  step: i64;
  /** Missing bins between the start that was asked for and `from`, if they were asked for. */
  padding: i64;
  /** Why there are no values: a `QueryError`. */
  error: i32;
  /** Of BadResolution: the resolution asked for and the metric's frequency, seconds. Of TooLong: bins, and how many may be. */
  given: i64;
  limit: i64;
  /** Number of values. */
  count: i32;
  /** Index of the first value that is in memory, and how many are. All, unless values were given back and computed again. */
  first: i32;
  held: i32;
  /** Address of the values in memory, f64, NaN = missing. There are none when only statistics were asked for and block headers had them. */
  private values: usize;

  /** Bytes that the values take. */
  get bytes(): u32 {
    return this.values ? capacity(this.values) : 0;
  }

  /** Gives the values' memory back. */
  free(): void {
    free(this.values, MemoryKind.Scratch);
    this.values = 0;
    this.first = 0;
    this.held = 0;
  }

  /** Address of a value that is in memory. */
  at(index: i32): usize {
    return this.values + (<usize>(index - this.first) << 3);
  }

  /** Values in memory from the index on. */
  heldFrom(index: i32): i32 {
    return max(0, this.first + this.held - index);
  }

  /** Makes it an error. */
  fail(error: i32, given: i64, limit: i64): void {
    this.error = error;
    this.given = given;
    this.limit = limit;
    this.count = 0;
    this.padding = 0;
  }

  /** Makes room for n values; the old ones are lost. False when memory is exhausted. */
  private reserve(n: i32): bool {
    const need = (<u32>n << 3) + OVERRUN;
    if (this.values && capacity(this.values) >= need) return true;
    free(this.values, MemoryKind.Scratch);
    this.values = alloc(need, MemoryKind.Scratch);
    return this.values != 0;
  }

  /** Fills it with `n` bins of the selected series from `start` on, and `points` values made of them. False when memory is exhausted. */
  compute(metric: Metric, factor: f64, start: i64, n: i32, points: i32): bool {
    if (!this.reserve(n)) return false;
    this.held = points;
    rollUp(selection.list, selection.count, start, n, this.values);
    if (selection.count > 1 && metric.aggregation == Aggregation.Avg) divide(this.values, n, <f64>selection.count);
    if (factor != 0 && factor != 1) scale(this.values, n, factor);
    // In place: a point is written only once all before it have been read.
    if (points < n) lttb(this.values, n, this.values, points);
    return true;
  }

  /**
   * Computes values again, the one with the index among them, of the series that are selected now; times and statistics stay as they are. What was
   * freed meanwhile is missing. False when memory is exhausted.
   */
  computeAgain(metric: Metric, factor: f64, index: i32): bool {
    const f = <i64>metric.frequency;
    const bins = <i32>((this.to - this.from) / f);
    const isResampled = this.count < bins;
    // From a multiple of AGAIN on, so that a column that is not longer is computed whole, and a kept roll-up stays whole.
    this.first = isResampled ? 0 : index - (index % AGAIN);
    const n = isResampled ? bins : min(AGAIN, this.count - this.first);
    if (!selection.count || (selection.count > 1 && metric.aggregation == Aggregation.None)) {
      this.held = isResampled ? this.count : n;
      if (!this.reserve(this.held)) return false;
      fillNaN(this.values, this.held);
      return true;
    }
    return this.compute(metric, factor, this.from + <i64>this.first * f, n, isResampled ? this.count : n);
  }

  /** Statistics of the values. A negative factor has turned least and greatest round, but the protocol scales each. */
  summarize(factor: f64): void {
    stats(this.values, this.count, this);
    if (factor < 0) this.set(this.samples, this.sum, this.greatest, this.least);
  }

  /** Statistics of n bins of the only series, from block headers where they have them. */
  summarizeBins(s: Series, n: i32, factor: f64): void {
    rangeStats(s, <i32>s.binOf(this.from), n, this);
    const k = factor != 0 ? factor : 1;
    this.set(this.samples, this.sum * k, this.least * k, this.greatest * k);
  }
}

/** Unix seconds of the middle of the series' first bin. */
function firstTime(s: Series, f: i64): i64 {
  return s.timeOf(firstBin(s)) + f / 2;
}

/** When the series that starts first does, unix seconds; no earlier time than `from` is looked for. */
function earliest(from: i64, f: i64): i64 {
  let start = firstTime(selection.series(0), f);
  for (let i = 1; i < selection.count && start > from; i++) start = min(start, firstTime(selection.series(i), f));
  return start;
}

/** Bins from a time on, unix seconds, until the series that ends first does. */
function binsFrom(time: i64): i64 {
  let anchor = selection.series(0).anchor;
  let bin = selection.series(0).binOf(time);
  let n = i64.MAX_VALUE;
  for (let i = 0; i < selection.count; i++) {
    const s = selection.series(i);
    // Series of a host mostly begin together: that spares a division for each.
    if (s.anchor != anchor) {
      anchor = s.anchor;
      bin = s.binOf(time);
    }
    n = min(n, <i64>endBin(s) - bin);
  }
  return max<i64>(0, n);
}

/**
 * Computes the column of the selected series (at least one). Precondition: request.from <= request.to.
 * @returns false when memory is exhausted.
 */
export function evaluate(column: Column, metric: Metric, request: Request, query: Query): bool {
  const f = <i64>metric.frequency;
  const isSingle = selection.count == 1;
  const resolution = query.resolution;
  const factor = query.factor;
  column.error = QueryError.None;
  if (!isSingle && metric.aggregation == Aggregation.None) {
    column.fail(QueryError.NoAggregation, 0, 0);
    return true;
  }
  if (resolution > f && resolution % f != 0) {
    column.fail(QueryError.BadResolution, resolution, f);
    return true;
  }

  // The answer starts when it was asked to, or with the series that starts first; it ends with the one that ends first.
  const from = request.from;
  const start = earliest(from, f);
  const first = max(start, from);
  const n = min(request.to > first ? (request.to - first + f - 1) / f : 0, binsFrom(first));
  const isPlain = isSingle && !request.has(AnswerParts.Data);
  if (n > MAX_COUNT && !(isPlain && resolution <= f)) {
    column.fail(QueryError.TooLong, n, MAX_COUNT);
    return true;
  }
  const bins = <i32>n;
  const points = resolution > f && bins >= RESAMPLE_FROM ? lttbPoints(bins, <i32>(n * f / resolution)) : bins;
  column.from = first;
  column.to = first + n * f;
  column.step = points < bins ? resolution : f;
  column.padding = request.has(AnswerParts.Padding) && start > from ? start / f - from / f : 0;
  column.count = points;
  column.first = 0;
  column.held = 0;
  const byHeaders = isPlain && points == bins;
  const hasStats = request.has(AnswerParts.Stats);
  // Who wants neither values nor statistics wants to know which columns there are.
  const isComputed = request.has(AnswerParts.Data) || (hasStats && !byHeaders);
  if (isComputed && bins && !column.compute(metric, factor, first, bins, points)) return false;
  if (!hasStats) return true;
  if (byHeaders) column.summarizeBins(selection.series(0), bins, factor);
  else column.summarize(factor);
  return true;
}
