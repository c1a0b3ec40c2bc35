/**
 * The functions over a window of bins: the newest one, and PromQL's functions of range vectors. Formulas and order of operations
 * are those of src/promql/evaluate/windows.ts, which does the same for samples at any times, and of Prometheus.
 */
import { LeafFunction } from '../../src/wasm/tables/codes';
import { SlidingPairs } from './sliding-pairs';

/** A window of the bins of one series. A missing bin is NaN; there is no other NaN. */
@unmanaged
export class Window {
  /** Unix milliseconds of the first bin's sample, and between two. */
  base: i64;
  width: i64;
  /** The window is (start, end], unix milliseconds; `time` is the step that is evaluated. */
  start: i64;
  end: i64;
  time: i64;
  parameter: f64;
  /** What a function found. */
  value: f64;
  /** Address of the first bin; `from` and `to` are the window's first bin and the one behind its last. */
  bins: usize;
  from: i32;
  to: i32;

  bin(i: i32): f64 {
    return load<f64>(this.bins + (<usize>i << 3));
  }
  /** Unix milliseconds of a bin's sample. */
  timeOf(i: i32): i64 {
    return this.base + <i64>i * this.width;
  }
  /** Sets the result. Returns true: there is one. */
  found(value: f64): bool {
    this.value = value;
    return true;
  }
  /** The first bin of the window that is not missing; `to` if there is none. */
  first(): i32 {
    let i = this.from;
    while (i < this.to && isNaN(this.bin(i))) i++;
    return i;
  }
  /** The last bin of the window that is not missing. Precondition: there is one. */
  last(): i32 {
    let i = this.to - 1;
    while (isNaN(this.bin(i))) i--;
    return i;
  }
}

/** A sum with compensation after Kahan and Neumaier. */
@unmanaged
export class Sum {
  value: f64;
  lost: f64;

  set(value: f64, lost: f64): void {
    this.value = value;
    this.lost = lost;
  }
  add(term: f64): void {
    const sum = this.value;
    const next = sum + term;
    if (abs(next) == Infinity) this.lost = 0;
    else if (abs(sum) >= abs(term)) this.lost += sum - next + term;
    else this.lost += term - next + sum;
    this.value = next;
  }
  get total(): f64 {
    return this.value + this.lost;
  }
}

const sumX = changetype<Sum>(memory.data(offsetof<Sum>(), 8));
const sumY = changetype<Sum>(memory.data(offsetof<Sum>(), 8));
const sumXY = changetype<Sum>(memory.data(offsetof<Sum>(), 8));
const sumXX = changetype<Sum>(memory.data(offsetof<Sum>(), 8));

/** Computes a function of the window into `w.value`. @param fn a `LeafFunction` over windows, but for least, greatest and those of pairs. False: too few samples. */
export function windowValue(fn: i32, w: Window): bool {
  const first = w.first();
  if (first == w.to) return false;
  switch (fn) {
    case LeafFunction.Irate:
      return instantaneous(w, first, true);
    case LeafFunction.Idelta:
      return instantaneous(w, first, false);
    case LeafFunction.Deriv:
      return regression(w, first, w.timeOf(first), true);
    case LeafFunction.PredictLinear:
      return regression(w, first, w.time, false);
    case LeafFunction.Avg:
      return average(w, first);
    case LeafFunction.Sum:
      return total(w, first);
    case LeafFunction.Count:
      return count(w, first);
    case LeafFunction.TimeOfMin:
      return w.found(<f64>w.timeOf(lastExtreme(w, first, false)) / 1000);
    case LeafFunction.TimeOfMax:
      return w.found(<f64>w.timeOf(lastExtreme(w, first, true)) / 1000);
    case LeafFunction.First:
      return w.found(w.bin(first));
    case LeafFunction.Last:
      return w.found(w.bin(w.last()));
    case LeafFunction.TimeOfFirst:
      return w.found(<f64>w.timeOf(first) / 1000);
    case LeafFunction.TimeOfLast:
      return w.found(<f64>w.timeOf(w.last()) / 1000);
    case LeafFunction.Present:
      return w.found(1);
    case LeafFunction.Stddev:
      variance(w, first);
      return w.found(sqrt(w.value));
    case LeafFunction.Stdvar:
      return variance(w, first);
  }
  return false;
}

