/**
 * The four codecs of packed integers: decimals or the doubles' bits, above a frame of reference or as differences.
 *
 * The integer of a bin is reference + divisor * item, with the reference the integer of the block's least bin. Frame
 * codecs pack the items, delta codecs the differences of neighbours; each lane starts at item 0.
 * ```
 *  a:  width:6 | frame kind:2
 *  b:  patches:6 | patch bytes - 1:3 | decimals:4 | multiply:1 | divisor:1 | misfits:1
 *  body: │ lane 0 │ lane 1 │ frame (0, 2 or 8) │ divisor (0 or 8) │ patch skips u8.. │ patch upper bits, 1-8 bytes each ..
 *        │ misfits: entries u8, skips u8.., values f64.. │ padding: an 8-byte load of the last item stays inside │
 * ```
 * A patch adds its (signed) upper bits above the packed ones; a misfit is a bin that is no decimal, kept as it is.
 */
import { Codec } from '../../src/wasm/tables/codecs';
import { decimals, inversePower, MAX_PLACES, misfitAt, power, scaledInteger } from './decimal';
import { Block, halfOf, laneBytes, laneOffset, MAX_WIDTH } from './layout';
import { packLanes, unpackLanes } from './pack';
import { Frame, frameBytes, frameShift, Plan } from './plan';
import { FILLED, LANES } from './scratch';
import {
  addDelta, addFrame, Convert, CONVERT_LIMIT, lowerPart, quotientConvert, sinkScalar, upperPart, writeDelta, writeFrame,
} from './sink';
import { checkSkips, fillersBetween, MAX_SKIP } from './skips';

const WIDTH_MASK: i32 = 63;
const FRAME_KIND_SHIFT: i32 = 6;
const PATCHES_MASK: i32 = 63;
const PATCH_BYTES_SHIFT: i32 = 6;
const PLACES_SHIFT: i32 = 9;
const MULTIPLY: i32 = 1 << 13;
const DIVISOR: i32 = 1 << 14;
const MISFITS: i32 = 1 << 15;
const MISFIT_SIZE: i32 = 9;

function isDelta(codec: i32): bool {
  return codec == Codec.DecimalDelta || codec == Codec.BitsDelta;
}

function isBits(codec: i32): bool {
  return codec == Codec.BitsFrame || codec == Codec.BitsDelta;
}

/** Fills `deltas` with the differences of the items at `source`; each lane starts at 0. Both have room for one more. */
export function differences(source: usize, count: i32, deltas: usize): void {
  const size = <usize>count << 3;
  store<i64>(deltas, load<i64>(source));
  for (let at: usize = 8; at < size; at += 16) {
    v128.store(deltas + at, i64x2.sub(v128.load(source + at), v128.load(source + at - 8)));
  }
  const lane1 = <usize>halfOf(count) << 3;
  if (lane1 < size) store<i64>(deltas + lane1, load<i64>(source + lane1));
}

function misfitEntries(): i32 {
  let entries = decimals.misfits;
  let before = 0;
  for (let m = 0; m < decimals.misfits; m++) {
    entries += fillersBetween(before, misfitAt(m));
    before = misfitAt(m);
  }
  return entries;
}

/** Bytes that keep an 8-byte load of the last item inside the block. */
function loadSlack(width: i32): i32 {
  return width == 0 ? 0 : 8 - ((width + 7) >> 3);
}

/** Bytes of divisor and misfits of a decimal block, after `planDecimals`. */
export function decimalExtras(divisor: i64): i32 {
  return (divisor == 1 ? 0 : 8) + (decimals.misfits == 0 ? 0 : 1 + misfitEntries() * MISFIT_SIZE);
}

/** Bytes of the body of items that take `planned` bytes by their plan, and `extras` more. */
export function integersSize(plan: Plan, count: i32, planned: i32, extras: i32): i32 {
  const width = plan.width;
  return max(planned + extras, 2 * laneBytes(count, width) + loadSlack(width));
}

/** `a` of a block with this plan. */
export function integersA(plan: Plan): i32 {
  return plan.width | (plan.frameKind << FRAME_KIND_SHIFT);
}

/** `b` of a bits block with this plan. */
export function bitsB(plan: Plan): i32 {
  return plan.patches | ((plan.patchBytes - 1) << PATCH_BYTES_SHIFT);
}

/** `b` of a decimal block with this plan, after `planDecimals`. */
export function decimalsB(plan: Plan, places: i32, formula: i32, divisor: i64): i32 {
  return bitsB(plan) | (places << PLACES_SHIFT) | (formula == Convert.Multiply ? MULTIPLY : 0) |
    (divisor == 1 ? 0 : DIVISOR) | (decimals.misfits == 0 ? 0 : MISFITS);
}

