/**
 * The codec of doubles that jump among a few magnitudes: upper bits by dictionary, lower bits as they are. After ALP-rd
 * (Afroozeh, Kuffó, Boncz, SIGMOD 2024), with more dictionary entries and a freer cut: quotients of small counts and a
 * jittering elapsed time share more than sign, exponent and a few bits.
 *
 * ```
 *  a:  cut, lower bits kept as they are (32..56)
 *  b:  code bits (0..5):3 | dictionary entries - 1:5 | exceptions:6
 *  body: │ lanes of lower bits │ lanes of codes │ dictionary u32.. │ skips u8.. │ upper bits u32.. │
 * ```
 */
import { Block, halfOf, laneBytes, laneOffset } from './layout';
import { packLanes, unpackLanes } from './pack';
import { IMPOSSIBLE, MAX_PATCHES } from './plan';
import { CODE_LANES, CODES, FILLED, LANES } from './scratch';
import { Convert, writeFrame } from './sink';
import { checkSkips, fillersBetween, MAX_SKIP } from './skips';

/** With 32 lower bits or more the upper bits fit an u32. */
const MIN_CUT: i32 = 32;
const MAX_CUT: i32 = 56;
const CUT_STEP: i32 = 4;
const MAX_CODE_BITS: i32 = 5;
const ENTRIES_SHIFT: i32 = 3;
const ENTRIES_MASK: i32 = 31;
const EXCEPTIONS_SHIFT: i32 = 8;
const EXCEPTIONS_MASK: i32 = 63;
const EXCEPTION_SIZE: i32 = 5;
const FILLERS: i32 = 2;

/** More distinct upper bits than this are not worth a dictionary. */
const MAX_DISTINCT: i32 = 64;
/** Hash table of distinct upper bits: u32 key, u16 occurrences (0 = free), u16 rank. */
const SLOT_BITS: i32 = 8;
const SLOT_SIZE: i32 = 8;
const SLOTS_SIZE: i32 = SLOT_SIZE << SLOT_BITS;
const SLOTS: usize = memory.data(2048, 8);
/** Addresses of the used slots, after `rankUppers` by falling occurrences (u32). */
const RANKED: usize = memory.data(65 * 4, 8);
/** The dictionary while decoding, shifted into place (u64). */
const UPPERS: usize = memory.data(32 * 8, 16);

@unmanaged
class SplitPlan {
  /** Distinct upper bits at the cut that was counted last. */
  distinct: i32;
  /** The best cut so far, the bits of its codes and the bytes of its body. */
  cut: i32;
  codeBits: i32;
  size: i32;
}

const plan = changetype<SplitPlan>(memory.data(offsetof<SplitPlan>(), 8));

function upperAt(i: i32, at: i32): u32 {
  return <u32>(load<u64>(FILLED + (<usize>i << 3)) >> at);
}

/** The slot of `upper`, perhaps a free one. */
function slotOf(upper: u32): usize {
  let at: usize = ((upper * 0x9e3779b1) >> (32 - SLOT_BITS)) * SLOT_SIZE;
  while (load<u16>(SLOTS + at, 4) != 0 && load<u32>(SLOTS + at) != upper) at = (at + SLOT_SIZE) & (SLOTS_SIZE - 1);
  return SLOTS + at;
}

/** Counts the distinct upper bits above `at`; false if there are too many. */
function countUppers(count: i32, at: i32): bool {
  memory.fill(SLOTS, 0, SLOTS_SIZE);
  plan.distinct = 0;
  for (let i = 0; i < count; i++) {
    const upper = upperAt(i, at);
    const slot = slotOf(upper);
    const occurrences = load<u16>(slot, 4);
    if (occurrences == 0) {
      if (plan.distinct == MAX_DISTINCT) return false;
      store<u32>(slot, upper);
      store<u32>(RANKED + (plan.distinct++ << 2), <u32>slot);
    }
    store<u16>(slot, occurrences + 1, 4);
  }
  return true;
}

function rankUppers(): void {
  for (let r = 1; r < plan.distinct; r++) {
    const slot = load<u32>(RANKED + (r << 2));
    let to = r;
    for (; to > 0 && load<u16>(load<u32>(RANKED + ((to - 1) << 2)), 4) < load<u16>(slot, 4); to--) {
      store<u32>(RANKED + (to << 2), load<u32>(RANKED + ((to - 1) << 2)));
    }
    store<u32>(RANKED + (to << 2), slot);
  }
  for (let r = 0; r < plan.distinct; r++) store<u16>(load<u32>(RANKED + (r << 2)), r, 6);
}

function entriesFor(bits: i32): i32 {
  return min(1 << bits, plan.distinct);
}

/** Tries one cut and keeps it if it is the best so far. */
function tryCut(count: i32, at: i32): void {
  if (!countUppers(count, at)) return;
  rankUppers();
  let outside = count;
  let rank = 0;
  for (let bits = 0; bits <= MAX_CODE_BITS; bits++) {
    const entries = entriesFor(bits);
    for (; rank < entries; rank++) outside -= load<u16>(load<u32>(RANKED + (rank << 2)), 4);
    if (outside > MAX_PATCHES - FILLERS || (bits > 0 && entries <= 1 << (bits - 1))) continue;
    const bytes = 2 * laneBytes(count, at) + 2 * laneBytes(count, bits) + 4 * entries + outside * EXCEPTION_SIZE;
    if (bytes >= plan.size) continue;
    plan.size = bytes;
    plan.cut = at;
    plan.codeBits = bits;
  }
}

