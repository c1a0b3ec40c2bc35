/**
 * Exact rounding of a decimal with more than 19 digits that stays between two doubles after Eisel-Lemire.
 *
 * 1. The decimal is D * 10^E with all its digits in D; the point halfway to the next double is H * 2^B.
 * 2. Both are multiplied by powers of five and two until they are integers.
 * 3. They are compared: below half stays, above goes up, exactly half goes to the even mantissa.
 *
 * Integers are little-endian arrays of 32-bit words. As in fast_float, digits beyond the longest halfway point (768) only
 * matter by being there or not.
 */

/** Significant digits read exactly; more than any halfway point between two doubles has. */
const DIGITS_MAX = 800;
/** Both sides stay below 10^801 * 2^64, that is 2725 bits. */
const WORDS_MAX = 128;

const MANTISSA_BITS = 52;
/** Exponent of the mantissa's lowest bit in a subnormal number. */
const SUBNORMAL_EXPONENT = -1074;
const FIVE_POW_13: u32 = 1220703125;

const decimal: usize = memory.data(WORDS_MAX * 4, 16);
const halfway: usize = memory.data(WORDS_MAX * 4, 16);

/** words = words * factor + addend; returns the new count of words. */
function multiplyAdd(words: usize, count: i32, factor: u32, addend: u32): i32 {
  let carry = u64(addend);
  for (let i = 0; i < count; i++) {
    const at = words + (usize(i) << 2);
    const product = u64(load<u32>(at)) * factor + carry;
    store<u32>(at, u32(product));
    carry = product >> 32;
  }
  if (carry == 0) return count;
  store<u32>(words + (usize(count) << 2), u32(carry));
  return count + 1;
}

function multiplyByPowerOfFive(words: usize, count: i32, power: i32): i32 {
  for (; power >= 13; power -= 13) count = multiplyAdd(words, count, FIVE_POW_13, 0);
  for (; power > 0; power--) count = multiplyAdd(words, count, 5, 0);
  return count;
}

function shiftLeft(words: usize, count: i32, bits: i32): i32 {
  count = multiplyAdd(words, count, u32(1) << (bits & 31), 0);
  const whole = bits >> 5;
  memory.copy(words + (usize(whole) << 2), words, usize(count) << 2);
  memory.fill(words, 0, usize(whole) << 2);
  return count + whole;
}

/** What `readDigits` has put into `decimal`. */
@unmanaged
class Read {
  digits: i32;
  words: i32;
}

const read = changetype<Read>(memory.data(offsetof<Read>(), 8));

/** Reads significant digits of p..end (digits and at most one '.') into `decimal`. */
function readDigits(p: usize, end: usize): void {
  let count = 0;
  let digits = 0;
  for (; p < end; p++) {
    const digit = u32(load<u8>(p)) - 0x30;
    if (digit > 9 || (digits == 0 && digit == 0)) continue;
    if (digits == DIGITS_MAX) {
      if (digit == 0) continue;
      // Any digit that is not 0 puts the rest above the kept ones: one 1 says so.
      digits++;
      count = multiplyAdd(decimal, count, 10, 1);
      break;
    }
    count = multiplyAdd(decimal, count, 10, digit);
    digits++;
  }
  read.digits = digits;
  read.words = count;
}

/**
 * Chooses between the double `lower` (bits, positive, finite) and the next one for the decimal in the text start..end (digits and
 * at most one '.', more than 19 of them significant). `exponent` is the power of ten that belongs to the 19th significant digit.
 */
export function roundExactly(lower: u64, start: usize, end: usize, exponent: i32): u64 {
  readDigits(start, end);
  let decimalCount = read.words;
  const power = exponent + 19 - read.digits;

  const field = i32(lower >> MANTISSA_BITS);
  let mantissa = lower & ((u64(1) << MANTISSA_BITS) - 1);
  let binary = SUBNORMAL_EXPONENT;
  if (field != 0) {
    mantissa |= u64(1) << MANTISSA_BITS;
    binary += field - 1;
  }
  const half = (mantissa << 1) | 1;
  store<u32>(halfway, u32(half));
  store<u32>(halfway, u32(half >> 32), 4);
  let halfwayCount = half >> 32 == 0 ? 1 : 2;

  if (power >= 0) decimalCount = multiplyByPowerOfFive(decimal, decimalCount, power);
  else halfwayCount = multiplyByPowerOfFive(halfway, halfwayCount, -power);
  const shift = binary - 1 - power;
  if (shift >= 0) halfwayCount = shiftLeft(halfway, halfwayCount, shift);
  else decimalCount = shiftLeft(decimal, decimalCount, -shift);

  if (decimalCount != halfwayCount) return lower + u64(decimalCount > halfwayCount);
  for (let i = decimalCount - 1; i >= 0; i--) {
    const a = load<u32>(decimal + (usize(i) << 2));
    const b = load<u32>(halfway + (usize(i) << 2));
    if (a != b) return lower + u64(a > b);
  }
  return lower + (lower & 1);
}
