/**
 * Values and timestamps of line protocol.
 *
 *   value  = float | integer 'i' | unsigned 'u'         ends at ' ' ',' '\n' '\r' or the end of the text
 *   float  = ['-'] (digits ['.' [digits]] | '.' digits) [('e' | 'E') ['+' | '-'] digits]
 *
 * 1. All digits, in front of and behind the point, into one integer, 8 or 16 at a time (number-digits.ts).
 * 2. Up to 19 digits: that integer and the power of ten are rounded at once (number-round.ts).
 * 3. More (parseLong): the first 19 are rounded, once as they are and once plus 1; only where that gives two
 *    doubles, all digits are compared exactly (number-slow.ts).
 *
 * Every result is the double nearest to the decimal, ties to even.
 */
import { LineError } from '../../src/wasm/tables/codes';
import { digits16, digits8, digitsBelow8, nonDigits32, ZEROS } from './number-digits';
import { INFINITY_BITS, roundDecimal, roundDecimalBits } from './number-round';
import { roundExactly } from './number-slow';

@unmanaged
class Parsed {
  /** Value of the last successful parseValue. */
  value: f64;
  /** Result of the last successful parseUnsigned; at most 2^63 - 1. */
  integer: u64;
  /** Exponent that readExponent has read. */
  exponent: i32;
  /** LineError code of the last failed parse. */
  error: i32;
}

export const parsed = changetype<Parsed>(memory.data(offsetof<Parsed>(), 8));

const NEWLINE: u8 = 0x0a; // \n
const QUOTE: u32 = 0x22; // "
const MINUS: u32 = 0x2d; // -
const PLUS: u32 = 0x2b; // +
const POINT: u32 = 0x2e; // .
const ZERO: u32 = 0x30; // 0

/** Bit c is set for the bytes c that end a value: \n \r space comma. */
const TERMINATORS: u64 = (1 << 0x0a) | (1 << 0x0d) | (1 << 0x20) | (1 << 0x2c);

/** Significant decimal digits that always fit a u64. */
const DIGITS_MAX = 19;
/** Exponents stop growing here: far beyond any double, and a body's worth of digits cannot bring them back. */
const EXPONENT_CAP = 1 << 27;

/** 10^0 .. 10^19 as u64. */
const TENS: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
  10000000000000000000,
]);

function tenToThe(n: i32): u64 {
  return load<u64>(TENS + (usize(n) << 3));
}

function isTerminator(c: u32): bool {
  return c < 64 && ((TERMINATORS >> u64(c)) & 1) != 0;
}

function isDigit(c: u32): bool {
  return c - ZERO <= 9;
}

function fail(code: i32): usize {
  parsed.error = code;
  return 0;
}

/**
 * Parses one field value at p. Bytes up to `end` belong to the text; 32 bytes past end are readable (garbage), and the byte at
 * `end` is overwritten during the call and restored. Returns the address behind the value's last byte, or 0 with parsed.error set:
 * BadValue (not a number, NaN, infinity), OutOfRange (too large for a double, an int64 or a uint64) or UnsupportedType (boolean
 * or string, of which nothing is skipped).
 */
export function parseValue(p: usize, end: usize): usize {
  // A terminator at the end spares every loop below the comparison with `end`.
  const behind = load<u8>(end);
  if (behind != NEWLINE) store<u8>(end, NEWLINE);
  const next = parseTerminated(p);
  if (behind != NEWLINE) store<u8>(end, behind);
  return next;
}

/** As `parseValue`, where the byte at the text's end is a newline already. */
export function parseTerminated(p: usize): usize {
  // A branch, not an addition: what follows need not wait for this byte.
  if (load<u8>(p) == MINUS) return parseMagnitude(p + 1, true);
  return parseMagnitude(p, false);
}

