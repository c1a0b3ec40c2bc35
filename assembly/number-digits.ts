/**
 * Runs of decimal digits, 8 bytes (SWAR) or 16 bytes (SIMD) at a time.
 *
 * 1. XOR or subtract '0': a digit becomes 0..9, every other byte something above 9.
 * 2. Count the digits in front: the lowest byte above 9 ends the run.
 * 3. Move the run to the word's upper end, so that zeros stand in front of it, and add up neighbours:
 *    digits to pairs, pairs to fours, fours to eights.
 *
 * The SWAR reduction is the one of simdjson (D. Lemire, J. Keiser; idea by J. Muła), the SIMD one follows Muła's
 * "SIMD-ized parsing of series of integers", written for what Wasm has (dot products of i16, no multiply-add of bytes).
 */

/** Eight times '0', to XOR with eight bytes of text. */
export const ZEROS: u64 = 0x3030303030303030;

/** How many bytes of w (text ^ ZEROS) in front are digits: 0..8. */
// @ts-ignore: decorator
@inline
export function digitRun8(w: u64): i32 {
  // A carry out of the first non-digit only spoils the bytes behind it.
  return i32(ctz(((w + 0x7676767676767676) | w) & 0x8080808080808080)) >> 3;
}

/** Value of eight digits (text ^ ZEROS). */
// @ts-ignore: decorator
@inline
export function digits8(w: u64): u64 {
  w = ((w * 0xa01) >> 8) & 0x00ff00ff00ff00ff;
  w = ((w * 0x640001) >> 16) & 0x0000ffff0000ffff;
  return (w * 0x271000000001) >> 32;
}

/** Value of the first n digits of w (text ^ ZEROS), n in 0..7. */
// @ts-ignore: decorator
@inline
export function digitsBelow8(w: u64, n: i32): u64 {
  // Two shifts, as a shift by 64 would be none.
  return digits8((w << ((7 - n) << 3)) << 8);
}

/** Sixteen bytes of text at p, less '0' each: to be given to digitRun16 and digits16. */
// @ts-ignore: decorator
@inline
export function loadDigits16(p: usize): v128 {
  return i8x16.sub(v128.load(p), i8x16.splat(0x30));
}

/** How many bytes of v in front are digits: 0..16. */
// @ts-ignore: decorator
@inline
export function digitRun16(v: v128): i32 {
  return ctz(i8x16.bitmask(i8x16.gt_u(v, i8x16.splat(9))) | 0x10000);
}

/** Value of the first n digits of v, n in 0..16. */
// @ts-ignore: decorator
@inline
export function digits16(v: v128, n: i32): u64 {
  // Indices below 0 wrap to 128 and above, where swizzle gives the zeros to fill up with.
  const place = i8x16.add(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(n - 16)));
  const digits = i8x16.swizzle(v, place);
  const pairs = i16x8.shr_u(i16x8.mul(digits, i16x8.splat(0xa01)), 8);
  const fours = i32x4.dot_i16x8_s(pairs, i32x4.splat(0x00010064));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), i32x4.splat(0x00012710));
  const both = u64(i64x2.extract_lane(eights, 0));
  return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/** Scalar twin of digitRun16 on the text at p. */
export function digitRun16Scalar(p: usize): i32 {
  let n = 0;
  while (n < 16 && u8(load<u8>(p + n) - 0x30) <= 9) n++;
  return n;
}

/** Scalar twin of digits16 on the text at p. */
export function digits16Scalar(p: usize, n: i32): u64 {
  let value: u64 = 0;
  for (let i = 0; i < n; i++) value = value * 10 + u64(load<u8>(p + i) - 0x30);
  return value;
}