/** Plans the bins of FILLED; the plan lasts until the next one. Returns bytes of the body or IMPOSSIBLE. */
export function planSplit(count: i32): i32 {
  plan.size = IMPOSSIBLE;
  for (let at = MIN_CUT; at <= MAX_CUT; at += CUT_STEP) tryCut(count, at);
  if (plan.size == IMPOSSIBLE) return plan.size;
  for (let step = CUT_STEP >> 1; step > 0; step >>= 1) {
    const middle = plan.cut;
    if (middle - step >= MIN_CUT) tryCut(count, middle - step);
    if (middle + step <= MAX_CUT) tryCut(count, middle + step);
  }
  return plan.size;
}

/** Writes `a` and `b` of the planned block to its header and the body to `out`; returns the body's end. */
export function writeSplit(block: Block, count: i32, out: usize): usize {
  countUppers(count, plan.cut);
  rankUppers();
  const entries = entriesFor(plan.codeBits);
  let exceptions = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const rank = <i32>load<u16>(slotOf(upperAt(i, plan.cut)), 6);
    const known = rank < entries;
    store<u64>(CODES + (<usize>i << 3), known ? rank : 0);
    if (known) continue;
    exceptions += 1 + fillersBetween(before, i);
    before = i;
  }
  block.a = <u8>plan.cut;
  block.b = <u16>(plan.codeBits | ((entries - 1) << ENTRIES_SHIFT) | (exceptions << EXCEPTIONS_SHIFT));

  out = packLanes(FILLED, count, plan.cut, 0, out);
  if (plan.codeBits > 0) out = packLanes(CODES, count, plan.codeBits, 0, out);
  for (let r = 0; r < entries; r++, out += 4) store<u32>(out, load<u32>(load<u32>(RANKED + (r << 2))));
  let uppers = out + exceptions;
  before = 0;
  for (let i = 0; i < count; i++) {
    if (<i32>load<u16>(slotOf(upperAt(i, plan.cut)), 6) < entries) continue;
    for (let f = fillersBetween(before, i); f > 0; f--, uppers += 4) {
      before += MAX_SKIP;
      store<u8>(out++, MAX_SKIP);
      store<u32>(uppers, upperAt(before, plan.cut));
    }
    store<u8>(out++, i - before);
    store<u32>(uppers, upperAt(i, plan.cut));
    uppers += 4;
    before = i;
  }
  return uppers;
}

/** Writes the bins of the block, gaps still filled, to `dst`. */
export function decodeSplit(block: Block, body: usize, dst: usize): void {
  const count = block.count;
  const half = halfOf(count);
  const at = <i32>block.a;
  const b = <i32>block.b;
  const bits = b & ((1 << ENTRIES_SHIFT) - 1);
  const entries = ((b >> ENTRIES_SHIFT) & ENTRIES_MASK) + 1;
  const exceptions = b >> EXCEPTIONS_SHIFT;

  const codes = body + 2 * laneBytes(count, at);
  let tail = codes + 2 * laneBytes(count, bits);
  unpackLanes(body, count, at, LANES);
  unpackLanes(codes, count, bits, CODE_LANES);
  for (let e = 0; e < entries; e++, tail += 4) store<u64>(UPPERS + (e << 3), <u64>load<u32>(tail) << at);
  for (let i = 0; i < half; i++) {
    const pair = <usize>i << 4;
    const first = v128.load_zero<u64>(UPPERS + (<usize>load<u64>(CODE_LANES + pair) << 3));
    const uppers = v128.load_lane<u64>(UPPERS + (<usize>load<u64>(CODE_LANES + pair, 8) << 3), first, 1);
    v128.store(LANES + pair, v128.or(v128.load(LANES + pair), uppers));
  }
  const mask: u64 = ((<u64>1) << at) - 1;
  const values = tail + exceptions;
  let bin = 0;
  for (let e = 0; e < exceptions; e++) {
    bin += load<u8>(tail + e);
    const slot = LANES + laneOffset(bin, half);
    store<u64>(slot, (load<u64>(slot) & mask) | (<u64>load<u32>(values + (e << 2)) << at));
  }
  writeFrame(Convert.Bits, count, 0, 1, 0, dst);
}

/** End of the body of a block from disk, not padded; 0 if it is unsound or reaches beyond `end`. */
export function checkSplit(block: Block, body: usize, end: usize): usize {
  const count = block.count;
  const at = <i32>block.a;
  const b = <i32>block.b;
  const bits = b & ((1 << ENTRIES_SHIFT) - 1);
  const entries = ((b >> ENTRIES_SHIFT) & ENTRIES_MASK) + 1;
  const exceptions = b >> EXCEPTIONS_SHIFT;
  if (at < MIN_CUT || at > MAX_CUT || bits > MAX_CODE_BITS || exceptions > EXCEPTIONS_MASK) return 0;
  // Two entries and more also keep 8-byte loads of the last code inside the block.
  if (entries > 1 << bits || (bits > 0 && entries <= 1 << (bits - 1))) return 0;
  const tail = body + 2 * (laneBytes(count, at) + laneBytes(count, bits)) + 4 * entries;
  const bodyEnd = tail + exceptions * EXCEPTION_SIZE;
  if (bodyEnd > end || !checkSkips(tail, exceptions, count)) return 0;
  return bodyEnd;
}
