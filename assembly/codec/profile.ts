/**
 * What a block's bins are like before they are encoded: gaps, statistics, runs in one pass; the most common value in two
 * more, when somebody asks.
 */
import { FILLED, GAP_BITS, GAP_BITS_SIZE } from './scratch';

/** Missing bins. */
export let gaps: i32 = 0;
/** Sum of the bins that are there, added in order of time. */
export let sum: f64 = 0;
export let least: f64 = NaN;
export let greatest: f64 = NaN;
/** Runs of bit-equal bins, gaps filled. */
export let runs: i32 = 0;
/** Result of `findCommon`: the bits of the value that more than half of the bins have, if there is one. */
export let common: u64 = 0;
/** Result of `findCommon`: how many bins of FILLED have it. */
export let commonCount: i32 = 0;

/**
 * Copies the bins at `values` to FILLED, gaps filled with the bin before (leading ones with the first bin), marks gaps in
 * GAP_BITS (if there are any) and sets the results above. With nothing but gaps only `gaps` is set.
 */
export function profileBins(values: usize, count: i32): void {
  if (!profileWhole(values, count)) profileScalar(values, count);
}

/** As `profileBins`, for bins without gaps; false if there is one. */
function profileWhole(values: usize, count: i32): bool {
  const first = load<f64>(values);
  store<f64>(FILLED, first);
  let from = values + 8;
  let to = FILLED + 8;
  const end = values + (<usize>count << 3);
  let missing = f64x2.ne(f64x2.splat(first), f64x2.splat(first));
  let lows = f64x2.splat(first);
  let highs = lows;
  let equal = i64x2.splat(0);
  // From 0, as the sum of -0 alone is 0.
  let total: f64 = 0 + first;
  for (; from + 16 <= end; from += 16, to += 16) {
    const v = v128.load(from);
    v128.store(to, v);
    missing = v128.or(missing, f64x2.ne(v, v));
    lows = f64x2.pmin(lows, v);
    highs = f64x2.pmax(highs, v);
    equal = i64x2.sub(equal, i64x2.eq(v, v128.load(from - 8)));
    total = total + f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  }
  if (from < end) {
    const v = v128.load64_splat(from);
    store<f64>(to, f64x2.extract_lane(v, 0));
    missing = v128.or(missing, f64x2.ne(v, v));
    lows = f64x2.pmin(lows, v);
    highs = f64x2.pmax(highs, v);
    equal = i64x2.replace_lane(equal, 0, i64x2.extract_lane(equal, 0) + <i64>(load<i64>(from) == load<i64>(from - 8)));
    total += f64x2.extract_lane(v, 0);
  }
  if (v128.any_true(missing)) return false;
  gaps = 0;
  sum = total;
  least = min(f64x2.extract_lane(lows, 0), f64x2.extract_lane(lows, 1));
  greatest = max(f64x2.extract_lane(highs, 0), f64x2.extract_lane(highs, 1));
  // Of 0 and -0 the first one counts, in whichever lane.
  if (least == 0) least = firstZero();
  if (greatest == 0) greatest = firstZero();
  runs = count - <i32>(i64x2.extract_lane(equal, 0) + i64x2.extract_lane(equal, 1));
  return true;
}

/** The first bin that is 0 or -0; there is one. */
function firstZero(): f64 {
  let at = FILLED;
  while (load<f64>(at) != 0) at += 8;
  return load<f64>(at);
}

/** The scalar twin of `profileWhole`, for bins with gaps and without. */
export function profileScalar(values: usize, count: i32): void {
  memory.fill(GAP_BITS, 0, GAP_BITS_SIZE);
  gaps = 0;
  let first = 0;
  while (first < count && isNaN(load<f64>(values + (<usize>first << 3)))) first++;
  if (first == count) {
    gaps = count;
    return;
  }
  let before = load<f64>(values + (<usize>first << 3));
  let total: f64 = 0;
  let low = before;
  let high = before;
  let changes = 1;
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 3;
    const v = load<f64>(values + at);
    if (isNaN(v)) {
      gaps++;
      const byte = GAP_BITS + (i >> 3);
      store<u8>(byte, <i32>load<u8>(byte) | (1 << (i & 7)));
    } else {
      total += v;
      if (v < low) low = v;
      if (v > high) high = v;
      changes += <i32>(reinterpret<u64>(v) != reinterpret<u64>(before));
      before = v;
    }
    store<f64>(FILLED + at, before);
  }
  sum = total;
  least = low;
  greatest = high;
  runs = changes;
}

/** Finds the most common of the profiled bins. */
export function findCommon(count: i32): void {
  // Where no neighbours are equal, no value has more than half of the bins (of an odd number perhaps one more).
  if (runs == count) {
    common = load<u64>(FILLED);
    commonCount = 1;
    return;
  }
  // Boyer-Moore majority vote.
  let candidate: u64 = 0;
  let votes = 0;
  const end = FILLED + (<usize>count << 3);
  for (let at = FILLED; at < end; at += 8) {
    const bits = load<u64>(at);
    if (votes == 0) candidate = bits;
    votes += bits == candidate ? 1 : -1;
  }
  common = candidate;
  commonCount = 0;
  for (let at = FILLED; at < end; at += 8) commonCount += <i32>(load<u64>(at) == candidate);
}