/** Whether a function is one of neighbouring samples. */
export function isOfPairs(fn: i32): bool {
  return fn == LeafFunction.Rate || fn == LeafFunction.Increase || fn == LeafFunction.Delta || fn == LeafFunction.Changes ||
    fn == LeafFunction.Resets;
}

/** Computes one of these functions into `w.value`. @param pairs of the window. False: too few samples. */
export function pairsValue(fn: i32, w: Window, pairs: SlidingPairs): bool {
  if (!pairs.present) return false;
  if (fn == LeafFunction.Changes) return w.found(<f64>pairs.changes);
  if (fn == LeafFunction.Resets) return w.found(<f64>pairs.falls);
  return extrapolated(w, pairs, fn != LeafFunction.Delta, fn == LeafFunction.Rate);
}

/** How far a function looks beyond the samples of a window, which is the same for most windows of a series: divisions would be most of its time. */
@unmanaged
class Extrapolation {
  /** What it was computed of: milliseconds from the window's start to the first sample, between the samples, and to its end; samples. */
  private before: i64;
  private between: i64;
  private after: i64;
  private samples: i32;
  private perSecond: bool;
  /** Seconds between the first and the last sample, and how far it is looked beyond both. */
  sampled: f64;
  toStart: f64;
  private toEnd: f64;
  /** What a difference of the samples is multiplied with. */
  factor: f64;
  /** Seconds of the window if the result is one a second, else 1. */
  private divisor: f64;

  set(before: i64, between: i64, after: i64, samples: i32, perSecond: bool): void {
    const isSame = before == this.before && between == this.between && after == this.after;
    if (isSame && samples == this.samples && perSecond == this.perSecond) return;
    this.before = before;
    this.between = between;
    this.after = after;
    this.samples = samples;
    this.perSecond = perSecond;
    this.sampled = <f64>between / 1000;
    const mean = this.sampled / <f64>(samples - 1);
    const threshold = mean * 1.1;
    const toStart = <f64>before / 1000;
    const toEnd = <f64>after / 1000;
    this.toStart = toStart >= threshold ? mean / 2 : toStart;
    this.toEnd = toEnd >= threshold ? mean / 2 : toEnd;
    this.divisor = perSecond ? <f64>(before + between + after) / 1000 : 1;
    this.factor = this.factorFrom(this.toStart);
  }

  /** The factor if it is looked so many seconds before the first sample. */
  factorFrom(toStart: f64): f64 {
    return (this.sampled + toStart + this.toEnd) / this.sampled / this.divisor;
  }
}

const extrapolation = changetype<Extrapolation>(memory.data(offsetof<Extrapolation>(), 8));

function extrapolated(w: Window, pairs: SlidingPairs, counter: bool, perSecond: bool): bool {
  if (pairs.present < 2) return false;
  const first = pairs.firstSample;
  const last = pairs.lastSample;
  const initial = w.bin(first);
  let result = w.bin(last) - initial;
  if (counter && pairs.falls) result = withResets(w, first, last, result);
  const e = extrapolation;
  e.set(w.timeOf(first) - w.start, <i64>(last - first) * w.width, w.end - w.timeOf(last), pairs.present, perSecond);
  // A counter was not below zero. Where it began above what it has gained since, it is not known to have been zero in this window.
  if (counter && result > 0 && initial >= 0 && (initial < result || e.sampled < e.toStart)) {
    const toZero = e.sampled * (initial / result);
    if (toZero < e.toStart) return w.found(result * e.factorFrom(toZero));
  }
  return w.found(result * e.factor);
}

/** What a counter has gained, resets included. @param gained from its first to its last sample. */
function withResets(w: Window, first: i32, last: i32, gained: f64): f64 {
  let before = w.bin(first);
  for (let i = first + 1; i <= last; i++) {
    const v = w.bin(i);
    if (isNaN(v)) continue;
    if (v < before) gained += before;
    before = v;
  }
  return gained;
}