/** Writes the body of items planned in `plan`. `isDecimal`: with divisor and misfits. Returns the end, not padded. */
export function writeIntegers(source: usize, count: i32, plan: Plan, isDecimal: bool, divisor: i64, out: usize): usize {
  const width = plan.width;
  const frame = plan.frame;
  let end = width == 0 ? out : packLanes(source, count, width, frame, out);
  const lanesEnd = end;
  const kind = plan.frameKind;
  if (kind == Frame.Short) store<i16>(end, <i16>(frame >> frameShift(width)));
  else if (kind == Frame.Long) store<i64>(end, frame);
  end += frameBytes(kind);
  if (isDecimal && divisor != 1) {
    store<i64>(end, divisor);
    end += 8;
  }
  end = writePatches(source, count, plan, end);
  if (isDecimal && decimals.misfits > 0) end = writeMisfits(end);
  store<u64>(end, 0);
  return max(end, lanesEnd + loadSlack(width));
}

function writePatches(source: usize, count: i32, plan: Plan, out: usize): usize {
  const patches = plan.patches;
  if (patches == 0) return out;
  const width = plan.width;
  const frame = plan.frame;
  const bytes = plan.patchBytes;
  let uppers = out + patches;
  let before = 0;
  const frames = i64x2.splat(frame);
  for (let i = 0; i < count; i++) {
    const at = source + (<usize>i << 3);
    // Pairs without a patch are stepped over.
    if (!v128.any_true(i64x2.shr_u(i64x2.sub(v128.load(at), frames), width))) {
      i++;
      continue;
    }
    const upper = (load<i64>(at) - frame) >> width;
    if (upper == 0) continue;
    for (let f = fillersBetween(before, i); f > 0; f--) {
      store<u8>(out++, MAX_SKIP);
      store<i64>(uppers, 0);
      uppers += bytes;
      before += MAX_SKIP;
    }
    store<u8>(out++, i - before);
    store<i64>(uppers, upper);
    uppers += bytes;
    before = i;
  }
  return uppers;
}

function writeMisfits(out: usize): usize {
  const entries = misfitEntries();
  store<u8>(out++, entries);
  let values = out + entries;
  let before = 0;
  for (let m = 0; m < decimals.misfits; m++) {
    const bin = misfitAt(m);
    for (let f = fillersBetween(before, bin); f > 0; f--) {
      before += MAX_SKIP;
      store<u8>(out++, MAX_SKIP);
      store<u64>(values, load<u64>(FILLED + (<usize>before << 3)));
      values += 8;
    }
    store<u8>(out++, bin - before);
    store<u64>(values, load<u64>(FILLED + (<usize>bin << 3)));
    values += 8;
    before = bin;
  }
  return values;
}

/** Whether the block has misfits, which cannot be added in one pass. */
export function hasMisfits(block: Block): bool {
  return (<i32>block.b & MISFITS) != 0;
}

/** How the items in LANES become bins. */
@unmanaged
class Unpacked {
  frame: i64;
  reference: i64;
  /** Of the conversion: see sink.ts. */
  scale: f64;
  lower: f64;
  /** A `Convert`. */
  convert: i32;
  /** Integers of 2^51 and more: the sink's scalar twin takes them. */
  isLarge: bool;

  chooseConvert(places: i32, largest: f64, multiply: bool): void {
    const convert: i32 = multiply ? Convert.Multiply : places == 0 ? Convert.Integer : quotientConvert(places, largest);
    this.convert = convert;
    this.scale = convert == Convert.Divide ? power(places) : inversePower(places);
    if (convert != Convert.Quotient) return;
    this.scale = upperPart(this.scale);
    this.lower = lowerPart(places);
  }
}

const unpacked = changetype<Unpacked>(memory.data(offsetof<Unpacked>(), 8));

