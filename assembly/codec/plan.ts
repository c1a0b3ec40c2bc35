/**
 * How a sequence of integers is packed: the window [frame, frame + 2^width) that most of them fall into, and the ones
 * outside ("patches"), whose upper bits are listed apart (after PFOR, Zukowski et al., ICDE 2006).
 *
 * Steps:
 *  1. the distances to the median of a few items: the range they span, the bits of the longest
 *  2. the threshold (bits of a distance) with the least bytes, patches included
 *  3. the items within the threshold give the real window, often a bit narrower
 *  4. the frame in as few bytes as it takes, then count the patches, if anything is outside.
 */
import { laneBytes, MAX_WIDTH } from './layout';
import { fillersBetween } from './skips';

/** How the frame is stored. */
export const enum Frame {
  /** It is 0. */
  None = 0,
  /** i16, shifted left by `frameShift(width)`. */
  Short = 1,
  /** i64. */
  Long = 2,
}

@unmanaged
export class Plan {
  /** Bits of an item; -1: the items cannot be packed. */
  width: i32;
  /** A `Frame`. */
  frameKind: i32;
  frame: i64;
  /** Entries of the patch list, and bytes of one patch's upper bits, 1..8. */
  patches: i32;
  patchBytes: i32;
  /** Least and greatest distance to the centre of the items within the threshold. */
  low: i64;
  high: i64;
}

/** Most entries of the patch list. */
export const MAX_PATCHES: i32 = 63;
/** Entries kept free for fillers between patches that are more than 255 bins apart. */
const FILLERS: i32 = 2;
/** Bytes of a plan that is impossible. */
export const IMPOSSIBLE: i32 = 1 << 20;

const LENGTHS: usize = memory.data(66 * 4, 8);
/** Lengths next to the longest that are looked at first, BATCH at a time. */
const NEAR: i32 = 8;
const BATCH: i32 = 4;
/** Items longer than each of a batch of lengths, the longest first, from the second place on (i32). */
const LONGER: usize = memory.data((4 + 1) * 4, 8);
const MEDIAN_OF: i32 = 7;
const SAMPLE: usize = memory.data(56, 8);
/** Items that `mayTakeLess` looks at. */
const JUDGED: i32 = 32;

/** A short frame is a multiple of 2^shift: at most 1/128 of the window is lost. */
export function frameShift(width: i32): i32 {
  return max(0, width - 8);
}

/** Bytes of a stored frame. */
export function frameBytes(kind: i32): i32 {
  return kind == Frame.None ? 0 : kind == Frame.Short ? 2 : 8;
}

/** Bits of `v` as a signed integer, without a bit for zero: 0 -> 0, -1 -> 1, 1 -> 2. */
function signedBits(v: i64): i32 {
  return 64 - <i32>clz<u64>((<u64>v << 1) ^ <u64>(v >> 63));
}

function median(source: usize, count: i32): i64 {
  for (let s = 0; s < MEDIAN_OF; s++) {
    const v = load<i64>(source + (<usize>((2 * s + 1) * count / (2 * MEDIAN_OF)) << 3));
    let at = SAMPLE + (<usize>s << 3);
    for (; at > SAMPLE && load<i64>(at - 8) > v; at -= 8) store<i64>(at, load<i64>(at - 8));
    store<i64>(at, v);
  }
  return load<i64>(SAMPLE, (MEDIAN_OF >> 1) * 8);
}

/** A signed distance as an unsigned number that grows with its size: 0, -1, 1, -2 -> 0, 1, 2, 3; two at a time. */
function zigzagPair(z: v128): v128 {
  return v128.xor(i64x2.add(z, z), i64x2.lt_s(z, i64x2.splat(0)));
}

function leastPair(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, i64x2.lt_s(a, b));
}

function greatestPair(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, i64x2.gt_s(a, b));
}

