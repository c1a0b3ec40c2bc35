/** Writing samples into a series: the last write to a bin wins, late ones are kept, gaps become missing bins. */
import { LineError, MemoryKind } from '../../src/wasm/tables/codes';
import { capacity, realloc } from '../memory/alloc';
import { fillNaN } from '../memory/doubles';
import { sealOpen } from './blocks';
import { writeLate } from './late';
import { Series, UNSETTLED } from './records';
import { setAnchor, settledChanged } from './series';

/** Bins of the first open block of a series; it doubles from there, so that young series are small. */
const FIRST_BINS: u32 = 8;
/** Bins a series may reach from its anchor in either direction: 34 years at one second. */
const MAX_BIN: i64 = 1 << 30;

/**
 * Stores a sample.
 * @param seconds unix time; @param frequency the metric's, handed in because the caller has it.
 * @returns LineError.None, TimestampTooFar or OutOfMemory.
 */
export function writeSample(s: Series, seconds: i64, value: f64, frequency: i64): i32 {
  // Fast path: the bin that follows the newest one, with room for it.
  const edge = s.edge;
  const n = s.openLength;
  if (<u64>(seconds - edge) < <u64>frequency && n < <i32>s.openLimit && n > 0) {
    store<f64>(s.openBins + (<usize>n << 3), value);
    s.openLength = n + 1;
    s.edge = edge + frequency;
    return LineError.None;
  }
  return writeSampleSlow(s, seconds, value, frequency);
}

function writeSampleSlow(s: Series, seconds: i64, value: f64, frequency: i64): i32 {
  if (!s.isAnchored) setAnchor(s, seconds - frequency / 2, 0);
  const bin = s.binOf(seconds);
  if (bin >= MAX_BIN || bin <= -MAX_BIN) return LineError.TimestampTooFar;
  let n = s.openLength;
  let at = <i32>bin - s.openStart;
  if (at < 0) return writeLate(s, <i32>bin, value) ? LineError.None : LineError.OutOfMemory;
  if (at < n) {
    if (at < n - UNSETTLED) settledChanged(s);
    store<f64>(s.openBins + (<usize>at << 3), value);
    return LineError.None;
  }
  if (at >= <i32>s.sealAt) {
    if (n && !sealOpen(s)) return LineError.OutOfMemory;
    n = 0;
  }
  if (!n) {
    s.setOpenStart(<i32>bin);
    at = 0;
  }
  if (!reserveOpen(s, at + 1)) return LineError.OutOfMemory;
  fillNaN(s.openBins + (<usize>n << 3), at - n);
  store<f64>(s.openBins + (<usize>at << 3), value);
  s.openLength = at + 1;
  s.setOpenStart(<i32>bin - at);
  return LineError.None;
}

/** Makes room for n bins in the open block. False when memory is exhausted. */
export function reserveOpen(s: Series, n: i32): bool {
  const have = s.openBins ? capacity(s.openBins) >> 3 : 0;
  if (<u32>n <= have) return true;
  let want = max<u32>(FIRST_BINS, have);
  while (want < <u32>n) want <<= 1;
  const bins = realloc(s.openBins, want << 3, MemoryKind.OpenBlocks);
  if (!bins) return false;
  s.setOpenBins(bins);
  return true;
}
