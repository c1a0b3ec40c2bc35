/**
 * The second half of decoding: turns the pairs in LANES into doubles in bin order, written over or added to `dst`.
 *
 * Steps for each pair (bin i, bin half + i):
 *  1. frame: add `frame` (which includes the reference); delta: running sum of (pair + frame), started at `reference`
 *  2. integer to double: the bits as they are, i, i * 10^-k or i / 10^k
 *  3. sort two pairs into two bins of each lane; store or add.
 *
 * Integers become doubles by the two-halves trick (Mysticial, "How to efficiently perform double/int64 conversions with
 * SSE/AVX"): the upper and the lower 32 bits are placed under exponents of 2^84 and 2^52; exact up to 2^53.
 */
import { halfOf } from './layout';
import { LANES } from './scratch';

/** Step 2 of the list above. */
export const enum Convert {
  Bits,
  Integer,
  Multiply,
  Divide,
}

// @ts-ignore: decorator
@inline
function toDoubles(v: v128): v128 {
  const upper = v128.xor(i64x2.shr_u(v, 32), i64x2.splat(0x4530000080000000));
  const lower = v128.or(v128.and(v, i64x2.splat(0xffffffff)), i64x2.splat(0x4330000000000000));
  return f64x2.add(f64x2.sub(upper, i64x2.splat(0x4530000080100000)), lower);
}

// @ts-ignore: decorator
@inline
function convertPair(convert: i32, v: v128, scale: v128): v128 {
  if (convert == Convert.Bits) return v;
  if (convert == Convert.Integer) return toDoubles(v);
  if (convert == Convert.Multiply) return f64x2.mul(toDoubles(v), scale);
  return f64x2.div(toDoubles(v), scale);
}

// @ts-ignore: decorator
@inline
function put(add: bool, dst: usize, v: v128): void {
  v128.store(dst, add ? f64x2.add(v128.load(dst), v) : v);
}

/** `delta`, `convert` and `add` must be literals: each use compiles to a loop of its own. */
// @ts-ignore: decorator
@inline
function sink(delta: bool, convert: i32, add: bool, count: i32, reference: i64, frame: i64, scale: f64, dst: usize): void {
  const frames = i64x2.splat(frame);
  const scales = f64x2.splat(scale);
  let sums = i64x2.splat(reference);
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
    a = convertPair(convert, a, scales);
    b = convertPair(convert, b, scales);
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
    a = convertPair(convert, a, scales);
    store<f64>(dst, add ? load<f64>(dst) + f64x2.extract_lane(a, 0) : f64x2.extract_lane(a, 0));
    if (lane1 < end1) store<f64>(lane1, add ? load<f64>(lane1) + f64x2.extract_lane(a, 1) : f64x2.extract_lane(a, 1));
  }
}

/** Writes `count` bins from LANES, each an integer above `frame`. `scale` is 10^-k or 10^k as `convert` needs it. */
export function writeFrame(convert: i32, count: i32, frame: i64, scale: f64, dst: usize): void {
  if (convert == Convert.Bits) sink(false, Convert.Bits, false, count, 0, frame, scale, dst);
  else if (convert == Convert.Integer) sink(false, Convert.Integer, false, count, 0, frame, scale, dst);
  else if (convert == Convert.Multiply) sink(false, Convert.Multiply, false, count, 0, frame, scale, dst);
  else sink(false, Convert.Divide, false, count, 0, frame, scale, dst);
}

/** As `writeFrame`, but adds the bins to `dst`. */
export function addFrame(convert: i32, count: i32, frame: i64, scale: f64, dst: usize): void {
  if (convert == Convert.Bits) sink(false, Convert.Bits, true, count, 0, frame, scale, dst);
  else if (convert == Convert.Integer) sink(false, Convert.Integer, true, count, 0, frame, scale, dst);
  else if (convert == Convert.Multiply) sink(false, Convert.Multiply, true, count, 0, frame, scale, dst);
  else sink(false, Convert.Divide, true, count, 0, frame, scale, dst);
}

/** Writes `count` bins from LANES, each a difference above `frame` to the bin before it; both lanes start at `reference`. */
export function writeDelta(convert: i32, count: i32, reference: i64, frame: i64, scale: f64, dst: usize): void {
  if (convert == Convert.Bits) sink(true, Convert.Bits, false, count, reference, frame, scale, dst);
  else if (convert == Convert.Integer) sink(true, Convert.Integer, false, count, reference, frame, scale, dst);
  else if (convert == Convert.Multiply) sink(true, Convert.Multiply, false, count, reference, frame, scale, dst);
  else sink(true, Convert.Divide, false, count, reference, frame, scale, dst);
}

/** As `writeDelta`, but adds the bins to `dst`. */
export function addDelta(convert: i32, count: i32, reference: i64, frame: i64, scale: f64, dst: usize): void {
  if (convert == Convert.Bits) sink(true, Convert.Bits, true, count, reference, frame, scale, dst);
  else if (convert == Convert.Integer) sink(true, Convert.Integer, true, count, reference, frame, scale, dst);
  else if (convert == Convert.Multiply) sink(true, Convert.Multiply, true, count, reference, frame, scale, dst);
  else sink(true, Convert.Divide, true, count, reference, frame, scale, dst);
}

/** The scalar twin of the four routines above, for tests: `add` and `delta` choose among them. */
export function sinkScalar(
  delta: bool,
  convert: i32,
  add: bool,
  count: i32,
  reference: i64,
  frame: i64,
  scale: f64,
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
    else value = <f64>v / scale;
    const at = dst + (<usize>i << 3);
    store<f64>(at, add ? load<f64>(at) + value : value);
  }
}