/** Step 1: `low` and `high` of all items; returns the greatest length. */
function measureDistances(source: usize, count: i32, centre: i64, plan: Plan): i32 {
  const centres = i64x2.splat(centre);
  const end = source + (<usize>count << 3);
  let lows = i64x2.sub(v128.load64_splat(source), centres);
  let highs = lows;
  let all = zigzagPair(lows);
  for (; source + 16 <= end; source += 16) {
    const z = i64x2.sub(v128.load(source), centres);
    all = v128.or(all, zigzagPair(z));
    lows = leastPair(z, lows);
    highs = greatestPair(z, highs);
  }
  if (source < end) {
    const z = i64x2.sub(v128.load64_splat(source), centres);
    all = v128.or(all, zigzagPair(z));
    lows = leastPair(z, lows);
    highs = greatestPair(z, highs);
  }
  plan.low = min(i64x2.extract_lane(lows, 0), i64x2.extract_lane(lows, 1));
  plan.high = max(i64x2.extract_lane(highs, 0), i64x2.extract_lane(highs, 1));
  return 64 - <i32>clz<u64>(i64x2.extract_lane(all, 0) | i64x2.extract_lane(all, 1));
}

/** The greatest zigzag of `length` bits, at most 63. */
function limitPair(length: i32): v128 {
  return i64x2.splat((<i64>1 << max(0, length)) - 1);
}

/** Fills LONGER with the items longer than top - 1 .. top - 4; no item has more than 63 bits. */
function countLonger(source: usize, count: i32, centre: i64, top: i32): void {
  const centres = i64x2.splat(centre);
  const limit1 = limitPair(top - 1);
  const limit2 = limitPair(top - 2);
  const limit3 = limitPair(top - 3);
  const limit4 = limitPair(top - 4);
  let longer1 = i64x2.splat(0);
  let longer2 = longer1;
  let longer3 = longer1;
  let longer4 = longer1;
  const end = source + (<usize>count << 3);
  for (; source + 16 <= end; source += 16) {
    const length = zigzagPair(i64x2.sub(v128.load(source), centres));
    longer1 = i64x2.sub(longer1, i64x2.gt_s(length, limit1));
    longer2 = i64x2.sub(longer2, i64x2.gt_s(length, limit2));
    longer3 = i64x2.sub(longer3, i64x2.gt_s(length, limit3));
    longer4 = i64x2.sub(longer4, i64x2.gt_s(length, limit4));
  }
  store<i32>(LONGER, sumPair(longer1), 4);
  store<i32>(LONGER, sumPair(longer2), 8);
  store<i32>(LONGER, sumPair(longer3), 12);
  store<i32>(LONGER, sumPair(longer4), 16);
  if (source == end) return;
  const bits = signedBits(load<i64>(source) - centre);
  for (let d = 1; d <= BATCH; d++) {
    const slot = LONGER + (d << 2);
    store<i32>(slot, load<i32>(slot) + <i32>(bits > top - d));
  }
}

function sumPair(v: v128): i32 {
  return <i32>(i64x2.extract_lane(v, 0) + i64x2.extract_lane(v, 1));
}

