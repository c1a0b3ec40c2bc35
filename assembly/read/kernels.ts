// Arithmetic over runs of samples (f64, NaN = no sample): two lanes at a time, four vectors in flight where a loop carries a sum.
//
// Addresses are bytes in linear memory and need no alignment; `n` is a number of samples, and nothing is read or written for n <= 0.
// Each routine has a scalar twin (suffix Scalar): the stated baseline, and what the tests compare with.

import { Statistics } from './statistics';

/** Bytes of one sample. */
const SAMPLE_SIZE: usize = 8;
/** Bytes of one vector of two samples. */
const VECTOR_SIZE: usize = 16;
/** Bytes of the four vectors that an unrolled loop handles at once. */
const GROUP_SIZE: usize = 64;

/** Multiplies `n` samples at `values` by `factor`, in place. */
export function scale(values: usize, n: i32, factor: f64): void {
  const end = values + sizeOf(n);
  const vectorEnd = end - (sizeOf(n) & (VECTOR_SIZE - 1));
  const factors = f64x2.splat(factor);
  for (; values < vectorEnd; values += VECTOR_SIZE) v128.store(values, f64x2.mul(v128.load(values), factors));
  if (values < end) store<f64>(values, load<f64>(values) * factor);
}

/** Scalar twin of `scale`. */
export function scaleScalar(values: usize, n: i32, factor: f64): void {
  const end = values + sizeOf(n);
  for (; values < end; values += SAMPLE_SIZE) store<f64>(values, load<f64>(values) * factor);
}

/**
 * Divides `n` samples at `values` by `divisor`, in place. Not `scale` by its reciprocal: that rounds twice, and an average of
 * three threes would not be three.
 */
export function divide(values: usize, n: i32, divisor: f64): void {
  const end = values + sizeOf(n);
  const vectorEnd = end - (sizeOf(n) & (VECTOR_SIZE - 1));
  const divisors = f64x2.splat(divisor);
  for (; values < vectorEnd; values += VECTOR_SIZE) v128.store(values, f64x2.div(v128.load(values), divisors));
  if (values < end) store<f64>(values, load<f64>(values) / divisor);
}

/** Scalar twin of `divide`. */
export function divideScalar(values: usize, n: i32, divisor: f64): void {
  const end = values + sizeOf(n);
  for (; values < end; values += SAMPLE_SIZE) store<f64>(values, load<f64>(values) / divisor);
}

/**
 * Count, sum, least and greatest of the samples among `n` at `values` that are not NaN.
 *
 * 1. A lane that equals itself is a sample: the comparison's mask (-1 or 0) counts it and lets it into the sum.
 * 2. pmin(m, v) is "v < m ? v : m", which NaN never wins: no mask needed.
 * 3. Lanes are added in a fixed order, so the same samples always give the same sum (which differs from the scalar twin's in its last bits).
 */
export function stats(values: usize, n: i32, result: Statistics): void {
  const end = values + sizeOf(n);
  const groupEnd = values + (sizeOf(n) & ~(GROUP_SIZE - 1));
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let counts = i64x2.splat(0);
  let low0 = f64x2.splat(Infinity);
  let low1 = low0;
  let high0 = f64x2.splat(-Infinity);
  let high1 = high0;
  for (; values < groupEnd; values += GROUP_SIZE) {
    const a = v128.load(values);
    const b = v128.load(values, 16);
    const c = v128.load(values, 32);
    const d = v128.load(values, 48);
    const isA = f64x2.eq(a, a);
    const isB = f64x2.eq(b, b);
    const isC = f64x2.eq(c, c);
    const isD = f64x2.eq(d, d);
    sum0 = f64x2.add(sum0, v128.and(a, isA));
    sum1 = f64x2.add(sum1, v128.and(b, isB));
    sum2 = f64x2.add(sum2, v128.and(c, isC));
    sum3 = f64x2.add(sum3, v128.and(d, isD));
    counts = i64x2.sub(counts, i64x2.add(i64x2.add(isA, isB), i64x2.add(isC, isD)));
    low0 = f64x2.pmin(f64x2.pmin(low0, a), b);
    low1 = f64x2.pmin(f64x2.pmin(low1, c), d);
    high0 = f64x2.pmax(f64x2.pmax(high0, a), b);
    high1 = f64x2.pmax(f64x2.pmax(high1, c), d);
  }
  const sums = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
  const lows = f64x2.pmin(low0, low1);
  const highs = f64x2.pmax(high0, high1);
  let count = <i32>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  let low = min(f64x2.extract_lane(lows, 0), f64x2.extract_lane(lows, 1));
  let high = max(f64x2.extract_lane(highs, 0), f64x2.extract_lane(highs, 1));
  for (; values < end; values += SAMPLE_SIZE) {
    const value = load<f64>(values);
    if (value != value) continue;
    count++;
    sum += value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  result.set(count, sum, low, high);
}

/** Scalar twin of `stats`. */
export function statsScalar(values: usize, n: i32, result: Statistics): void {
  const end = values + sizeOf(n);
  let count = 0;
  let sum: f64 = 0;
  let low = Infinity;
  let high = -Infinity;
  for (; values < end; values += SAMPLE_SIZE) {
    const value = load<f64>(values);
    if (value != value) continue;
    count++;
    sum += value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  result.set(count, sum, low, high);
}

/** Bytes of `n` samples; 0 for a negative number. */
function sizeOf(n: i32): usize {
  return <usize>max(n, 0) * SAMPLE_SIZE;
}
