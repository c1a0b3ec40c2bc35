/**
 * How a sequence of integers is packed: the window [frame, frame + 2^width) that most of them fall into, and the ones
 * outside ("patches"), whose upper bits are listed apart (after PFOR, Zukowski et al., ICDE 2006).
 *
 * Steps:
 *  1. histogram of the bit lengths of the distances to the median of a few items
 *  2. the threshold with the least bytes, patches included
 *  3. the items within the threshold give the real window, often a bit narrower
 *  4. the frame in as few bytes as it takes, then count the patches.
 */
import { laneBytes, MAX_WIDTH } from './layout';
import { fillersBetween } from './skips';

/** A plan in memory. Width -1: the items cannot be packed. */
const WIDTH: usize = 0;
const FRAME_KIND: usize = 4;
const FRAME: usize = 8;
const PATCHES: usize = 16;
const PATCH_BYTES: usize = 20;
export const PLAN_SIZE: i32 = 24;

/** How the frame is stored. */
export const enum Frame {
  /** It is 0. */
  None = 0,
  /** i16, shifted left by `frameShift(width)`. */
  Short = 1,
  /** i64. */
  Long = 2,
}

/** Most entries of the patch list. */
export const MAX_PATCHES: i32 = 63;
/** Entries kept free for fillers between patches that are more than 255 bins apart. */
const FILLERS: i32 = 2;
/** Bytes of a plan that is impossible. */
export const IMPOSSIBLE: i32 = 1 << 20;

const LENGTHS: usize = memory.data(65 * 4, 8);
const MEDIAN_OF: i32 = 7;
const SAMPLE: usize = memory.data(56, 8);

// @ts-ignore: decorator
@inline
export function planWidth(plan: usize): i32 {
  return load<i32>(plan, WIDTH);
}
// @ts-ignore: decorator
@inline
export function planFrame(plan: usize): i64 {
  return load<i64>(plan, FRAME);
}
// @ts-ignore: decorator
@inline
export function planFrameKind(plan: usize): i32 {
  return load<i32>(plan, FRAME_KIND);
}
// @ts-ignore: decorator
@inline
export function planPatches(plan: usize): i32 {
  return load<i32>(plan, PATCHES);
}
/** Bytes of one patch's upper bits, 1..8. */
// @ts-ignore: decorator
@inline
export function planPatchBytes(plan: usize): i32 {
  return load<i32>(plan, PATCH_BYTES);
}

/** A short frame is a multiple of 2^shift: at most 1/128 of the window is lost. */
// @ts-ignore: decorator
@inline
export function frameShift(width: i32): i32 {
  return max(0, width - 8);
}

/** Bytes of a stored frame. */
// @ts-ignore: decorator
@inline
export function frameBytes(kind: i32): i32 {
  return kind == Frame.None ? 0 : kind == Frame.Short ? 2 : 8;
}

/** Bits of `v` as a signed integer, without a bit for zero: 0 -> 0, -1 -> 1, 1 -> 2. */
// @ts-ignore: decorator
@inline
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

/** Step 1: fills LENGTHS; returns the greatest length. */
function countLengths(source: usize, count: i32, centre: i64): i32 {
  memory.fill(LENGTHS, 0, 65 * 4);
  const end = source + (<usize>count << 3);
  let all: u64 = 0;
  for (; source < end; source += 8) {
    const z = load<i64>(source) - centre;
    const zigzag = (<u64>z << 1) ^ <u64>(z >> 63);
    all |= zigzag;
    const slot = LENGTHS + ((<usize>clz<u64>(zigzag)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  return 64 - <i32>clz<u64>(all);
}

/** Step 2. Returns -1 if no threshold will do. */
function bestThreshold(count: i32, longest: i32): i32 {
  let best = -1;
  let bestBytes = IMPOSSIBLE;
  let outside = 0;
  for (let t = longest; t >= 0; t--) {
    if (outside > MAX_PATCHES - FILLERS) break;
    if (t <= MAX_WIDTH + 1) {
      const bytes = 2 * laneBytes(count, t) + outside * (1 + max(1, (longest - t + 7) >> 3));
      if (bytes < bestBytes) {
        bestBytes = bytes;
        best = t;
      }
    }
    outside += load<u32>(LENGTHS + (<usize>(64 - t) << 2));
  }
  return best;
}

/** Step 4, second half: counts list entries, and the bytes that the upper bits take. */
function countPatches(source: usize, count: i32, plan: usize): void {
  const width = planWidth(plan);
  const frame = planFrame(plan);
  let entries = 0;
  let before = 0;
  let spread: i64 = 0;
  for (let i = 0; i < count; i++) {
    const upper = (load<i64>(source + (<usize>i << 3)) - frame) >> width;
    if (upper == 0) continue;
    entries += 1 + fillersBetween(before, i);
    before = i;
    spread |= upper ^ (upper >> 63);
  }
  store<i32>(plan, entries, PATCHES);
  store<i32>(plan, entries == 0 ? 1 : max(1, (signedBits(spread) + 7) >> 3), PATCH_BYTES);
}

/**
 * Plans the `count` i64 items at `source`; the result is in the PLAN_SIZE bytes at `plan`.
 * @returns bytes that the items take packed (lanes, frame and patches), or IMPOSSIBLE.
 */
export function planIntegers(source: usize, count: i32, plan: usize): i32 {
  store<i32>(plan, -1, WIDTH);
  const centre = median(source, count);
  const threshold = bestThreshold(count, countLengths(source, count, centre));
  if (threshold < 0) return IMPOSSIBLE;

  let low = i64.MAX_VALUE;
  let high = i64.MIN_VALUE;
  const reach: i64 = threshold == 0 ? 0 : (<i64>1) << (threshold - 1);
  const window: u64 = (<u64>1) << threshold;
  for (let i = 0; i < count; i++) {
    const z = load<i64>(source + (<usize>i << 3)) - centre;
    if (<u64>(z + reach) >= window) continue;
    if (z < low) low = z;
    if (z > high) high = z;
  }
  const width = 64 - <i32>clz<u64>(<u64>(high - low));
  if (width > MAX_WIDTH) return IMPOSSIBLE;
  low += centre;
  high += centre;

  let frame = low;
  let kind: i32 = Frame.Long;
  const limit: u64 = (<u64>1) << width;
  const shift = frameShift(width);
  const short = low >> shift;
  if (low >= 0 && <u64>high < limit) {
    frame = 0;
    kind = Frame.None;
  } else if (short == <i64>(<i16>short) && <u64>(high - (short << shift)) < limit) {
    frame = short << shift;
    kind = Frame.Short;
  }
  store<i32>(plan, width, WIDTH);
  store<i64>(plan, frame, FRAME);
  store<i32>(plan, kind, FRAME_KIND);
  countPatches(source, count, plan);
  if (planPatches(plan) > MAX_PATCHES) {
    store<i32>(plan, -1, WIDTH);
    return IMPOSSIBLE;
  }
  return 2 * laneBytes(count, width) + frameBytes(kind) + planPatches(plan) * (1 + planPatchBytes(plan));
}