/** Fills LENGTHS: the items of each length. */
function countLengths(source: usize, count: i32, centre: i64): void {
  memory.fill(LENGTHS, 0, 65 * 4);
  const end = source + (<usize>count << 3);
  for (; source < end; source += 8) {
    const slot = LENGTHS + ((<usize>signedBits(load<i64>(source) - centre)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
}

/** Step 2. Returns -1 if no threshold will do. */
function bestThreshold(source: usize, count: i32, centre: i64, longest: i32): i32 {
  let best = -1;
  let bestBytes = IMPOSSIBLE;
  let outside = 0;
  // Most blocks are decided by the longest few lengths, which are counted without a table.
  const near = longest < 64 ? NEAR : 0;
  for (let t = longest, d = 0; t >= 0; t--, d++) {
    if (d > near) {
      if (d == near + 1) countLengths(source, count, centre);
      outside += load<u32>(LENGTHS + (<usize>(t + 1) << 2));
    } else if (d > 0) {
      const place = (d - 1) % BATCH + 1;
      if (place == 1) countLonger(source, count, centre, t + 1);
      outside = load<i32>(LONGER + (place << 2));
    }
    if (outside > MAX_PATCHES - FILLERS) break;
    if (t <= MAX_WIDTH + 1) {
      const bytes = 2 * laneBytes(count, t) + outside * (1 + max(1, (longest - t + 7) >> 3));
      if (bytes < bestBytes) {
        bestBytes = bytes;
        best = t;
      }
    }
  }
  return best;
}

/** Step 3, where some items are outside: `low` and `high` of those within. */
function shrinkWindow(source: usize, count: i32, centre: i64, threshold: i32, plan: Plan): void {
  // Distances are compared after a move that makes the window [-2^63, -2^63 + 2^threshold).
  const reach: i64 = threshold == 0 ? 0 : (<i64>1) << (threshold - 1);
  const moves = i64x2.splat(reach - centre + i64.MIN_VALUE);
  const limit = i64x2.splat(i64.MIN_VALUE + ((<i64>1) << threshold));
  let lows = i64x2.splat(i64.MAX_VALUE);
  let highs = i64x2.splat(i64.MIN_VALUE);
  const end = source + (<usize>count << 3);
  for (; source < end; source += 16) {
    const moved = i64x2.add(source + 16 <= end ? v128.load(source) : v128.load64_splat(source), moves);
    const inside = i64x2.lt_s(moved, limit);
    lows = v128.bitselect(moved, lows, v128.and(inside, i64x2.lt_s(moved, lows)));
    highs = v128.bitselect(moved, highs, v128.and(inside, i64x2.gt_s(moved, highs)));
  }
  plan.low = min(i64x2.extract_lane(lows, 0), i64x2.extract_lane(lows, 1)) - reach - i64.MIN_VALUE;
  plan.high = max(i64x2.extract_lane(highs, 0), i64x2.extract_lane(highs, 1)) - reach - i64.MIN_VALUE;
}

/** Step 4, second half: counts list entries, and the bytes that the upper bits take. */
function countPatches(source: usize, count: i32, plan: Plan): void {
  const width = plan.width;
  const frame = plan.frame;
  const frames = i64x2.splat(frame);
  const end = source + (<usize>count << 3);
  let entries = 0;
  let before = 0;
  let spread: i64 = 0;
  for (let pair = source; pair < end; pair += 16) {
    if (!v128.any_true(i64x2.shr_u(i64x2.sub(v128.load(pair), frames), width))) continue;
    for (let at = pair; at < min(pair + 16, end); at += 8) {
      const upper = (load<i64>(at) - frame) >> width;
      if (upper == 0) continue;
      const i = <i32>((at - source) >> 3);
      entries += 1 + fillersBetween(before, i);
      before = i;
      spread |= upper ^ (upper >> 63);
    }
  }
  plan.patches = entries;
  plan.patchBytes = entries == 0 ? 1 : max(1, (signedBits(spread) + 7) >> 3);
}

/**
 * Plans the `count` i64 items at `source`; the result is in `plan`.
 * @returns bytes that the items take packed (lanes, frame and patches), or IMPOSSIBLE.
 */
export function planIntegers(source: usize, count: i32, plan: Plan): i32 {
  plan.width = -1;
  const centre = median(source, count);
  const longest = measureDistances(source, count, centre, plan);
  const threshold = bestThreshold(source, count, centre, longest);
  if (threshold < 0) return IMPOSSIBLE;
  if (threshold < longest) shrinkWindow(source, count, centre, threshold, plan);
  const width = 64 - <i32>clz<u64>(<u64>(plan.high - plan.low));
  if (width > MAX_WIDTH) return IMPOSSIBLE;
  const first = plan.low + centre;
  const last = plan.high + centre;

  let frame = first;
  let kind: i32 = Frame.Long;
  const limit: u64 = (<u64>1) << width;
  const shift = frameShift(width);
  const short = first >> shift;
  if (first >= 0 && <u64>last < limit) {
    frame = 0;
    kind = Frame.None;
  } else if (short == <i64>(<i16>short) && <u64>(last - (short << shift)) < limit) {
    frame = short << shift;
    kind = Frame.Short;
  }
  plan.width = width;
  plan.frame = frame;
  plan.frameKind = kind;
  plan.patches = 0;
  plan.patchBytes = 1;
  if (threshold < longest) countPatches(source, count, plan);
  if (plan.patches > MAX_PATCHES) {
    plan.width = -1;
    return IMPOSSIBLE;
  }
  return 2 * laneBytes(count, width) + frameBytes(kind) + plan.patches * (1 + plan.patchBytes);
}

/**
 * Whether a plan of the items might take less than `bytes`, judged by a few of them. With a quarter of the items outside of
 * a window one bit narrower than that, every narrower one costs more for patches than it saves.
 */
export function mayTakeLess(source: usize, count: i32, bytes: i32): bool {
  const bits = (bytes << 3) / count - 1;
  const centre = median(source, count);
  let outside = 0;
  for (let s = 0; s < JUDGED; s++) {
    outside += <i32>(signedBits(load<i64>(source + (<usize>((s * count) / JUDGED) << 3)) - centre) > bits);
  }
  return outside < JUDGED / 4;
}
