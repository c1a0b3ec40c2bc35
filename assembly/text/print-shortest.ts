/**
 * Doubles as the shortest decimals that read back as the same double, of these the nearest: Raffaello Giulietti's Schubfach ("The
 * Schubfach way to render doubles", 2020), after Alexander Bolz's form of it in Drachennest.
 *
 * With x = c * 2^q, and k so that 10^k <= 2^q < 10^(k+1):
 *
 * 1. x and the ends of the interval that rounds to it, four times each and in units of 10^k: products of 192 bits with a power of ten from
 *    number-table.ts. The ends differ from x by half a unit of c, so one product and that power itself, shifted, give all three.
 * 2. If a multiple of 10^(k+1) is in the interval, it is the one; else of the two multiples of 10^k around x the one in it, or the nearer one.
 * 3. All digits at once by table, as 18 with zeros around them, which the bits of a comparison find.
 *
 * A whole number of thousandths needs none of that: most gauges and counters are one.
 */
import { printNine, printU64 } from './print-integer';
import { fractionGroup, groupLength, leadingGroup, middleGroup } from './print-table';
import { POWERS_OF_FIVE, SMALLEST_POWER } from './number-table';

/** Most bytes one value can take, stores past its end included: sign, 21 digits or 0.000000 and 17, exponent, and slack. */
export const SHORTEST_MAX_BYTES: i32 = 48;

const MANTISSA_BITS = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_SPECIAL = 0x7ff;
/** What is taken off a biased exponent to find q. */
const EXPONENT_OFFSET = 1023 + MANTISSA_BITS;

const ZERO: u8 = 0x30; // 0
const MINUS: u8 = 0x2d; // -
const PLUS: u8 = 0x2b; // +
const POINT: u8 = 0x2e; // .
const SMALL_E: u8 = 0x65; // e
const NAN_TEXT: u32 = 0x4e614e; // NaN
const INF_TEXT: u32 = 0x666e49; // Inf
/** `0.000000`, of which a number below 1 keeps the zeros that it has. */
const LEADING_ZEROS: u64 = 0x3030303030302e30;

/** Thousandths below this are all different doubles: none has shorter digits. */
const THOUSANDTHS_MAX: f64 = 1e15;
/** Part of a product by which it may miss the whole number that it rounds to: twice two roundings. */
const NEAR: f64 = 1 / <f64>(<u64>1 << 51);

/** Integer parts of up to so many digits have no exponent, and up to so many zeros behind the point. */
const MOST_WHOLE_DIGITS = 21;
const MOST_ZEROS = 5;

/** 18 digits, and zeros behind them, as far as a number's text may need them. */
const DIGITS = 18;
const DIGITS_ROOM = 64;
const digits: usize = memory.data(DIGITS_ROOM, 16);

/**
 * Writes x: plain for 1e-6 <= |x| < 1e21, else with an exponent of at least two digits; `NaN`, `+Inf`, `-Inf`, `-0`. Needs SHORTEST_MAX_BYTES of
 * room; returns the address behind the text.
 */
export function printShortest(dst: usize, x: f64): usize {
  const bits = reinterpret<u64>(x);
  const biased = i32(bits >> MANTISSA_BITS) & EXPONENT_SPECIAL;
  if (biased == EXPONENT_SPECIAL) return printSpecial(dst, bits);
  store<u8>(dst, MINUS);
  dst += usize(bits >> 63);
  const size = abs(x);
  const product = size * 1000;
  const thousandths = nearest(product);
  // The division decides; that it can be exact is cheaper to find out.
  if (product < THOUSANDTHS_MAX && abs(product - thousandths) <= product * NEAR && thousandths / 1000 == size) {
    return printThousandths(dst, u64(thousandths));
  }
  return printDecimal(dst, bits & MANTISSA_MASK, biased);
}

function printSpecial(dst: usize, bits: u64): usize {
  if (bits & MANTISSA_MASK) {
    store<u32>(dst, NAN_TEXT);
    return dst + 3;
  }
  store<u8>(dst, bits >> 63 ? MINUS : PLUS);
  store<u32>(dst + 1, INF_TEXT);
  return dst + 4;
}

function printThousandths(dst: usize, n: u64): usize {
  const whole = n / 1000;
  dst = printU64(dst, whole);
  const text = fractionGroup(u32(n - whole * 1000));
  store<u32>(dst, text);
  return dst + groupLength(text);
}

