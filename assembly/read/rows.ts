/**
 * Rows of a leaf: what a series has at each step, a double and a bit each. A missing value is NaN in the row as well, so that
 * rows are added up without looking at bits. A row is made in as many turns as its windows need.
 */
import { LeafFunction, MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, capacity, free } from '../memory/alloc';
import { fillNaN } from '../memory/doubles';
import { endBin, firstBin } from '../series/blocks';
import { Series } from '../series/records';
import { LeafRequest } from './leaf';
import { lookBackOnBins, StepsOnBins } from './look-back';
import { readBins } from './read';
import { Sliding } from './sliding';
import { SlidingPairs } from './sliding-pairs';
import { isOfHeaders, LONG_WINDOW, LongWindow } from './whole-blocks';
import { isOfPairs, pairsValue, Window, windowValue } from './windows';

/** Bytes behind the bins that decoding may overwrite. */
const OVERRUN: u32 = 128;
/** Windows that hold every bin so many times are not added up one by one. */
const SLIDING_FROM: i64 = 4;

const window = changetype<Window>(memory.data(offsetof<Window>(), 8));
const longWindow = changetype<LongWindow>(memory.data(offsetof<LongWindow>(), 8));
const onBins = changetype<StepsOnBins>(memory.data(offsetof<StepsOnBins>(), 8));

/** Bytes of a bitmap of n steps, a multiple of 8. */
export function bitmapBytes(n: i32): u32 {
  return <u32>((n + 63) >> 6) << 3;
}

