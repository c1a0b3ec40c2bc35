/**
 * The second half of decoding: turns the pairs in LANES into doubles in bin order, written over or added to `dst`.
 *
 * Steps for each pair (bin i, bin half + i):
 *  1. frame: add `frame` (which includes the reference); delta: running sum of (pair + frame), started at `reference`
 *  2. integer to double: the bits as they are, i, i * 10^-k or i / 10^k
 *  3. sort two pairs into two bins of each lane; store or add.
 *
 * Integers below 2^51 become doubles by adding the bits of 1.5 * 2^52 (once, to the frame or the reference) and
 * subtracting that as a double. Larger ones are left to the scalar twin.
 *
 * Division is slow, so small integers are multiplied by 10^-k in two parts instead: `upper`, its leading 26 bits, and
 * `lower`, the rest. With |i| <= 2^27, i * upper is exact, and i * lower, at most 2^-25 of the whole, is off by 2^-52 of
 * itself (two roundings): the sum is rounded once, from a value that is off by 2^-77. A quotient i / 10^k cannot lie
 * halfway between two doubles (it would take an i of 54 bits), and stays 2^-54 / 10^k away from there, all relative. With
 * 10^k < 2^20 that is more, so both round alike.
 */
import { halfOf } from './layout';
import { LANES } from './scratch';

/** Step 2 of the list above. */
export const enum Convert {
  Bits,
  Integer,
  /** i * 10^-k. */
  Multiply,
  /** i / 10^k. */
  Divide,
  /** i / 10^k by two multiplications. */
  Quotient,
}

/** Integers below it convert by the trick above. */
export const CONVERT_LIMIT: f64 = 2251799813685248;
/** Integers below it divide by the trick above. */
const QUOTIENT_LIMIT: f64 = 134217728;
/** Most decimals for which they do. */
const QUOTIENT_PLACES: i32 = 6;

/** Bits of 1.5 * 2^52. */
const OFFSET_BITS: i64 = 0x4338000000000000;
const OFFSET: f64 = 6755399441055744;

/** The bits of 10^-k that `upper` leaves out of a double. */
const LOWER_BITS: u64 = (1 << 27) - 1;
/** 10^-k minus its `upper`, k = 0..6. */
const LOWERS: usize = memory.data<f64>([
  0.0, 3.7252902984619143e-10, 2.2351741790771484e-10, 1.0710209608078003e-11, 7.07223080098629e-13,
  2.5247572921216488e-14, 2.5247572921216486e-15,
]);

/** The quickest conversion to i / 10^k of integers up to `largest`, k >= 1. */
export function quotientConvert(k: i32, largest: f64): i32 {
  return k <= QUOTIENT_PLACES && largest < QUOTIENT_LIMIT ? Convert.Quotient : Convert.Divide;
}

/** The scale of Convert.Quotient for 10^-k, given the double nearest to it. */
export function upperPart(inverse: f64): f64 {
  return reinterpret<f64>(reinterpret<u64>(inverse) & ~LOWER_BITS);
}

/** What the scale of Convert.Quotient leaves out, k <= QUOTIENT_PLACES. */
export function lowerPart(k: i32): f64 {
  return load<f64>(LOWERS + (k << 3));
}

function convertPair(convert: i32, v: v128, scale: v128, lower: v128): v128 {
  if (convert == Convert.Bits) return v;
  const integers = f64x2.sub(v, f64x2.splat(OFFSET));
  if (convert == Convert.Integer) return integers;
  if (convert == Convert.Multiply) return f64x2.mul(integers, scale);
  if (convert == Convert.Divide) return f64x2.div(integers, scale);
  return f64x2.add(f64x2.mul(integers, scale), f64x2.mul(integers, lower));
}

function put(add: bool, dst: usize, v: v128): void {
  v128.store(dst, add ? f64x2.add(v128.load(dst), v) : v);
}

/** A method, because only methods can be told to be copied into each use. */
abstract class Sink {
  /** `delta`, `convert` and `add` must be literals: each use compiles to a loop of its own. */
  @inline
  static run(delta: bool, convert: i32, add: bool, count: i32, reference: i64, frame: i64, scale: f64, lower: f64, dst: usize): void {
    const offset: i64 = convert == Convert.Bits ? 0 : OFFSET_BITS;
    const frames = i64x2.splat(delta ? frame : frame + offset);
    let sums = i64x2.splat(reference + offset);
    const scales = f64x2.splat(scale);
    const lowers = f64x2.splat(lower);
    const half = halfOf(count);
    let lane1 = dst + (<usize>half << 3);
    let from = LANES;
    const end = dst + (<usize>((count - half) & ~1) << 3);
    for (; dst < end; dst += 16, lane1 += 16, from += 32) {
      let a = i64x2.add(v128.load(from), frames);
      let b = i64x2.add(v128.load(from, 16), frames);
      if (delta) {
        a = i64x2.add(a, sums);
        b = i64x2.add(b, a);
        sums = b;
      }
      a = convertPair(convert, a, scales, lowers);
      b = convertPair(convert, b, scales, lowers);
      put(add, dst, v128.shuffle<u64>(a, b, 0, 2));
      put(add, lane1, v128.shuffle<u64>(a, b, 1, 3));
    }
    const end0 = dst + (<usize>(half - ((count - half) & ~1)) << 3);
    const end1 = lane1 + (<usize>((count - half) & 1) << 3);
    for (; dst < end0; dst += 8, lane1 += 8, from += 16) {
      let a = i64x2.add(v128.load(from), frames);
      if (delta) {
        a = i64x2.add(a, sums);
        sums = a;
      }
      a = convertPair(convert, a, scales, lowers);
      store<f64>(dst, add ? load<f64>(dst) + f64x2.extract_lane(a, 0) : f64x2.extract_lane(a, 0));
      if (lane1 < end1) store<f64>(lane1, add ? load<f64>(lane1) + f64x2.extract_lane(a, 1) : f64x2.extract_lane(a, 1));
    }
  }
}

