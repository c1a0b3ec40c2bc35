/** Quantiles of samples, with interpolation between two of them. Only these two are looked for: to sort all takes several times as long. */

/** -0 comes before 0, as typed arrays sort them; of equal zeros the reciprocals say which is which. */
function isBefore(a: number, b: number): boolean {
  return a < b || (a === b && 1 / a < 1 / b);
}

function swap(values: Float64Array, a: number, b: number): void {
  const value = values[a] as number;
  values[a] = values[b] as number;
  values[b] = value;
}

/** Brings NaNs to the front. @returns how many there are. */
function gatherNaNs(values: Float64Array): number {
  let count = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (Number.isNaN(value)) swap(values, at, count++);
  }
  return count;
}

/** Fewer values are sorted by insertion. */
const FEW = 12;

/** Sorts [from, to): few values, none NaN. */
function sortFew(values: Float64Array, from: number, to: number): void {
  for (let next = from + 1; next < to; next++) {
    const value = values[next] as number;
    let at = next;
    for (; at > from && isBefore(value, values[at - 1] as number); at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
}

/** The one in the middle of the first, the middle and the last value of [from, to). */
function middleOf(values: Float64Array, from: number, to: number): number {
  const a = values[from] as number;
  const b = values[(from + to) >> 1] as number;
  const c = values[to - 1] as number;
  if (isBefore(a, b)) return isBefore(b, c) ? b : isBefore(a, c) ? c : a;
  return isBefore(a, c) ? a : isBefore(b, c) ? c : b;
}

/**
 * Hoare's selection in [from, length), which has no NaN: afterwards the value at `rank` is the one that sorting would bring there, none before
 * it is greater and none behind it is less. What is left is sorted where values lie so badly that it would take long.
 */
function select(values: Float64Array, from: number, rank: number): void {
  let [low, high] = [from, values.length];
  for (let rounds = 2 * Math.log2(values.length); high - low > FEW; rounds--) {
    if (rounds < 0) {
      values.subarray(low, high).sort();
      return;
    }
    const pivot = middleOf(values, low, high);
    let [left, right] = [low, high - 1];
    while (left <= right) {
      while (isBefore(values[left] as number, pivot)) left++;
      while (isBefore(pivot, values[right] as number)) right--;
      if (left <= right) swap(values, left++, right--);
    }
    if (rank <= right) high = right + 1;
    else if (rank >= left) low = left;
    else return;
  }
  sortFew(values, low, high);
}

/** The least of [from, length), which is not empty and has no NaN. */
function leastFrom(values: Float64Array, from: number): number {
  let least = values[from] as number;
  for (let at = from + 1; at < values.length; at++) {
    const value = values[at] as number;
    if (isBefore(value, least)) least = value;
  }
  return least;
}

/**
 * The quantile of values, whose order is changed. NaN is less than all others.
 * @param quantile below 0 and above 1 it is -Inf and +Inf; NaN of none.
 */
export function quantileOf(quantile: number, values: Float64Array): number {
  const { length } = values;
  if (length === 0 || Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const rank = quantile * (length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const missing = gatherNaNs(values);
  if (lower < missing) return Number.NaN;
  select(values, missing, lower);
  const weight = rank - Math.floor(rank);
  const below = values[lower] as number;
  const above = lower + 1 < length ? leastFrom(values, lower + 1) : below;
  return below * (1 - weight) + above * weight;
}