/** Fills LANES with the items (deltas) of the block, and `unpacked`; returns the misfits' address. */
function unpackItems(block: Block, body: usize): usize {
  const count = block.count;
  const width = <i32>block.a & WIDTH_MASK;
  const kind = <i32>block.a >> FRAME_KIND_SHIFT;
  const b = <i32>block.b;
  unpackLanes(body, count, width, LANES);
  let at = body + 2 * laneBytes(count, width);
  let frame: i64 = 0;
  if (kind == Frame.Short) frame = <i64>load<i16>(at) << frameShift(width);
  else if (kind == Frame.Long) frame = load<i64>(at);
  at += frameBytes(kind);

  if (isBits(<i32>block.codec)) {
    unpacked.convert = Convert.Bits;
    unpacked.reference = reinterpret<i64>(block.min);
    unpacked.isLarge = false;
  } else {
    const places = (b >> PLACES_SHIFT) & 15;
    const largest = max(abs(block.min), abs(block.max)) * power(places);
    unpacked.isLarge = largest >= CONVERT_LIMIT;
    unpacked.reference = scaledInteger(block.min, places);
    unpacked.chooseConvert(places, largest, (b & MULTIPLY) != 0);
  }
  let divisor: i64 = 1;
  if (b & DIVISOR) {
    divisor = load<i64>(at);
    at += 8;
  }
  const patches = b & PATCHES_MASK;
  if (patches) at = addPatches(at, patches, ((b >> PATCH_BYTES_SHIFT) & 7) + 1, width, halfOf(count));
  if (divisor != 1) {
    for (let p = LANES, end = LANES + (<usize>halfOf(count) << 4); p < end; p += 8) {
      store<i64>(p, (load<i64>(p) + frame) * divisor);
    }
    frame = 0;
  }
  unpacked.frame = isDelta(<i32>block.codec) ? frame : frame + unpacked.reference;
  return at;
}

function addPatches(skips: usize, patches: i32, bytes: i32, width: i32, half: i32): usize {
  let upper = skips + patches;
  const spare = 64 - (bytes << 3);
  let bin = 0;
  for (let p = 0; p < patches; p++) {
    bin += load<u8>(skips + p);
    // The 8 bytes that end with this patch; there is always a header before them.
    upper += bytes;
    const bits = (load<i64>(upper - 8) >> spare) << width;
    const slot = LANES + laneOffset(bin, half);
    store<i64>(slot, load<i64>(slot) + bits);
  }
  return upper;
}

/** Writes the bins of the block, gaps still filled, to `dst`. */
export function decodeIntegers(block: Block, body: usize, dst: usize): void {
  let at = unpackItems(block, body);
  const u = unpacked;
  const count = block.count;
  const delta = isDelta(<i32>block.codec);
  if (u.isLarge) sinkScalar(delta, u.convert, false, count, u.reference, u.frame, u.scale, u.lower, dst);
  else if (delta) writeDelta(u.convert, count, u.reference, u.frame, u.scale, u.lower, dst);
  else writeFrame(u.convert, count, u.frame, u.scale, u.lower, dst);
  if (!hasMisfits(block)) return;
  const entries = <i32>load<u8>(at++);
  const values = at + entries;
  for (let e = 0; e < entries; e++) {
    dst += <usize>load<u8>(at + e) << 3;
    store<u64>(dst, load<u64>(values + (<usize>e << 3)));
  }
}

/** Adds the bins of a block without gaps and misfits to `dst`. */
export function addIntegers(block: Block, body: usize, dst: usize): void {
  unpackItems(block, body);
  const u = unpacked;
  const count = block.count;
  const delta = isDelta(<i32>block.codec);
  if (u.isLarge) sinkScalar(delta, u.convert, true, count, u.reference, u.frame, u.scale, u.lower, dst);
  else if (delta) addDelta(u.convert, count, u.reference, u.frame, u.scale, u.lower, dst);
  else addFrame(u.convert, count, u.frame, u.scale, u.lower, dst);
}

/** End of the body of a block from disk, not padded; 0 if it is unsound or reaches beyond `end`. */
export function checkIntegers(block: Block, body: usize, end: usize): usize {
  const count = block.count;
  const width = <i32>block.a & WIDTH_MASK;
  const kind = <i32>block.a >> FRAME_KIND_SHIFT;
  const b = <i32>block.b;
  if (width > MAX_WIDTH || kind > Frame.Long || ((b >> PLACES_SHIFT) & 15) > MAX_PLACES) return 0;
  if (isBits(<i32>block.codec) && b >> PLACES_SHIFT) return 0;
  const lanesEnd = body + 2 * laneBytes(count, width);
  let at = lanesEnd + frameBytes(kind) + (b & DIVISOR ? 8 : 0);
  const patches = b & PATCHES_MASK;
  if (at + patches > end || !checkSkips(at, patches, count)) return 0;
  at += patches * (2 + ((b >> PATCH_BYTES_SHIFT) & 7));
  if (b & MISFITS) {
    if (at >= end) return 0;
    const entries = <i32>load<u8>(at);
    if (at + 1 + entries > end || !checkSkips(at + 1, entries, count)) return 0;
    at += 1 + entries * MISFIT_SIZE;
  }
  at = max(at, lanesEnd + loadSlack(width));
  return at <= end ? at : 0;
}
