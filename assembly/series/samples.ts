/** Writing samples into a series: the last write to a bin wins, late ones are kept, gaps become missing bins. */
import { LineError } from '../../src/wasm/codes';
import { Kind, capacity, realloc } from '../memory/alloc';
import { sealOpen } from './blocks';
import { fillNaN } from '../read/kernels';
import { writeLate } from './late';
import {
  ANCHORED,
  UNSETTLED,
  binOf,
  openBins,
  openLength,
  openLimit,
  openStart,
  sealAt,
  seriesEdge,
  seriesFlag,
  setAnchor,
  setOpenBins,
  setOpenLength,
  setOpenStart,
  setSeriesEdge,
  settledChanged,
} from './series';

/** Bins of the first open block of a series; it doubles from there, so that young series are small. */
const FIRST_BINS: u32 = 8;
/** Bins a series may reach from its anchor in either direction: 34 years at one second. */
const MAX_BIN: i64 = 1 << 30;

/**
 * Stores a sample.
 * @param seconds unix time; @param frequency the metric's, handed in because the caller has it.
 * @returns LineError.None, TimestampTooFar or OutOfMemory.
 */
// @ts-ignore: decorator
@inline
export function writeSample(s: usize, seconds: i64, value: f64, frequency: i64): i32 {
  // Fast path: the bin that follows the newest one, with room for it.
  const edge = seriesEdge(s);
  const n = openLength(s);
  if (<u64>(seconds - edge) < <u64>frequency && n < openLimit(s) && n > 0) {
    store<f64>(openBins(s) + (<usize>n << 3), value);
    setOpenLength(s, n + 1);
    setSeriesEdge(s, edge + frequency);
    return LineError.None;
  }
  return writeSampleSlow(s, seconds, value, frequency);
}

function writeSampleSlow(s: usize, seconds: i64, value: f64, frequency: i64): i32 {
  if (!seriesFlag(s, ANCHORED)) setAnchor(s, seconds - frequency / 2, 0);
  const bin = binOf(s, seconds);
  if (bin >= MAX_BIN || bin <= -MAX_BIN) return LineError.TimestampTooFar;
  let n = openLength(s);
  let at = <i32>bin - openStart(s);
  if (at < 0) return writeLate(s, <i32>bin, value) ? LineError.None : LineError.OutOfMemory;
  if (at < n) {
    if (at < n - UNSETTLED) settledChanged(s);
    store<f64>(openBins(s) + (<usize>at << 3), value);
    return LineError.None;
  }
  if (at >= sealAt(s)) {
    if (n && !sealOpen(s)) return LineError.OutOfMemory;
    n = 0;
  }
  if (!n) {
    setOpenStart(s, <i32>bin);
    at = 0;
  }
  if (!reserveOpen(s, at + 1)) return LineError.OutOfMemory;
  const bins = openBins(s);
  fillNaN(bins + (<usize>n << 3), at - n);
  store<f64>(bins + (<usize>at << 3), value);
  setOpenLength(s, at + 1);
  setOpenStart(s, <i32>bin - at);
  return LineError.None;
}

/** Makes room for n bins in the open block. False when memory is exhausted. */
export function reserveOpen(s: usize, n: i32): bool {
  const old = openBins(s);
  const have = old ? capacity(old) >> 3 : 0;
  if (<u32>n <= have) return true;
  let want = max<u32>(FIRST_BINS, have);
  while (want < <u32>n) want <<= 1;
  const bins = realloc(old, want << 3, Kind.OPEN);
  if (!bins) return false;
  setOpenBins(s, bins);
  return true;
}
