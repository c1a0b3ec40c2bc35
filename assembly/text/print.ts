/**
 * Numbers as JSON text.
 *
 * A double is m * 2^-s with an integer m below 2^53, so m * 1000 fits 63 bits and the rounding to three decimals is exact integer
 * arithmetic:
 *
 * 1. Integer part: m >> s. Fraction: the bits shifted out, times 1000, shifted by s again.
 * 2. What that shift cuts off decides: above half rounds up, exactly half to the even last digit (as Go's strconv does).
 * 3. Integer part in groups of three digits by table (print-integer.ts), fraction with its point as one store.
 *
 * s <= 0 is an integer (from 2^64 on: print-slow.ts), s >= 64 rounds to 0.
 */
import { printU64 } from './print-integer';
import { printBigInteger } from './print-slow';
import { fractionGroup, groupLength } from './print-table';

export { printI64 } from './print-integer';
export { printString } from './print-string';

/** Most bytes one value can take, stores past its end included: sign, the 309 integer digits of the largest double, and slack. */
export const FIXED_MAX_BYTES: i32 = 320;

const MANTISSA_BITS = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_SPECIAL = 0x7ff;
/** Biased exponent of a double whose mantissa is its integer value. */
const INTEGER_EXPONENT = 1023 + MANTISSA_BITS;

const COMMA: u8 = 0x2c; // ,
const MINUS: u8 = 0x2d; // -
const NULL_TEXT: u32 = 0x6c6c756e; // null

/**
 * Writes x with at most three decimals, rounded from its exact value, ties to even; without trailing zeros, and 0 for all that
 * rounds to 0. NaN and infinities are `null`. Needs FIXED_MAX_BYTES of room; returns the address behind the text.
 */
export function printFixed3(dst: usize, x: f64): usize {
  return Fixed.print(dst, x, 1000, 1);
}

/** As printFixed3, with at most two decimals. */
export function printFixed2(dst: usize, x: f64): usize {
  return Fixed.print(dst, x, 100, 10);
}

/** Writes n doubles at src as `a,b,c`, each as printFixed3 does. Needs n * (FIXED_MAX_BYTES + 1) bytes; returns the address behind. */
export function printFixed3s(dst: usize, src: usize, n: i32): usize {
  if (n <= 0) return dst;
  for (const end = src + (usize(n) << 3); src < end; src += 8) {
    dst = Fixed.print(dst, load<f64>(src), 1000, 1);
    store<u8>(dst++, COMMA);
  }
  return dst - 1;
}

/** A method, because only methods can be told to be copied into each use, where the number of decimals is a constant. */
abstract class Fixed {
  /** @param scale 10^decimals; @param perUnit thousandths in one unit of the last decimal. */
  @inline
  static print(dst: usize, x: f64, scale: u64, perUnit: u32): usize {
    const bits = reinterpret<u64>(x);
    const exponent = i32(bits >> MANTISSA_BITS) & EXPONENT_SPECIAL;
    const s = INTEGER_EXPONENT - exponent;
    const m = (bits & MANTISSA_MASK) | (u64(1) << MANTISSA_BITS);
    // Fast path: 2^-11 <= |x| < 2^52.
    if (u32(s - 1) < 63) {
      const shift = u64(s);
      let whole = m >> shift;
      const scaled = (m & ((u64(1) << shift) - 1)) * scale;
      const cut = scaled >> shift;
      // Half less one, and one more when the last digit is odd, carries exactly when the number is to go up.
      let units = u32((scaled + ((u64(1) << (shift - 1)) - 1) + (cut & 1)) >> shift);
      const carry = u32(units == u32(scale));
      units = carry ? 0 : units;
      whole += u64(carry);
      store<u8>(dst, MINUS);
      dst += usize(bits >> 63) & usize((whole | u64(units)) != 0);
      dst = printU64(dst, whole);
      const text = fractionGroup(units * perUnit);
      store<u32>(dst, text);
      return dst + groupLength(text);
    }
    return printUncommon(dst, bits, s, m);
  }
}

/** What is no fraction: tiny, an integer from 2^52 on, NaN or infinite. */
function printUncommon(dst: usize, bits: u64, s: i32, m: u64): usize {
  if (s > 0) {
    store<u8>(dst, 0x30); // 0
    return dst + 1;
  }
  if (s == INTEGER_EXPONENT - EXPONENT_SPECIAL) {
    store<u32>(dst, NULL_TEXT);
    return dst + 4;
  }
  store<u8>(dst, MINUS);
  dst += usize(bits >> 63);
  if (s >= -11) return printU64(dst, m << u64(-s));
  return printBigInteger(dst, m, -s);
}
