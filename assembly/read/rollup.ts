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
import { rollupFind, rollupKeep } from './rollup-cache';
import { seriesIn } from './series-list';

/** Fewer series are added anew each time. */
const FEWEST_SERIES: i32 = 4;
/** Fewer bins are added anew each time. */
const FEWEST_BINS: i32 = 32;

/**
 * Adds up `count` bins from `start` (unix seconds) on, in the order of the list, so that the sums are always the same; a bin
 * that one series misses is missing. One series is copied.
 * Preconditions: all are of one metric; 64 bytes behind dst's bins may be overwritten.
 * @param list of n series, n > 0; see series-list.ts.
 */
export function rollUp(list: usize, n: i32, start: i64, count: i32, dst: usize): void {
  const first = seriesIn(list, 0).binOf(start);
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
    low = <i32>max<i64>(0, min<i64>(kept.first - first, count));
    high = <i32>max<i64>(low, min<i64>(kept.end - first, count));
    if (low == high) {
      low = count;
      high = count;
    }
  }
  // What decoding may overwrite behind the bins is written after it.
  add(list, n, start, 0, low, dst);
  if (kept && high > low) memory.copy(dst + (<usize>low << 3), kept.binAt(first + low), <usize>(high - low) << 3);
  add(list, n, start, high, count, dst);
  rollupKeep(kept, list, n, first, settled, dst);
}

/** Adds up bins [from, to) of the answer into their places at dst. */
function add(list: usize, n: i32, start: i64, from: i32, to: i32, dst: usize): void {
  if (from == to) return;
  const at = dst + (<usize>from << 3);
  let anchor = seriesIn(list, 0).anchor;
  let bin = <i32>seriesIn(list, 0).binOf(start) + from;
  readBins(seriesIn(list, 0), bin, to - from, at);
  for (let i = 1; i < n; i++) {
    const s = seriesIn(list, i);
    if (s.anchor != anchor) {
      anchor = s.anchor;
      bin = <i32>s.binOf(start) + from;
    }
    addBins(s, bin, to - from, at);
  }
}

/**
 * One past the last bin, of the first series, that is settled in all of them. When their bins do not have the same limits, how
 * they are added up depends on where the answer starts: nothing is settled.
 */
function settledTogether(list: usize, n: i32): i64 {
  const anchor = seriesIn(list, 0).anchor;
  const f = <i64>seriesIn(list, 0).frequency;
  let end = i64.MAX_VALUE;
  for (let i = 0; i < n; i++) {
    const s = seriesIn(list, i);
    const apart = s.anchor - anchor;
    const bins = apart ? apart / f : 0;
    if (bins * f != apart) return i64.MIN_VALUE;
    end = min(end, bins + <i64>s.settledEnd);
  }
  return end;
}
