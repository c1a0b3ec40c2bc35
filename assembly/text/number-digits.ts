/**
 * Runs of decimal digits, 8 bytes (SWAR) or 16 bytes (SIMD) at a time.
 *
 * 1. Find the bytes that are no digits; the first ends the run.
 * 2. XOR or subtract '0': a digit becomes 0..9.
 * 3. Move the run to the word's upper end, so that zeros stand in front of it, and add up neighbours:
 *    digits to pairs, pairs to fours, fours to eights.
 *
 * The SWAR reduction is the one of simdjson (D. Lemire, J. Keiser; idea by J. Muła), the SIMD one follows Muła's
 * "SIMD-ized parsing of series of integers", written for what Wasm has (dot products of i16, no multiply-add of bytes).
 */

/** Eight times '0', to XOR with eight bytes of text. */
export const ZEROS: u64 = 0x3030303030303030;

/** Value of eight digits (text ^ ZEROS). */
export function digits8(w: u64): u64 {
  w = ((w * 0xa01) >> 8) & 0x00ff00ff00ff00ff;
  w = ((w * 0x640001) >> 16) & 0x0000ffff0000ffff;
  return (w * 0x271000000001) >> 32;
}

/** Value of the first n digits of w (text ^ ZEROS), n in 0..7. */
export function digitsBelow8(w: u64, n: i32): u64 {
  // Two shifts, as a shift by 64 would be none.
  return digits8((w << ((7 - n) << 3)) << 8);
}

/** One bit for each of the 32 bytes at p, the first lowest: set where it is no digit. */
export function nonDigits32(p: usize): u32 {
  // Moved to -128..-119, digits are below all other bytes, for the one signed comparison that x64 has.
  const offset = i8x16.splat(0x50);
  const nine = i8x16.splat(-119);
  const lower = i8x16.bitmask(i8x16.gt_s(i8x16.add(v128.load(p), offset), nine));
  const upper = i8x16.bitmask(i8x16.gt_s(i8x16.add(v128.load(p, 16), offset), nine));
  return lower | (upper << 16);
}

/** Value of the n digits at p, n in 0..16. Reads 16 bytes. */
export function digits16(p: usize, n: i32): u64 {
  const v = i8x16.sub(v128.load(p), i8x16.splat(0x30));
  // Indices below 0 wrap to 128 and above, where swizzle gives the zeros to fill up with.
  const place = i8x16.add(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(n - 16)));
  const digits = i8x16.swizzle(v, place);
  const pairs = i16x8.shr_u(i16x8.mul(digits, i16x8.splat(0xa01)), 8);
  const fours = i32x4.dot_i16x8_s(pairs, i32x4.splat(0x00010064));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), i32x4.splat(0x00012710));
  const both = u64(i64x2.extract_lane(eights, 0));
  return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/** Scalar twin of nonDigits32. */
export function nonDigits32Scalar(p: usize): u32 {
  let mask: u32 = 0;
  for (let i = 0; i < 32; i++) mask |= u32(u8(load<u8>(p + i) - 0x30) > 9) << i;
  return mask;
}

/** Scalar twin of digits16. */
export function digits16Scalar(p: usize, n: i32): u64 {
  let value: u64 = 0;
  for (let i = 0; i < n; i++) value = value * 10 + u64(load<u8>(p + i) - 0x30);
  return value;
}