function instantaneous(w: Window, first: i32, counter: bool): bool {
  const last = w.last();
  if (last == first) return false;
  let previous = last - 1;
  while (isNaN(w.bin(previous))) previous--;
  const v = w.bin(last);
  const before = w.bin(previous);
  if (!counter) return w.found(v - before);
  const seconds = <f64>(w.timeOf(last) - w.timeOf(previous)) / 1000;
  return w.found((v < before ? v : v - before) / seconds);
}

function average(w: Window, first: i32): bool {
  const sum = sumX;
  sum.set(w.bin(first), 0);
  let samples = 1;
  let incremental = false;
  for (let i = first + 1; i < w.to; i++) {
    const v = w.bin(i);
    if (isNaN(v)) continue;
    samples++;
    if (!incremental) {
      const value = sum.value;
      const lost = sum.lost;
      sum.add(v);
      if (abs(sum.value) != Infinity) continue;
      // From here on the mean itself: the sum would overflow.
      incremental = true;
      sum.set(value / <f64>(samples - 1), lost / <f64>(samples - 1));
    }
    const weight = <f64>(samples - 1) / <f64>samples;
    sum.set(weight * sum.value, weight * sum.lost);
    sum.add(v / <f64>samples);
  }
  if (incremental) return w.found(sum.total);
  return w.found(sum.value / <f64>samples + sum.lost / <f64>samples);
}

function total(w: Window, first: i32): bool {
  const sum = sumX;
  sum.set(0, 0);
  for (let i = first; i < w.to; i++) {
    const v = w.bin(i);
    if (!isNaN(v)) sum.add(v);
  }
  return w.found(abs(sum.value) == Infinity ? sum.value : sum.total);
}

function count(w: Window, first: i32): bool {
  let samples = 0;
  for (let i = first; i < w.to; i++) samples += i32(!isNaN(w.bin(i)));
  return w.found(<f64>samples);
}

/** The last bin that has the greatest or least sample. */
function lastExtreme(w: Window, first: i32, greatest: bool): i32 {
  let at = first;
  let known = w.bin(first);
  for (let i = first + 1; i < w.to; i++) {
    const v = w.bin(i);
    if (!(greatest ? v >= known : v <= known)) continue;
    at = i;
    known = v;
  }
  return at;
}

function variance(w: Window, first: i32): bool {
  const mean = sumX;
  const squares = sumY;
  mean.set(0, 0);
  squares.set(0, 0);
  let samples: f64 = 0;
  for (let i = first; i < w.to; i++) {
    const v = w.bin(i);
    if (isNaN(v)) continue;
    samples++;
    const delta = v - mean.total;
    mean.add(delta / samples);
    squares.add(delta * (v - mean.total));
  }
  return w.found(squares.total / samples);
}

/** Least squares: the slope, or the value `parameter` seconds after `time`. */
function regression(w: Window, first: i32, time: i64, slopeOnly: bool): bool {
  if (w.last() == first) return false;
  sumX.set(0, 0);
  sumY.set(0, 0);
  sumXY.set(0, 0);
  sumXX.set(0, 0);
  const initial = w.bin(first);
  let constant = true;
  let n: f64 = 0;
  for (let i = first; i < w.to; i++) {
    const v = w.bin(i);
    if (isNaN(v)) continue;
    if (v != initial) constant = false;
    n++;
    const x = <f64>(w.timeOf(i) - time) / 1000;
    sumX.add(x);
    sumY.add(v);
    sumXY.add(x * v);
    sumXX.add(x * x);
  }
  if (constant) return w.found(slopeOnly ? 0 : initial);
  const x = sumX.total;
  const y = sumY.total;
  const slope = (sumXY.total - (x * y) / n) / (sumXX.total - (x * x) / n);
  if (slopeOnly) return w.found(slope);
  return w.found(slope * w.parameter + (y / n - (slope * x) / n));
}