function parseMagnitude(start: usize, negative: bool): usize {
  // Point and end are found at once; without a byte that is no digit whole is 32.
  const others = nonDigits32(start);
  const whole = i32(ctz(others));
  if (whole > 15) return parseLong(start, negative);
  let mantissa = digitsUpTo15(start, whole);
  let p = start + whole;
  let c = u32(load<u8>(p));

  let fraction = 0;
  if (c == POINT) {
    p++;
    fraction = i32(ctz(others & (others - 1))) - whole - 1;
    // The 0 of 0.1234567890123456789 does not count. Without an end among the 32 bytes the sum is 31.
    const uncounted = i32(whole == 1 && mantissa == 0);
    if (whole + fraction > DIGITS_MAX + uncounted) return parseLong(start, negative);
    if (fraction <= 16) {
      mantissa = mantissa * tenToThe(fraction) + digits16(p, fraction);
    } else {
      const more = fraction - 16;
      mantissa = mantissa * tenToThe(16) + digits16(p, 16);
      mantissa = mantissa * tenToThe(more) + digitsBelow8(load<u64>(p, 16) ^ ZEROS, more);
    }
    if (whole + fraction == 0) return fail(LineError.BadValue);
    p += fraction;
    c = u32(load<u8>(p));
  } else if (whole == 0) {
    return failUnlikeNumber(p, negative);
  } else if (isTerminator(c)) {
    // At most 15 digits: an exact double.
    return accept(p, negative, f64(i64(mantissa)));
  } else if (c == 'i'.charCodeAt(0) || c == 'u'.charCodeAt(0)) {
    return acceptInteger(p, c, negative, mantissa);
  }

  let exponent = -fraction;
  if (!isTerminator(c)) {
    if ((c | 0x20) != 'e'.charCodeAt(0)) return fail(LineError.BadValue);
    p = readExponent(p + 1);
    if (p == 0 || !isTerminator(u32(load<u8>(p)))) return fail(LineError.BadValue);
    exponent += parsed.exponent;
  }
  const magnitude = roundDecimal(mantissa, exponent);
  if (magnitude == Infinity) return fail(LineError.OutOfRange);
  return accept(p, negative, magnitude);
}

/** Value of the n digits at p, n in 0..15. */
function digitsUpTo15(p: usize, n: i32): u64 {
  const word = load<u64>(p) ^ ZEROS;
  if (n < 8) return digitsBelow8(word, n);
  const more = n - 8;
  return digits8(word) * tenToThe(more) + digitsBelow8(load<u64>(p, 8) ^ ZEROS, more);
}

function accept(p: usize, negative: bool, magnitude: f64): usize {
  parsed.value = negative ? -magnitude : magnitude;
  return p;
}

/** p: at the suffix `i` or `u`. */
function acceptInteger(p: usize, suffix: u32, negative: bool, magnitude: u64): usize {
  if (!isTerminator(u32(load<u8>(p, 1)))) return fail(LineError.BadValue);
  if (suffix == 'u'.charCodeAt(0)) {
    if (negative) return fail(LineError.BadValue);
    parsed.value = f64(magnitude);
    return p + 1;
  }
  if (magnitude > u64(i64.MAX_VALUE) + u64(negative)) return fail(LineError.OutOfRange);
  // By way of the integer: -0i is 0.
  const signed: i64 = negative ? -i64(magnitude) : i64(magnitude);
  parsed.value = f64(signed);
  return p + 1;
}

/** Reads [+-]digits; returns the address behind, 0 when there is no digit. */
function readExponent(p: usize): usize {
  let c = u32(load<u8>(p));
  const negative = c == MINUS;
  if (negative || c == PLUS) c = u32(load<u8>(++p));
  if (!isDigit(c)) return 0;
  let exponent = 0;
  do {
    if (exponent < EXPONENT_CAP) exponent = exponent * 10 + i32(c - ZERO);
    c = u32(load<u8>(++p));
  } while (isDigit(c));
  parsed.exponent = negative ? -exponent : exponent;
  return p;
}

/** What is not a number: a string and the spellings of a boolean are of a type that is not supported, all else is bad. */
function failUnlikeNumber(p: usize, negative: bool): usize {
  const first = u32(load<u8>(p));
  if (negative) return fail(LineError.BadValue);
  if (first == QUOTE) return fail(LineError.UnsupportedType);
  let length = 0;
  while (!isTerminator(u32(load<u8>(p + length)))) length++;
  return fail(isBoolean(p, length) ? LineError.UnsupportedType : LineError.BadValue);
}

/** Parses the boolean at p as 0 or 1. Returns and fails as `parseTerminated`. */
export function parseBoolean(p: usize): usize {
  let length = 0;
  while (!isTerminator(u32(load<u8>(p + length)))) length++;
  if (!isBoolean(p, length)) return fail(LineError.BadValue);
  parsed.value = (load<u8>(p) | 0x20) == 't'.charCodeAt(0) ? 1 : 0;
  return p + length;
}

