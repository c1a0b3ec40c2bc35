/**
 * The functions over a range vector: one number of the samples in a window. Formulas and order of operations are
 * Prometheus's (promql/functions.go), so that results agree to the last digits.
 */

import { quantileOf } from './functions/quantile.js';
import { Sum } from './kahan.js';
import { ExecutionError } from './rows.js';

/** The samples of one window: `times` and `values` at [from, to), never none. */
export interface Window {
  times: Float64Array;
  values: Float64Array;
  from: number;
  to: number;
  /** The window is (start, end], in unix milliseconds. */
  start: number;
  end: number;
  /** The step that is evaluated; differs from `end` by the offset. */
  time: number;
  /** Scalar arguments at this step. */
  parameters: number[];
}

/** The function's value, or undefined when the window has too few samples for one. */
export type WindowFunction = (window: Window) => number | undefined;

const first = new Sum();
const second = new Sum();
const third = new Sum();
const fourth = new Sum();

/** Increase from the first to the last sample, extrapolated to the window's edges. */
function extrapolated(counter: boolean, perSecond: boolean): WindowFunction {
  return ({ times, values, from, to, start, end }) => {
    const last = to - 1;
    if (last === from) return undefined;
    const firstTime = times[from] ?? 0;
    const lastTime = times[last] ?? 0;
    let result = (values[last] ?? 0) - (values[from] ?? 0);
    if (counter) {
      for (let at = from + 1; at < to; at++) {
        const before = values[at - 1] ?? 0;
        if ((values[at] ?? 0) < before) result += before;
      }
    }
    let toStart = (firstTime - start) / 1000;
    let toEnd = (end - lastTime) / 1000;
    const sampled = (lastTime - firstTime) / 1000;
    const mean = sampled / (last - from);
    const threshold = mean * 1.1;
    if (toStart >= threshold) toStart = mean / 2;
    if (counter) {
      const value = values[from] ?? 0;
      const toZero = result > 0 && value >= 0 ? sampled * (value / result) : toStart;
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = mean / 2;
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    if (perSecond) factor /= (end - start) / 1000;
    return result * factor;
  };
}

/** Of the last two samples. */
function instantaneous(counter: boolean): WindowFunction {
  return ({ times, values, from, to }) => {
    if (to - from < 2) return undefined;
    const seconds = ((times[to - 1] ?? 0) - (times[to - 2] ?? 0)) / 1000;
    if (seconds === 0) return undefined;
    const before = values[to - 2] ?? 0;
    const last = values[to - 1] ?? 0;
    if (!counter) return last - before;
    return (last < before ? last : last - before) / seconds;
  };
}

const average: WindowFunction = ({ values, from, to }) => {
  const sum = first;
  sum.reset(values[from] ?? 0);
  for (let at = from + 1; at < to; at++) {
    const { value, lost } = sum;
    sum.add(values[at] ?? 0);
    if (Number.isFinite(sum.value) || Number.isNaN(sum.value)) continue;
    sum.reset(value / (at - from), lost / (at - from));
    return incrementalMean(values, from, at, to);
  }
  const count = to - from;
  return sum.value / count + sum.lost / count;
};

/** Goes on from `at` with the mean that `first` holds: the sum itself would overflow. */
function incrementalMean(values: Float64Array, from: number, at: number, to: number): number {
  for (let next = at; next < to; next++) {
    const count = next - from + 1;
    const weight = (count - 1) / count;
    first.reset(weight * first.value, weight * first.lost);
    first.add((values[next] ?? 0) / count);
  }
  return first.total;
}

const sum: WindowFunction = ({ values, from, to }) => {
  first.reset();
  for (let at = from; at < to; at++) first.add(values[at] ?? 0);
  return Number.isFinite(first.value) ? first.total : first.value;
};

function variance({ values, from, to }: Window): number {
  const mean = first;
  const squares = second;
  mean.reset();
  squares.reset();
  for (let at = from; at < to; at++) {
    const value = values[at] ?? 0;
    const delta = value - mean.total;
    mean.add(delta / (at - from + 1));
    squares.add(delta * (value - mean.total));
  }
  return squares.total / (to - from);
}

/** The sample that no other one beats, or the last of the equal ones. @param better whether to go over to a value. */
function best(better: (value: number, known: number) => boolean): (window: Window) => number {
  return ({ values, from, to }) => {
    let at = from;
    for (let next = from; next < to; next++) {
      const known = values[at] ?? 0;
      if (better(values[next] ?? 0, known) || Number.isNaN(known)) at = next;
    }
    return at;
  };
}

const greatest = best((value, known) => value > known);
const least = best((value, known) => value < known);
const lastGreatest = best((value, known) => value >= known);
const lastLeast = best((value, known) => value <= known);

function seconds(times: Float64Array, at: number): number {
  return (times[at] ?? 0) / 1000;
}

/** Least squares. @param time at which the intercept is wanted, in milliseconds. */
function regression({ times, values, from, to }: Window, time: number): { slope: number; intercept: number } {
  const [x, y, xy, xx] = [first, second, third, fourth];
  for (const total of [x, y, xy, xx]) total.reset();
  const initial = values[from] ?? 0;
  let constant = true;
  for (let at = from; at < to; at++) {
    const value = values[at] ?? 0;
    if (value !== initial && at > from) constant = false;
    const distance = ((times[at] ?? 0) - time) / 1000;
    x.add(distance);
    y.add(value);
    xy.add(distance * value);
    xx.add(distance * distance);
  }
  if (constant) {
    const finite = Number.isFinite(initial) || Number.isNaN(initial);
    return finite ? { slope: 0, intercept: initial } : { slope: Number.NaN, intercept: Number.NaN };
  }
  const count = to - from;
  const covariance = xy.total - (x.total * y.total) / count;
  const spread = xx.total - (x.total * x.total) / count;
  const slope = covariance / spread;
  return { slope, intercept: y.total / count - (slope * x.total) / count };
}

const derivative: WindowFunction = (window) => {
  if (window.to - window.from < 2) return undefined;
  return regression(window, window.times[window.from] ?? 0).slope;
};

const prediction: WindowFunction = (window) => {
  if (window.to - window.from < 2) return undefined;
  const { slope, intercept } = regression(window, window.time);
  return slope * (window.parameters[0] ?? 0) + intercept;
};

function checkFactor(name: string, symbol: string, value: number): void {
  if (value > 0 && value < 1) return;
  // NaN passes in Prometheus too: it is neither.
  if (Number.isNaN(value)) return;
  throw new ExecutionError(`invalid ${name} factor. Expected: 0 < ${symbol} < 1, got: ${value.toFixed(6)}`);
}

const smoothing: WindowFunction = ({ values, from, to, parameters: [smooth = 0, trend = 0] }) => {
  checkFactor('smoothing', 'sf', smooth);
  checkFactor('trend', 'tf', trend);
  if (to - from < 2) return undefined;
  let before = 0;
  let level = values[from] ?? 0;
  let slope = (values[from + 1] ?? 0) - level;
  for (let at = from + 1; at < to; at++) {
    const raw = smooth * (values[at] ?? 0);
    if (at > from + 1) slope = trend * (level - before) + (1 - trend) * slope;
    const smoothed = (1 - smooth) * (level + slope);
    before = level;
    level = raw + smoothed;
  }
  return level;
};

function medianDeviation({ values, from, to }: Window): number {
  const sorted = values.slice(from, to);
  if (sorted.some(Number.isNaN)) return Number.NaN;
  const median = quantileOf(0.5, sorted);
  for (let at = 0; at < sorted.length; at++) sorted[at] = Math.abs((sorted[at] ?? 0) - median);
  return quantileOf(0.5, sorted);
}

/** How often a sample differs from the one before it in the given way. */
function pairs(counts: (value: number, before: number) => boolean): WindowFunction {
  return ({ values, from, to }) => {
    let count = 0;
    for (let at = from + 1; at < to; at++) if (counts(values[at] ?? 0, values[at - 1] ?? 0)) count++;
    return count;
  };
}

/** By name. Those with scalar arguments find them in `parameters`, in the order of the call. */
export const windowFunctions: ReadonlyMap<string, WindowFunction> = new Map<string, WindowFunction>([
  ['rate', extrapolated(true, true)],
  ['increase', extrapolated(true, false)],
  ['delta', extrapolated(false, false)],
  ['irate', instantaneous(true)],
  ['idelta', instantaneous(false)],
  ['deriv', derivative],
  ['predict_linear', prediction],
  ['double_exponential_smoothing', smoothing],
  ['avg_over_time', average],
  ['sum_over_time', sum],
  ['count_over_time', ({ from, to }) => to - from],
  ['min_over_time', (window) => window.values[least(window)]],
  ['max_over_time', (window) => window.values[greatest(window)]],
  ['first_over_time', ({ values, from }) => values[from]],
  ['last_over_time', ({ values, to }) => values[to - 1]],
  ['present_over_time', () => 1],
  ['absent_over_time', () => 1],
  ['stddev_over_time', (window) => Math.sqrt(variance(window))],
  ['stdvar_over_time', variance],
  ['mad_over_time', medianDeviation],
  [
    'quantile_over_time',
    ({ values, from, to, parameters }) => quantileOf(parameters[0] ?? Number.NaN, values.slice(from, to)),
  ],
  ['ts_of_min_over_time', (window) => seconds(window.times, lastLeast(window))],
  ['ts_of_max_over_time', (window) => seconds(window.times, lastGreatest(window))],
  ['ts_of_first_over_time', ({ times, from }) => seconds(times, from)],
  ['ts_of_last_over_time', ({ times, to }) => seconds(times, to - 1)],
  ['changes', pairs((value, before) => value !== before && !(Number.isNaN(value) && Number.isNaN(before)))],
  ['resets', pairs((value, before) => value < before)],
]);

/** The name of a metric stays with these: they choose a sample and do not change it. */
export function keepsName(name: string): boolean {
  return name === 'last_over_time' || name === 'first_over_time';
}
