/**
 * Adding the bins of several series. Dashboards ask for the same roll-up again and again, a minute later each time, so what
 * was added once is kept (rollup-cache.ts) as far as it is settled: samples that come in order do not change it.
 *
 *                 first                                   settled      first + count
 *   asked for       |<-------------------------------------->|<------------->|
 *   kept                  |<-------------->|
 *                   | low |                | high
 *   added up        |<--->|                |<------------------------------->|
 *   kept afterwards |<-------------------------------------->|
 */
import { addBins, readBins } from './read';
import { rollupFind, rollupFirst, rollupKeep, rollupBins, rollupEnd } from './rollup-cache';
import { binOf, seriesAnchor, seriesFrequency, settledEnd } from '../series/series';

/** Fewer series are added anew each time. */
const FEWEST_SERIES: i32 = 4;
/** Fewer bins are added anew each time. */
const FEWEST_BINS: i32 = 32;

// @ts-ignore: decorator
@inline
function series(list: usize, i: i32): usize {
  return <usize>load<u32>(list + (<usize>i << 2));
}

/**
 * Adds up `count` bins from `start` (unix seconds) on, in the order of the list, so that the sums are always the same; a bin
 * that one series misses is missing. One series is copied.
 * Preconditions: all are of one metric; 64 bytes behind dst's bins may be overwritten.
 * @param list u32 addresses of n series, n > 0.
 */
export function rollUp(list: usize, n: i32, start: i64, count: i32, dst: usize): void {
  const first = binOf(series(list, 0), start);
  const end = n < FEWEST_SERIES || count < FEWEST_BINS ? first : settledTogether(list, n);
  const settled = end > first ? <i32>min<i64>(end - first, count) : 0;
  if (settled < FEWEST_BINS) {
    add(list, n, start, 0, count, dst);
    return;
  }
  const kept = rollupFind(list, n);
  let low = count;
  let high = count;
  if (kept) {
    low = <i32>max<i64>(0, min<i64>(rollupFirst(kept) - first, count));
    high = <i32>max<i64>(low, min<i64>(rollupEnd(kept) - first, count));
    if (low == high) {
      low = count;
      high = count;
    }
  }
  // What decoding may overwrite behind the bins is written after it.
  add(list, n, start, 0, low, dst);
  if (high > low) memory.copy(dst + (<usize>low << 3), rollupBins(kept, first + low), <usize>(high - low) << 3);
  add(list, n, start, high, count, dst);
  rollupKeep(kept, list, n, first, settled, dst);
}

/** Adds up bins [from, to) of the answer into their places at dst. */
function add(list: usize, n: i32, start: i64, from: i32, to: i32, dst: usize): void {
  if (from == to) return;
  const at = dst + (<usize>from << 3);
  let anchor = seriesAnchor(series(list, 0));
  let bin = <i32>binOf(series(list, 0), start) + from;
  readBins(series(list, 0), bin, to - from, at);
  for (let i = 1; i < n; i++) {
    const s = series(list, i);
    if (seriesAnchor(s) != anchor) {
      anchor = seriesAnchor(s);
      bin = <i32>binOf(s, start) + from;
    }
    addBins(s, bin, to - from, at);
  }
}

/**
 * One past the last bin, of the first series, that is settled in all of them. When their bins do not have the same limits, how
 * they are added up depends on where the answer starts: nothing is settled.
 */
function settledTogether(list: usize, n: i32): i64 {
  const anchor = seriesAnchor(series(list, 0));
  const f = <i64>seriesFrequency(series(list, 0));
  let end = i64.MAX_VALUE;
  for (let i = 0; i < n; i++) {
    const s = series(list, i);
    const apart = seriesAnchor(s) - anchor;
    const bins = apart ? apart / f : 0;
    if (bins * f != apart) return i64.MIN_VALUE;
    end = min(end, bins + <i64>settledEnd(s));
  }
  return end;
}
