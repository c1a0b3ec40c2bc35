/**
 * What a block's bins are like before they are encoded: gaps, statistics, runs in one pass; the most common value in two
 * more, when somebody asks.
 */
import { FILLED, GAP_BITS, GAP_BITS_SIZE } from './scratch';

@unmanaged
class Profile {
  /** Sum of the bins that are there, added in order of time. */
  sum: f64;
  least: f64;
  greatest: f64;
  /** Result of `findCommon`: the bits of the value that more than half of the bins have, if there is one. */
  common: u64;
  /** Result of `findCommon`: how many bins of FILLED have it. */
  commonCount: i32;
  /** Missing bins. */
  gaps: i32;
  /** Runs of bit-equal bins, gaps filled. */
  runs: i32;
}

/** Of the bins that were profiled last. */
export const profile = changetype<Profile>(memory.data(offsetof<Profile>(), 8));

/**
 * Copies the bins at `values` to FILLED, gaps filled with the bin before (leading ones with the first bin), marks gaps in
 * GAP_BITS (if there are any) and fills `profile`. With nothing but gaps only `gaps` is set.
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
  const least = min(f64x2.extract_lane(lows, 0), f64x2.extract_lane(lows, 1));
  const greatest = max(f64x2.extract_lane(highs, 0), f64x2.extract_lane(highs, 1));
  profile.gaps = 0;
  profile.sum = total;
  // Of 0 and -0 the first one counts, in whichever lane.
  profile.least = least == 0 ? firstZero() : least;
  profile.greatest = greatest == 0 ? firstZero() : greatest;
  profile.runs = count - <i32>(i64x2.extract_lane(equal, 0) + i64x2.extract_lane(equal, 1));
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
  let gaps = 0;
  let first = 0;
  while (first < count && isNaN(load<f64>(values + (<usize>first << 3)))) first++;
  if (first == count) {
    profile.gaps = count;
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
  profile.gaps = gaps;
  profile.sum = total;
  profile.least = low;
  profile.greatest = high;
  profile.runs = changes;
}

/** Finds the most common of the profiled bins. */
export function findCommon(count: i32): void {
  // Where no neighbours are equal, no value has more than half of the bins (of an odd number perhaps one more).
  if (profile.runs == count) {
    profile.common = load<u64>(FILLED);
    profile.commonCount = 1;
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
  let found = 0;
  for (let at = FILLED; at < end; at += 8) found += <i32>(load<u64>(at) == candidate);
  profile.common = candidate;
  profile.commonCount = found;
}