/**
 * Writes `count` bins from LANES, each an integer above `frame`, below CONVERT_LIMIT unless it stands for bits. `scale` is
 * 10^-k, 10^k or, with the rest in `lower`, part of 10^-k, as `convert` needs it.
 */
export function writeFrame(convert: i32, count: i32, frame: i64, scale: f64, lower: f64, dst: usize): void {
  if (convert == Convert.Bits) Sink.run(false, Convert.Bits, false, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Integer) Sink.run(false, Convert.Integer, false, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Multiply) Sink.run(false, Convert.Multiply, false, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Divide) Sink.run(false, Convert.Divide, false, count, 0, frame, scale, lower, dst);
  else Sink.run(false, Convert.Quotient, false, count, 0, frame, scale, lower, dst);
}

/** As `writeFrame`, but adds the bins to `dst`. */
export function addFrame(convert: i32, count: i32, frame: i64, scale: f64, lower: f64, dst: usize): void {
  if (convert == Convert.Bits) Sink.run(false, Convert.Bits, true, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Integer) Sink.run(false, Convert.Integer, true, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Multiply) Sink.run(false, Convert.Multiply, true, count, 0, frame, scale, lower, dst);
  else if (convert == Convert.Divide) Sink.run(false, Convert.Divide, true, count, 0, frame, scale, lower, dst);
  else Sink.run(false, Convert.Quotient, true, count, 0, frame, scale, lower, dst);
}

/** Writes `count` bins from LANES, each a difference above `frame` to the bin before it; both lanes start at `reference`. */
export function writeDelta(convert: i32, count: i32, reference: i64, frame: i64, scale: f64, lower: f64, dst: usize): void {
  if (convert == Convert.Bits) Sink.run(true, Convert.Bits, false, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Integer) Sink.run(true, Convert.Integer, false, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Multiply) Sink.run(true, Convert.Multiply, false, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Divide) Sink.run(true, Convert.Divide, false, count, reference, frame, scale, lower, dst);
  else Sink.run(true, Convert.Quotient, false, count, reference, frame, scale, lower, dst);
}

/** As `writeDelta`, but adds the bins to `dst`. */
export function addDelta(convert: i32, count: i32, reference: i64, frame: i64, scale: f64, lower: f64, dst: usize): void {
  if (convert == Convert.Bits) Sink.run(true, Convert.Bits, true, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Integer) Sink.run(true, Convert.Integer, true, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Multiply) Sink.run(true, Convert.Multiply, true, count, reference, frame, scale, lower, dst);
  else if (convert == Convert.Divide) Sink.run(true, Convert.Divide, true, count, reference, frame, scale, lower, dst);
  else Sink.run(true, Convert.Quotient, true, count, reference, frame, scale, lower, dst);
}

/** The scalar twin of the four routines above, for tests and for integers of any size. `add` and `delta` choose. */
export function sinkScalar(
  delta: bool,
  convert: i32,
  add: bool,
  count: i32,
  reference: i64,
  frame: i64,
  scale: f64,
  lower: f64,
  dst: usize,
): void {
  const half = halfOf(count);
  let sum = reference;
  for (let i = 0; i < count; i++) {
    if (i == half) sum = reference;
    const pair = i < half ? 2 * i : 2 * (i - half) + 1;
    let v = load<i64>(LANES + (<usize>pair << 3)) + frame;
    if (delta) {
      v += sum;
      sum = v;
    }
    let value: f64;
    if (convert == Convert.Bits) value = reinterpret<f64>(v);
    else if (convert == Convert.Integer) value = <f64>v;
    else if (convert == Convert.Multiply) value = <f64>v * scale;
    else if (convert == Convert.Divide) value = <f64>v / scale;
    else value = <f64>v * scale + <f64>v * lower;
    const at = dst + (<usize>i << 3);
    store<f64>(at, add ? load<f64>(at) + value : value);
  }
}
