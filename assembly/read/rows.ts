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
import { Sliding } from './sliding';
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

/** Windows that hold every bin so many times are not added up one by one. */
const SLIDING_FROM: i64 = 4;
const sliding = changetype<Sliding>(memory.data(offsetof<Sliding>(), 8));

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
  /** The bin that is looked at next, and its time. */
  let next = 0;
  let nextTime = window.base;
  /** The newest sample of the bins before it; its time is before every look-back until there is one. */
  let value: f64 = NaN;
  let valueTime = i64.MIN_VALUE;
  for (let step = 0; step < request.count; step++) {
    const time = request.timeOf(step);
    while (next < length && nextTime <= time) {
      const bin = window.bin(next++);
      if (bin == bin) {
        value = bin;
        valueTime = nextTime;
      }
      nextTime += width;
    }
    if (valueTime <= time - lookback) continue;
    store<f64>(values + (<usize>step << 3), asTime ? <f64>valueTime / 1000 : value);
    mark(bits, step);
    found++;
  }
  return found;
}

/** One pass: the ends of the windows rise as well. */
function windowRow(request: LeafRequest, length: i32, range: i64, values: usize, bits: usize): i32 {
  const width = window.width;
  const fn = request.fn;
  window.parameter = request.parameter;
  const isSum = fn == LeafFunction.Sum || fn == LeafFunction.Avg || fn == LeafFunction.Count;
  const isExtreme = fn == LeafFunction.Min || fn == LeafFunction.Max;
  const isSliding = isSum && <i64>request.count * (range / width) > SLIDING_FROM * <i64>length;
  if (isSliding && !sliding.prepare(window.bins, length)) return -1;
  let found = 0;
  /** The first bin behind the window, and the first one in it, with their times. */
  let to = 0;
  let toTime = window.base;
  let from = 0;
  let fromTime = window.base;
  /** The extreme of the window before, and where that ended. */
  let best = -1;
  let seen = 0;
  for (let step = 0; step < request.count; step++) {
    const end = request.timeOf(step);
    const start = end - range;
    while (to < length && toTime <= end) {
      to++;
      toTime += width;
    }
    while (from < to && fromTime <= start) {
      from++;
      fromTime += width;
    }
    if (from == to) continue;
    if (isExtreme) {
      best = best < from ? extreme(-1, from, to, fn == LeafFunction.Max) : extreme(best, seen, to, fn == LeafFunction.Max);
      seen = to;
      if (best < from) continue;
      store<f64>(values + (<usize>step << 3), window.bin(best));
      mark(bits, step);
      found++;
      continue;
    }
    if (isSliding) {
      const samples = sliding.count(from, to);
      if (!samples) continue;
      const sum = fn == LeafFunction.Count ? <f64>samples : sliding.sum(from, to);
      if (sum == sum) {
        store<f64>(values + (<usize>step << 3), fn == LeafFunction.Avg ? sum / <f64>samples : sum);
        mark(bits, step);
        found++;
        continue;
      }
    }
    window.time = <i64>request.start + <i64>step * <i64>request.step;
    window.start = start;
    window.end = end;
    window.from = from;
    window.to = to;
    bins.looked += to - from;
    if (!windowValue(fn, window)) continue;
    store<f64>(values + (<usize>step << 3), window.value);
    mark(bits, step);
    found++;
  }
  return found;
}

/** The extreme of a known one (-1: none) and the bins [from, to); the first of equal ones, -1 if there is none. */
function extreme(known: i32, from: i32, to: i32, greatest: bool): i32 {
  let best = known;
  let value = known < 0 ? NaN : window.bin(known);
  for (let i = from; i < to; i++) {
    const v = window.bin(i);
    if (!(greatest ? v > value : v < value) && !(best < 0 && v == v)) continue;
    best = i;
    value = v;
  }
  return best;
}
