/**
 * Rows of a leaf: what a series has at each step, a double and a bit each. A missing value is NaN in the row as well, so that
 * rows are added up without looking at bits.
 */
import { LeafFunction, MemoryKind } from '../../src/wasm/codes';
import { alloc, capacity, free } from '../memory/alloc';
import { fillNaN } from '../memory/doubles';
import { endBin, firstBin } from '../series/blocks';
import { Series } from '../series/records';
import { LeafRequest } from './leaf';
import { readBins } from './read';
import { Window, windowValue } from './windows';

/** Bytes behind the bins that decoding may overwrite. */
const OVERRUN: u32 = 128;

const window = changetype<Window>(memory.data(offsetof<Window>(), 8));

@unmanaged
class Bins {
  /** Address of bins that were read; kept for the next series. */
  at: usize;
  /** Bins that the last row looked at. */
  looked: i32;
}
const bins = changetype<Bins>(memory.data(offsetof<Bins>(), 8));

/** Bins that the last row looked at: what it cost. */
export function rowCost(): i32 {
  return bins.looked;
}

/** Bytes of a bitmap of n steps, a multiple of 8. */
export function bitmapBytes(n: i32): u32 {
  return <u32>((n + 63) >> 6) << 3;
}

function reserve(n: i32): bool {
  const need = (<u32>n << 3) + OVERRUN;
  if (bins.at && capacity(bins.at) >= need) return true;
  free(bins.at, MemoryKind.Scratch);
  bins.at = alloc(need, MemoryKind.Scratch);
  return bins.at != 0;
}

function floorDiv(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/** Unix milliseconds of the sample of a bin. */
export function sampleTime(s: Series, bin: i64): f64 {
  return <f64>((s.timeOf(bin) + <i64>(s.frequency >> 1)) * 1000);
}

/**
 * Writes a row. @param values `count` doubles; @param bits the bitmap, all 0.
 * @returns steps that have a value; -1 when memory is exhausted.
 */
export function writeRow(s: Series, request: LeafRequest, values: usize, bits: usize): i32 {
  const n = request.count;
  const width = <i64>s.frequency * 1000;
  const zero = <i64>sampleTime(s, 0);
  const isInstant = request.fn == LeafFunction.Instant || request.fn == LeafFunction.InstantTime;
  const lookback = request.adaptive && <f64>width > request.lookback / 2 ? <f64>width * 2 : request.lookback;
  const range = <i64>(isInstant ? lookback : request.range);
  fillNaN(values, n);
  // The bins that any step may look at, as far as there are any.
  const from = max<i64>(floorDiv(request.timeOf(0) - range - zero, width) + 1, <i64>firstBin(s));
  const to = min<i64>(floorDiv(request.timeOf(n - 1) - zero, width) + 1, <i64>endBin(s));
  bins.looked = n;
  if (to <= from) return 0;
  const length = <i32>(to - from);
  bins.looked += length;
  if (!reserve(length)) return -1;
  readBins(s, <i32>from, length, bins.at);
  window.bins = bins.at;
  window.base = zero + from * width;
  window.width = width;
  if (isInstant) return instantRow(request, length, range, values, bits);
  return windowRow(request, length, range, values, bits);
}

function mark(bits: usize, step: i32): void {
  const p = bits + (<usize>step >> 3);
  store<u8>(p, load<u8>(p) | (<u8>1 << <u8>(step & 7)));
}

/** The newest sample not older than the look-back. One pass: steps and bins both rise. */
function instantRow(request: LeafRequest, length: i32, lookback: i64, values: usize, bits: usize): i32 {
  const width = window.width;
  const asTime = request.fn == LeafFunction.InstantTime;
  let found = 0;
  /** Bins up to `seen` were looked at; the newest of them that is not missing is `newest`. */
  let seen: i64 = -1;
  let newest: i64 = -1;
  for (let step = 0; step < request.count; step++) {
    const time = request.timeOf(step);
    const last = min<i64>(floorDiv(time - window.base, width), <i64>length - 1);
    while (seen < last) {
      seen++;
      if (!isNaN(window.bin(<i32>seen))) newest = seen;
    }
    if (newest < 0) continue;
    const at = window.timeOf(<i32>newest);
    if (at <= time - lookback) continue;
    store<f64>(values + (<usize>step << 3), asTime ? <f64>at / 1000 : window.bin(<i32>newest));
    mark(bits, step);
    found++;
  }
  return found;
}

function windowRow(request: LeafRequest, length: i32, range: i64, values: usize, bits: usize): i32 {
  const width = window.width;
  window.parameter = request.parameter;
  let found = 0;
  for (let step = 0; step < request.count; step++) {
    window.time = <i64>request.start + <i64>step * <i64>request.step;
    window.end = request.timeOf(step);
    window.start = window.end - range;
    window.to = <i32>min<i64>(floorDiv(window.end - window.base, width) + 1, <i64>length);
    window.from = <i32>max<i64>(floorDiv(window.start - window.base, width) + 1, 0);
    if (window.from >= window.to) continue;
    bins.looked += window.to - window.from;
    if (!windowValue(request.fn, window)) continue;
    store<f64>(values + (<usize>step << 3), window.value);
    mark(bits, step);
    found++;
  }
  return found;
}