/** Whether the text is one of: t T true True TRUE f F false False FALSE. */
function isBoolean(p: usize, length: i32): bool {
  const first = u32(load<u8>(p));
  if (length == 1) return (first | 0x20) == 't'.charCodeAt(0) || (first | 0x20) == 'f'.charCodeAt(0);
  if (length == 4) {
    const word = load<u32>(p);
    return word == 0x65757274 || word == 0x65757254 || word == 0x45555254; // true True TRUE
  }
  if (length == 5) {
    const rest = load<u32>(p, 1);
    if (rest == 0x65736c61) return (first | 0x20) == 'f'.charCodeAt(0); // false False
    return first == 'F'.charCodeAt(0) && rest == 0x45534c41; // FALSE
  }
  return false;
}

/** Slow path: any number of digits. start: behind the sign; at least one digit is there. */
function parseLong(start: usize, negative: bool): usize {
  let p = start;
  let mantissa: u64 = 0;
  let kept = 0;
  let exponent = 0;
  let inexact = false;
  let c = u32(load<u8>(p));
  for (; isDigit(c); c = u32(load<u8>(++p))) {
    if (kept < DIGITS_MAX) {
      mantissa = mantissa * 10 + (c - ZERO);
      if (mantissa != 0) kept++;
    } else {
      exponent++;
      if (c != ZERO) inexact = true;
    }
  }
  if (c == POINT) {
    for (c = u32(load<u8>(++p)); isDigit(c); c = u32(load<u8>(++p))) {
      if (kept < DIGITS_MAX) {
        mantissa = mantissa * 10 + (c - ZERO);
        if (mantissa != 0) kept++;
        exponent--;
      } else if (c != ZERO) {
        inexact = true;
      }
    }
  } else if (c == 'i'.charCodeAt(0) || c == 'u'.charCodeAt(0)) {
    return acceptLongInteger(p, c, negative, mantissa, exponent);
  }
  const digitsEnd = p;

  if (!isTerminator(c)) {
    if ((c | 0x20) != 'e'.charCodeAt(0)) return fail(LineError.BadValue);
    p = readExponent(p + 1);
    if (p == 0 || !isTerminator(u32(load<u8>(p)))) return fail(LineError.BadValue);
    exponent += parsed.exponent;
  }
  let bits = roundDecimalBits(mantissa, exponent);
  if (inexact && bits != INFINITY_BITS && bits != roundDecimalBits(mantissa + 1, exponent)) {
    bits = roundExactly(bits, start, digitsEnd, exponent);
  }
  if (bits == INFINITY_BITS) return fail(LineError.OutOfRange);
  return accept(p, negative, reinterpret<f64>(bits));
}

/** mantissa: the first 19 significant digits; left: how many follow them, up to p, at the suffix `i` or `u`. */
function acceptLongInteger(p: usize, suffix: u32, negative: bool, mantissa: u64, left: i32): usize {
  if (!isTerminator(u32(load<u8>(p, 1)))) return fail(LineError.BadValue);
  if (suffix == 'u'.charCodeAt(0) && negative) return fail(LineError.BadValue);
  if (left > 1) return fail(LineError.OutOfRange);
  if (left == 1) {
    const last = u64(load<u8>(p - 1) - u8(ZERO));
    if (mantissa > (u64.MAX_VALUE - last) / 10) return fail(LineError.OutOfRange);
    mantissa = mantissa * 10 + last;
  }
  return acceptInteger(p, suffix, negative, mantissa);
}

/**
 * Parses the digits at p into parsed.integer. `end` as in parseValue. Returns the address behind the last digit, whatever follows
 * it, or 0 when there is no digit or the integer passes 2^63 - 1.
 */
export function parseUnsigned(p: usize, end: usize): usize {
  const behind = load<u8>(end);
  if (behind != NEWLINE) store<u8>(end, NEWLINE);
  const count = min(i32(ctz(nonDigits32(p))), 16);
  let value = digits16(p, count);
  let next = p + count;
  if (count == 16) {
    for (let c = u32(load<u8>(next)); isDigit(c); c = u32(load<u8>(++next))) {
      // Once above 2^63 - 1 the value stays there, so that the loop ends at the last digit all the same.
      if (value > u64(i64.MAX_VALUE) / 10) value = u64.MAX_VALUE;
      else value = value * 10 + (c - ZERO);
    }
  }
  if (behind != NEWLINE) store<u8>(end, behind);
  if (count == 0 || value > u64(i64.MAX_VALUE)) return 0;
  parsed.integer = value;
  return next;
}