function floorDiv(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/** Nanoseconds that a function takes for a bin of a window, or for a step where sums and newest samples are kept. */
export function binCost(fn: i32): i32 {
  switch (fn) {
    case LeafFunction.Stddev:
    case LeafFunction.Stdvar:
    case LeafFunction.Deriv:
    case LeafFunction.PredictLinear:
    case LeafFunction.Sum:
    case LeafFunction.Avg:
    case LeafFunction.Count:
      return 14;
    case LeafFunction.Rate:
    case LeafFunction.Increase:
    case LeafFunction.InstantTime:
      return 8;
    default:
      return 4;
  }
}

/** Unix milliseconds of the sample of a bin. */
export function sampleTime(s: Series, bin: i64): f64 {
  return <f64>((s.timeOf(bin) + <i64>(s.frequency >> 1)) * 1000);
}

function mark(bits: usize, step: i32): void {
  const p = bits + (<usize>step >> 3);
  store<u8>(p, load<u8>(p) | (<u8>1 << <u8>(step & 7)));
}

/**
 * The row at hand, and where it stands. Steps and bins both rise, so the ends of windows never go back. It owns the memory of its bins and
 * sums; memory of zeros is an empty one.
 */
@unmanaged
export class RowMaker extends SlidingPairs {
  /** The fields of `Sliding`. */
  private sumsAt: usize;
  private sumsGreatest: f64;
  /** Unix milliseconds of the first bin's sample, and between two. */
  private base: i64;
  private width: i64;
  /** How far a window, or the look-back, reaches back. */
  private range: i64;
  /** Unix milliseconds that the first step looks at, and from step to step. */
  private firstEnd: i64;
  private stepWidth: i64;
  /** The first bin behind the window, and the first one in it, with their times. */
  private toTime: i64;
  private fromTime: i64;
  private to: i32;
  private from: i32;
  /** Of look-back: time and value of the newest sample that was seen. */
  private newestTime: i64;
  private newest: f64;
  /** Of least and greatest: the bin of the window before, and where that ended. */
  private best: i32;
  private seen: i32;
  private bins: usize;
  private length: i32;
  /** The step that comes next, and how many have a value. */
  private step: i32;
  private found: i32;
  /** Whether sums come from `sums`. */
  private isSliding: bool;
  /** The series if its blocks' headers are asked and no bins are read; `base` is the time of its bin 0 then. */
  private long: Series | null;
  /** Address of the row, and of its bitmap. */
  private values: usize;
  private bits: usize;

  private get sums(): Sliding {
    return changetype<Sliding>(changetype<usize>(this) + offsetof<RowMaker>('sumsAt'));
  }

  /** Steps of the row that have a value. */
  get samples(): i32 {
    return this.found;
  }

  /** Gives its memory back. */
  free(): void {
    free(this.bins, MemoryKind.Scratch);
    this.sums.free();
    this.bins = 0;
  }

  private reserve(n: i32): bool {
    const need = (<u32>n << 3) + OVERRUN;
    if (this.bins && capacity(this.bins) >= need) return true;
    free(this.bins, MemoryKind.Scratch);
    this.bins = alloc(need, MemoryKind.Scratch);
    return this.bins != 0;
  }

  /**
   * Begins a row. @param values `count` doubles; @param bits the bitmap. Both are overwritten.
   * @returns bins that were read; -1 when memory is exhausted.
   */
  begin(s: Series, request: LeafRequest, values: usize, bits: usize): i32 {
    const n = request.count;
    const width = <i64>s.frequency * 1000;
    const zero = <i64>sampleTime(s, 0);
    const isInstant = request.fn == LeafFunction.Instant || request.fn == LeafFunction.InstantTime;
    const lookback = request.adaptive && <f64>width > request.lookback / 2 ? <f64>width * 2 : request.lookback;
    const range = <i64>(isInstant ? lookback : request.range);
    fillNaN(values, n);
    memory.fill(bits, 0, bitmapBytes(n));
    this.values = values;
    this.bits = bits;
    this.found = 0;
    this.step = n;
    // The bins that any step may look at, as far as there are any.
    const from = max<i64>(floorDiv(request.timeOf(0) - range - zero, width) + 1, <i64>firstBin(s));
    const to = min<i64>(floorDiv(request.timeOf(n - 1) - zero, width) + 1, <i64>endBin(s));
    if (to <= from) return 0;
    const length = <i32>(to - from);
    this.step = 0;
    this.width = width;
    this.range = range;
    this.firstEnd = request.timeOf(0);
    this.stepWidth = n > 1 ? request.timeOf(1) - this.firstEnd : 0;
    if (isOfHeaders(request.fn) && (n == 1 || (this.stepWidth >= range && range / width >= LONG_WINDOW))) {
      this.long = s;
      this.base = zero;
      return 1;
    }
    this.long = null;
    if (!this.reserve(length)) return -1;
    readBins(s, <i32>from, length, this.bins);
    this.length = length;
    this.base = zero + from * width;
    this.toTime = this.base;
    this.fromTime = this.base;
    this.to = 0;
    this.from = 0;
    this.newestTime = i64.MIN_VALUE;
    this.best = -1;
    this.seen = 0;
    this.startPairs();
    const fn = request.fn;
    const isSum = fn == LeafFunction.Sum || fn == LeafFunction.Avg || fn == LeafFunction.Count;
    this.isSliding = isSum && <i64>n * (range / width) > SLIDING_FROM * to - SLIDING_FROM * from;
    if (this.isSliding && !this.sums.prepare(this.bins, length)) return -1;
    return length;
  }

  /** Goes on until the row is there, or about so many bins were looked at. @returns bins that were looked at; below `cost`: it is there. */
  continue(request: LeafRequest, cost: i32): i32 {
    const fn = request.fn;
    if (fn == LeafFunction.Instant || fn == LeafFunction.InstantTime) return this.lookBack(request, cost);
    const long = this.long;
    if (long) return this.longWindows(long, request, cost);
    if (fn == LeafFunction.Min || fn == LeafFunction.Max) return this.extremes(request, cost);
    return this.windows(request, cost);
  }

  /** Unix milliseconds that a step looks at. */
  private endOf(step: i32): i64 {
    return this.firstEnd + <i64>step * this.stepWidth;
  }

  private set(step: i32, value: f64): void {
    store<f64>(this.values + (<usize>step << 3), value);
    mark(this.bits, step);
    this.found++;
  }

  private bin(i: i32): f64 {
    return load<f64>(this.bins + (<usize>i << 3));
  }

  /** The newest sample not older than the look-back. */
  private lookBack(request: LeafRequest, cost: i32): i32 {
    if (!this.step && this.lookBackOnBins(request)) return request.count;
    const asTime = request.fn == LeafFunction.InstantTime;
    const n = min(request.count, this.step + cost);
    const first = this.step;
    let next = this.to;
    let nextTime = this.toTime;
    let newest = this.newest;
    let newestTime = this.newestTime;
    for (let step = first; step < n; step++) {
      const time = this.endOf(step);
      while (next < this.length && nextTime <= time) {
        const value = this.bin(next++);
        if (value == value) {
          newest = value;
          newestTime = nextTime;
        }
        nextTime += this.width;
      }
      // The time of none is before every look-back.
      if (newestTime > time - this.range) this.set(step, asTime ? <f64>newestTime / 1000 : newest);
    }
    this.to = next;
    this.toTime = nextTime;
    this.newest = newest;
    this.newestTime = newestTime;
    this.step = n;
    return n - first;
  }

  /** The same for all steps at once, if they are whole bins apart. False: they are not. */
  private lookBackOnBins(request: LeafRequest): bool {
    const step = <i64>request.step;
    const isOne = request.fixed == request.fixed;
    if (request.fn != LeafFunction.Instant || isOne || step % this.width) return false;
    const ahead = request.timeOf(0) - this.base;
    const at = floorDiv(ahead, this.width);
    const stride = step / this.width;
    // Counted in 32 bits; steps of centuries are not worth a second way.
    if (abs(at) + stride * <i64>request.count > <i64>i32.MAX_VALUE) return false;
    onBins.bins = this.bins;
    onBins.length = this.length;
    onBins.at = <i32>at;
    onBins.stride = <i32>stride;
    onBins.back = <i32>min<i64>(floorDiv(this.range - 1 - (ahead - at * this.width), this.width), <i64>i32.MAX_VALUE >> 1);
    onBins.values = this.values;
    onBins.bits = this.bits;
    onBins.count = request.count;
    this.found = lookBackOnBins(onBins);
    this.step = request.count;
    return true;
  }

  /** Windows of whole blocks. */
  private longWindows(s: Series, request: LeafRequest, cost: i32): i32 {
    let looked = 0;
    for (; this.step < request.count && looked < cost; this.step++) {
      const end = this.endOf(this.step) - this.base;
      const from = max<i64>(floorDiv(end - this.range, this.width) + 1, <i64>firstBin(s));
      const to = min<i64>(floorDiv(end, this.width) + 1, <i64>endBin(s));
      looked++;
      if (to <= from) continue;
      if (longWindow.lookAt(s, <i32>from, <i32>to, request.fn)) this.set(this.step, longWindow.value);
      looked += longWindow.looked;
    }
    return looked;
  }

  /** Moves both ends of the window. */
  private move(end: i64): void {
    const start = end - this.range;
    const width = this.width;
    while (this.to < this.length && this.toTime <= end) {
      this.to++;
      this.toTime += width;
    }
    while (this.from < this.to && this.fromTime <= start) {
      this.from++;
      this.fromTime += width;
    }
  }

  /** Least or greatest samples: while the one of the window before is in this one, only what is new is looked at. */
  private extremes(request: LeafRequest, cost: i32): i32 {
    const greatest = request.fn == LeafFunction.Max;
    let looked = 0;
    for (; this.step < request.count && looked < cost; this.step++) {
      this.move(this.endOf(this.step));
      const isOver = this.best < this.from;
      const first = isOver ? this.from : this.seen;
      looked += this.to - first + 1;
      this.best = this.extreme(isOver ? -1 : this.best, first, greatest);
      this.seen = this.to;
      if (this.best >= this.from) this.set(this.step, this.bin(this.best));
    }
    return looked;
  }

  /** The extreme of a known one (-1: none) and the bins from `from` to the window's end; the first of equal ones, -1 if there is none. */
  private extreme(known: i32, from: i32, greatest: bool): i32 {
    const to = this.to;
    let best = known;
    let value = known < 0 ? NaN : this.bin(known);
    for (let i = from; i < to; i++) {
      const v = this.bin(i);
      if (!(greatest ? v > value : v < value) && !(best < 0 && v == v)) continue;
      best = i;
      value = v;
    }
    return best;
  }

  private windows(request: LeafRequest, cost: i32): i32 {
    const fn = request.fn;
    window.bins = this.bins;
    window.base = this.base;
    window.width = this.width;
    window.parameter = request.parameter;
    const ofPairs = isOfPairs(fn);
    let looked = 0;
    for (; this.step < request.count && looked < cost; this.step++) {
      const end = this.endOf(this.step);
      const seen = this.to;
      this.move(end);
      looked++;
      if (this.from == this.to || (this.isSliding && this.slide(fn))) continue;
      window.start = end - this.range;
      window.end = end;
      window.from = this.from;
      window.to = this.to;
      if (ofPairs) {
        this.movePairs(this.bins, this.from, this.to);
        // Resets are added up again.
        looked += this.to - (this.falls ? this.from : seen);
        if (pairsValue(fn, window, this)) this.set(this.step, window.value);
        continue;
      }
      window.time = <i64>request.start + <i64>this.step * <i64>request.step;
      looked += this.to - this.from;
      if (windowValue(fn, window)) this.set(this.step, window.value);
    }
    return looked;
  }

  /** The window's sum from the sums. False: it has to be added up. */
  private slide(fn: i32): bool {
    const samples = this.sums.count(this.from, this.to);
    if (!samples) return true;
    const sum = fn == LeafFunction.Count ? <f64>samples : this.sums.sum(this.from, this.to);
    if (sum != sum) return false;
    this.set(this.step, fn == LeafFunction.Avg ? sum / <f64>samples : sum);
    return true;
  }
}

if (offsetof<RowMaker>('base') - offsetof<RowMaker>('sumsAt') < offsetof<Sliding>()) ERROR('a row maker has not the fields of Sliding');
