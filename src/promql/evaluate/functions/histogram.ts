/**
 * Classic histograms: series that count what is at most `le`. Quantiles and fractions assume that observations are spread
 * evenly within a bucket.
 */

/** Observations up to a bound. */
export interface Bucket {
  readonly bound: number;
  readonly count: number;
}

/** The value of a label `le`, or undefined when it is no number. */
export function parseBound(text: string): number | undefined {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** By rising bound, those of one bound joined. Undefined unless the last bound is infinite. */
function ordered(buckets: readonly Bucket[]): Bucket[] | undefined {
  const sorted = [...buckets].sort((a, b) => (a.bound < b.bound ? -1 : a.bound > b.bound ? 1 : 0));
  if (sorted.at(-1)?.bound !== Number.POSITIVE_INFINITY) return undefined;
  const joined: Bucket[] = [];
  for (const bucket of sorted) {
    const last = joined.at(-1);
    if (last?.bound === bucket.bound) joined[joined.length - 1] = { ...last, count: last.count + bucket.count };
    else joined.push(bucket);
  }
  return joined;
}

/** Where counts had to be raised, as they fell with a rising bound. */
export interface Correction {
  readonly lowest: number;
  readonly highest: number;
  readonly difference: number;
}

/** Relative differences up to this come from rounding. */
const TOLERANCE = 1e-12;
const SMALLEST_NORMAL = 2 ** -1022;

function nearlyEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const magnitude = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || magnitude < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(magnitude, Number.MAX_VALUE) < TOLERANCE;
}

function monotonic(buckets: readonly Bucket[]): { buckets: Bucket[]; correction: Correction | undefined } {
  let correction: Correction | undefined;
  let before = buckets[0]?.count ?? 0;
  const corrected = buckets.map((bucket, index) => {
    const { bound, count } = bucket;
    if (index === 0 || count === before) return bucket;
    if (nearlyEqual(before, count)) return { bound, count: before };
    if (count < before) {
      correction = {
        lowest: Math.min(correction?.lowest ?? bound, bound),
        highest: Math.max(correction?.highest ?? bound, bound),
        difference: Math.max(correction?.difference ?? 0, before - count),
      };
      return { bound, count: before };
    }
    before = count;
    return bucket;
  });
  return { buckets: corrected, correction };
}

/** The value below which a fraction `quantile` of the observations lies. NaN where buckets are missing or empty. */
export function bucketQuantile(quantile: number, all: readonly Bucket[]): { value: number; correction?: Correction } {
  if (Number.isNaN(quantile)) return { value: Number.NaN };
  if (quantile < 0) return { value: Number.NEGATIVE_INFINITY };
  if (quantile > 1) return { value: Number.POSITIVE_INFINITY };
  const sorted = ordered(all);
  if (sorted === undefined) return { value: Number.NaN };
  const { buckets, correction } = monotonic(sorted);
  const found = { value: interpolatedQuantile(quantile, buckets) };
  return correction === undefined ? found : { ...found, correction };
}

function interpolatedQuantile(quantile: number, buckets: readonly Bucket[]): number {
  const observations = buckets.at(-1)?.count ?? 0;
  if (buckets.length < 2 || observations === 0) return Number.NaN;
  const rank = quantile * observations;
  // The first whose count reaches the rank; NaN reaches none.
  let at = buckets.slice(0, -1).findIndex(({ count }) => count >= rank);
  if (at < 0) at = buckets.length - 1;
  const { bound = 0, count = 0 } = buckets[at] ?? {};
  if (at === buckets.length - 1) return buckets[at - 1]?.bound ?? Number.NaN;
  if (at === 0 && bound <= 0) return bound;
  const { bound: start = 0, count: below = 0 } = buckets[at - 1] ?? {};
  return start + (bound - start) * ((rank - below) / (count - below));
}

/** The fraction of the observations that lies between two values. */
export function bucketFraction(lower: number, upper: number, all: readonly Bucket[]): number {
  const buckets = ordered(all);
  const total = buckets?.at(-1)?.count ?? 0;
  if (buckets === undefined || total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, total) - rankOf(lower, buckets, total)) / total;
}

/** How many observations lie below a value. */
function rankOf(value: number, buckets: readonly Bucket[], total: number): number {
  let rank = 0;
  let start = (buckets[0]?.bound ?? 0) <= 0 ? Number.NEGATIVE_INFINITY : 0;
  for (const { bound, count } of buckets) {
    if (start >= value) return Math.min(rank, total);
    if (bound > value) {
      if (start === Number.NEGATIVE_INFINITY) return Math.min(count, total);
      return Math.min(rank + ((count - rank) * (value - start)) / (bound - start), total);
    }
    rank = count;
    start = bound;
  }
  return total;
}