/** The upper half of a product. */
function upperProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** @param mantissa without its hidden bit, which a @param biased exponent above 0 says that there is. */
function printDecimal(dst: usize, mantissa: u64, biased: i32): usize {
  const c = biased ? mantissa | (u64(1) << MANTISSA_BITS) : mantissa;
  const q = max(biased, 1) - EXPONENT_OFFSET;
  // Below a power of two doubles are twice as dense.
  const isLowerNear = u64(mantissa == 0 && biased > 1);
  const k = (q * 1262611 - (isLowerNear ? 524031 : 0)) >> 22;
  const h = u64(q + ((-k * 1741647) >> 19) + 1);
  const entry = POWERS_OF_FIVE + (usize(-k - SMALLEST_POWER) << 4);
  let high = load<u64>(entry);
  let low = load<u64>(entry, 8);
  // A power that does not fit is to be rounded up; the table has cut it off, but from -27 on.
  if (-k > 55 || -k < -27) {
    low++;
    high += u64(low == 0);
  }

  // The product, and what half a unit of c makes of it.
  const n = (c << 2) << h;
  const x0 = low * n;
  const y0 = high * n;
  const x1 = y0 + upperProduct(low, n);
  const x2 = upperProduct(high, n) + u64(x1 < y0);
  const up = h + 1;
  const d0 = low << up;
  const d1 = (high << up) | (low >> (64 - up));
  const d2 = high >> (64 - up);
  const upper1 = x1 + d1 + u64(x0 + d0 < x0);
  const upper2 = x2 + d2 + u64(upper1 < x1 || (upper1 == x1 && x0 + d0 < x0));
  const down = up - isLowerNear;
  const e0 = low << down;
  const e1 = (high << down) | (low >> (64 - down));
  const e2 = high >> (64 - down);
  const borrow = u64(x0 < e0);
  const lower1 = x1 - e1 - borrow;
  const lower2 = x2 - e2 - u64(x1 < e1 || (x1 == e1 && borrow));

  // Below 1 in the middle word is what rounding the power has added: the product was whole.
  const odd = c & 1;
  const middle = x2 | u64(x1 > 1);
  const least = (lower2 | u64(lower1 > 1)) + odd;
  const most = (upper2 | u64(upper1 > 1)) - odd;
  const s = middle >> 2;
  if (s >= 10) {
    const tens = s / 10;
    const isDown = least <= 40 * tens;
    const isUp = 40 * tens + 40 <= most;
    if (isDown != isUp) return printScaled(dst, tens + u64(isUp), k + 1);
  }
  const isDown = least <= 4 * s;
  const isUp = 4 * s + 4 <= most;
  if (isDown != isUp) return printScaled(dst, s + u64(isUp), k);
  const half = 4 * s + 2;
  return printScaled(dst, s + u64(middle > half || (middle == half && s & 1)), k);
}

/** Writes n * 10^k, n of 1 to 18 digits. */
function printScaled(dst: usize, n: u64, k: i32): usize {
  const upper = n / 1000000000;
  printNine(digits, u32(upper));
  printNine(digits + 9, u32(n - upper * 1000000000));
  const zeros = i8x16.splat(ZERO);
  v128.store(digits, zeros, DIGITS);
  const others = i8x16.bitmask(i8x16.ne(v128.load(digits), zeros)) | (i8x16.bitmask(i8x16.ne(v128.load(digits, 16), zeros)) << 16);
  const first = i32(ctz(others));
  const count = 32 - i32(clz(others)) - first;
  const text = digits + first;
  // Of the first digit.
  const exponent = k + DIGITS - 1 - first;
  if (exponent >= 0 && exponent < MOST_WHOLE_DIGITS) {
    copy24(dst, text);
    const whole = exponent + 1;
    if (count <= whole) return dst + whole;
    copy24(dst + whole + 1, text + whole);
    store<u8>(dst + whole, POINT);
    return dst + count + 1;
  }
  if (exponent < 0 && -exponent <= MOST_ZEROS + 1) {
    store<u64>(dst, LEADING_ZEROS);
    copy24(dst + 1 - exponent, text);
    return dst + 1 - exponent + count;
  }
  return printExponent(dst, text, count, exponent);
}

/** Copies 24 bytes. What is behind the digits is written over, or not part of the text. */
function copy24(dst: usize, src: usize): void {
  v128.store(dst, v128.load(src));
  store<u64>(dst, load<u64>(src, 16), 16);
}

/** Writes `d.ddde-07`. */
function printExponent(dst: usize, text: usize, count: i32, exponent: i32): usize {
  copy24(dst + 1, text);
  store<u8>(dst, load<u8>(text));
  store<u8>(dst, POINT, 1);
  dst += usize(count) + usize(count > 1);
  store<u8>(dst, SMALL_E);
  store<u8>(dst, exponent < 0 ? MINUS : PLUS, 1);
  const size = u32(abs(exponent));
  const group = size < 100 ? middleGroup(size) >> 8 : leadingGroup(size);
  store<u32>(dst, group, 2);
  return dst + 2 + (size < 100 ? 2 : 3);
}

memory.fill(digits, ZERO, DIGITS_ROOM);
