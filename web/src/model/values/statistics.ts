/** Statistics over values of which some are missing (NaN). */

/** The values that are there, ascending. */
export function sortedValues(values: Iterable<number>): Float64Array {
  return Float64Array.from(Array.from(values).filter((value) => !Number.isNaN(value))).sort();
}

/** Interpolated between neighbours. @param share 0..1. NaN: there are no values. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = Math.min(Math.max(share, 0), 1) * (sorted.length - 1);
  const low = Math.floor(at);
  const [below = Number.NaN, above = below] = [sorted[low], sorted[low + 1]];
  return at === low ? below : below + (above - below) * (at - low);
}

/** Mean of the values that are there; NaN: there are none. */
export function mean(values: Iterable<number>): number {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}

export interface Histogram {
  from: number;
  to: number;
  counts: readonly number[];
  /** Values below `from` and above `to`. */
  below: number;
  above: number;
}

/** How the values lie between two limits; those outside are counted apart. */
export function histogramOf(values: Iterable<number>, from: number, to: number, bars: number): Histogram {
  const counts = new Array<number>(bars).fill(0);
  let [below, above] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value < from) below++;
    else if (value > to) above++;
    else {
      const bar = Math.min(bars - 1, Math.floor(((value - from) / (to - from || 1)) * bars));
      counts[bar] = (counts[bar] ?? 0) + 1;
    }
  }
  return { from, to, counts, below, above };
}

/** Median absolute deviation from the median, as wide as a standard deviation where values are distributed normally. */
export function deviation(sorted: ArrayLike<number>): number {
  const middle = quantile(sorted, 0.5);
  return 1.4826 * quantile(sortedValues(Array.from(sorted, (value) => Math.abs(value - middle))), 0.5);
}
