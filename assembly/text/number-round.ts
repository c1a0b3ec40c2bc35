/**
 * Correctly rounded doubles from up to 19 decimal digits: mantissa * 10^exponent.
 *
 * 1. Clinger's fast path: both are exact doubles, so one multiplication or division rounds once.
 * 2. Eisel-Lemire: multiply by the 128-bit power of five; the upper bits of the product are the result. By N. Mushtak and
 *    D. Lemire, "Fast Number Parsing Without Fallback" (2022), its 128 bits always decide. After fast_float's compute_float.
 */
import { LARGEST_POWER, POWERS_OF_FIVE, SMALLEST_POWER } from './number-table';

/** Bits of positive infinity: the result is out of range. */
export const INFINITY_BITS: u64 = 0x7ff0000000000000;

const MANTISSA_BITS = 52;
const EXPONENT_BIAS = 1023;
const EXPONENT_SPECIAL = 0x7ff;
/** Bits of the first product that must not all be set, or the lower half of the power could carry into the result. */
const CARRY_MASK: u64 = 0x1ff;

/** 10^0 .. 10^22, the powers of ten that are exact doubles. */
const EXACT_POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
const EXACT_POWER_MAX = 22;
const EXACT_MANTISSA_MAX: u64 = 1 << 53;

/** Upper 64 bits of a * b. */
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  return aHigh * bHigh + (middle >> 32) + ((aLow * bHigh + (middle & 0xffffffff)) >> 32);
}

/** The double nearest to mantissa * 10^exponent, ties to even; infinity beyond the largest. */
export function roundDecimal(mantissa: u64, exponent: i32): f64 {
  // Fast path: most of what collectors send.
  if (mantissa <= EXACT_MANTISSA_MAX && u32(exponent + EXACT_POWER_MAX) <= 2 * EXACT_POWER_MAX) {
    const exact = f64(i64(mantissa));
    if (exponent < 0) return exact / load<f64>(EXACT_POWERS + (usize(-exponent) << 3));
    return exact * load<f64>(EXACT_POWERS + (usize(exponent) << 3));
  }
  return reinterpret<f64>(roundDecimalBits(mantissa, exponent));
}

/** Bits of the double nearest to mantissa * 10^exponent, ties to even; INFINITY_BITS beyond the largest. */
export function roundDecimalBits(mantissa: u64, exponent: i32): u64 {
  if (mantissa == 0 || exponent < SMALLEST_POWER) return 0;
  if (exponent > LARGEST_POWER) return INFINITY_BITS;

  const leading = i32(clz(mantissa));
  const w = mantissa << leading;
  const entry = POWERS_OF_FIVE + (usize(exponent - SMALLEST_POWER) << 4);
  const power = load<u64>(entry);
  let high = multiplyHigh(w, power);
  let low = w * power;
  if ((high & CARRY_MASK) == CARRY_MASK) {
    const carried = multiplyHigh(w, load<u64>(entry, 8));
    low += carried;
    if (low < carried) high++;
  }

  const upperBit = i32(high >> 63);
  const shift = u64(upperBit + 64 - MANTISSA_BITS - 3);
  // One bit more than the mantissa has, to round with.
  let bits = high >> shift;
  // floor(log2(5^q)) + q + 63, by a multiplication that is exact in the table's range.
  let binary = ((217706 * exponent) >> 16) + 63 + upperBit - leading + EXPONENT_BIAS;
  if (binary <= 0) {
    // Subnormal: no halfway case of at most 19 digits is that small.
    if (binary <= -63) return 0;
    bits >>= u64(1 - binary);
    // A carry into bit 52 is the smallest normal number: its exponent field is that bit.
    return (bits + (bits & 1)) >> 1;
  }
  // Exactly halfway (which needs a power of five that fits the product): to even.
  if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << shift == high) bits &= ~1;
  bits = (bits + (bits & 1)) >> 1;
  if (bits >= u64(2) << MANTISSA_BITS) {
    bits = u64(1) << MANTISSA_BITS;
    binary++;
  }
  if (binary >= EXPONENT_SPECIAL) return INFINITY_BITS;
  return (bits & ((u64(1) << MANTISSA_BITS) - 1)) | (u64(binary) << MANTISSA_BITS);
}
