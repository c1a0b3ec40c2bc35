/**
 * Doubles as decimal-scaled integers, after ALP (Afroozeh, Kuffó, Boncz, SIGMOD 2024): a value that was printed with k
 * decimals is an integer i, correctly rounded i / 10^k; some computed values are i * 10^-k instead.
 *
 * Steps for a block:
 *  1. look at a few bins: how many decimals do they have, by which of the two formulas?
 *  2. convert all bins; a bin that does not come back bit by bit is a misfit. With too many of them take more
 *     decimals, then the other formula, then give up
 *  3. subtract the least bin's integer (both sides know it from the header), divide by the common divisor.
 */
import { DECIMALS, FILLED } from './scratch';
import { Convert } from './sink';

/** Most decimals tried. */
export const MAX_PLACES: i32 = 10;
/** Most misfits of a block; the list has room for a few filler entries more. */
export const MAX_MISFITS: i32 = 12;

const SAMPLES: i32 = 8;
/** Misfits that are cheaper than more decimals for all bins. */
const TOLERATED_MISFITS: i32 = 2;
/** Below it v * 10^k is off by less than a half after two roundings. */
const EXACT_LIMIT: f64 = 2251799813685248;
const INTEGER_LIMIT: f64 = 9007199254740992;
/** Three roundings are off by less than 2^-51 of the whole; below 2^48 that is a small part of the way to the next integer. */
const THREE_ROUNDINGS: f64 = 4.440892098500626e-16;
const NEAR_LIMIT: f64 = 281474976710656;

const POWERS: usize = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]);
const INVERSES: usize = memory.data<f64>([1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10]);
/** Positions of the misfits (u16). */
const MISFITS: usize = memory.data(64, 8);

@unmanaged
class Decimals {
  /** Common divisor of the integers, at least 1. */
  divisor: i64;
  /** Decimals k of the block. */
  places: i32;
  /** A `Convert`. */
  formula: i32;
  /** Number of bins that are not decimals; see `misfitAt`. */
  misfits: i32;
}

/** Result of `planDecimals`. */
export const decimals = changetype<Decimals>(memory.data(offsetof<Decimals>(), 8));

/** Bin of the i-th misfit, ascending. */
export function misfitAt(i: i32): i32 {
  return load<u16>(MISFITS + (i << 1));
}

/** 10^k. */
export function power(k: i32): f64 {
  return load<f64>(POWERS + (k << 3));
}

/** The double nearest to 10^-k. */
export function inversePower(k: i32): f64 {
  return load<f64>(INVERSES + (k << 3));
}

/** The integer nearest to v * 10^k; saturates. */
export function scaledInteger(v: f64, k: i32): i64 {
  return <i64>nearest<f64>(v * power(k));
}

function divides(v: f64, k: i32): bool {
  return reinterpret<u64>(<f64>scaledInteger(v, k) / power(k)) == reinterpret<u64>(v);
}

function multiplies(v: f64, k: i32): bool {
  return reinterpret<u64>(<f64>scaledInteger(v, k) * inversePower(k)) == reinterpret<u64>(v);
}

/** Least k <= MAX_PLACES for which v is an integer below 2^53 divided by 10^k; -1 if there is none. */
export function decimalPlaces(v: f64): i32 {
  const size = abs<f64>(v);
  if (size < INTEGER_LIMIT && divides(v, 0)) return 0;
  // What has fewer decimals also has the most that stay exact, so one test settles most full-precision values.
  let most = MAX_PLACES;
  while (most > 0 && size * power(most) >= EXACT_LIMIT) most--;
  if (most == 0 || !divides(v, most)) return -1;
  for (let k = 1; k < most; k++) if (divides(v, k)) return k;
  return most;
}

/** Least k <= MAX_PLACES for which v is an integer below 2^53 times 10^-k; -1 if there is none. */
function multipliedPlaces(v: f64): i32 {
  // v is 10^-k times an integer with two roundings, so times 10^MAX_PLACES (a third) it is near an integer, or v is none.
  const scaled = v * power(MAX_PLACES);
  if (abs<f64>(scaled) < NEAR_LIMIT && abs<f64>(scaled - nearest<f64>(scaled)) > abs<f64>(scaled) * THREE_ROUNDINGS) return -1;
  for (let k = 0; k <= MAX_PLACES && abs<f64>(v) * power(k) < INTEGER_LIMIT; k++) if (multiplies(v, k)) return k;
  return -1;
}

/** Most places among a few bins, or -1 if more than a quarter of them have none. */
function samplePlaces(count: i32, convert: i32): i32 {
  let most = 0;
  let failed = 0;
  for (let s = 0; s < SAMPLES; s++) {
    const v = load<f64>(FILLED + ((<usize>(s * count) / SAMPLES) << 3));
    const k = convert == Convert.Divide ? decimalPlaces(v) : multipliedPlaces(v);
    if (k > most) most = k;
    if (k < 0 && ++failed > SAMPLES / 4) return -1;
  }
  return most;
}

/**
 * Converts the bins of FILLED to DECIMALS with k decimals; a misfit takes the integer before it.
 * @returns the decimals that the misfits would have needed, 0 if none needs more, or -1 if there are too many misfits.
 */
function convertBins(count: i32, convert: i32, k: i32): i32 {
  let wanted = 0;
  let before: i64 = 0;
  let misfits = 0;
  for (let i = 0; i < count; i++) {
    const v = load<f64>(FILLED + (<usize>i << 3));
    const fits = abs<f64>(v) * power(k) < INTEGER_LIMIT && (convert == Convert.Divide ? divides(v, k) : multiplies(v, k));
    if (fits) {
      before = scaledInteger(v, k);
    } else {
      if (misfits == MAX_MISFITS) return wanted > 0 ? wanted : -1;
      store<u16>(MISFITS + (misfits << 1), i);
      misfits++;
      const need = convert == Convert.Divide ? decimalPlaces(v) : multipliedPlaces(v);
      if (need > k) wanted = max(wanted, need);
    }
    store<i64>(DECIMALS + (<usize>i << 3), before);
  }
  decimals.misfits = misfits;
  return misfits > TOLERATED_MISFITS ? wanted : 0;
}

function convertBlock(count: i32, convert: i32): bool {
  let k = samplePlaces(count, convert);
  while (k >= 0) {
    const wanted = convertBins(count, convert, k);
    if (wanted <= 0) {
      decimals.places = k;
      decimals.formula = k == 0 ? Convert.Integer : convert;
      return wanted == 0;
    }
    k = wanted;
  }
  return false;
}

function commonDivisor(count: i32): i64 {
  let common: u64 = 0;
  for (let i = 0; i < count; i++) {
    let a = <u64>abs<i64>(load<i64>(DECIMALS + (<usize>i << 3)));
    if (a == 0) continue;
    let b = common;
    while (b != 0) {
      const rest = a % b;
      a = b;
      b = rest;
    }
    common = a;
    if (common == 1) break;
  }
  return common == 0 ? 1 : <i64>common;
}

/**
 * Finds the decimals of the bins in FILLED, whose least is `least`, and leaves their integers, relative to the least
 * bin's and divided by `divisor`, in DECIMALS.
 * @returns false if the bins are not decimals.
 */
export function planDecimals(count: i32, least: f64): bool {
  if (!convertBlock(count, Convert.Divide) && !convertBlock(count, Convert.Multiply)) return false;
  const reference = scaledInteger(least, decimals.places);
  for (let i = 0; i < count; i++) {
    const at = DECIMALS + (<usize>i << 3);
    store<i64>(at, load<i64>(at) - reference);
  }
  const divisor = commonDivisor(count);
  decimals.divisor = divisor;
  if (divisor == 1) return true;
  for (let i = 0; i < count; i++) {
    const at = DECIMALS + (<usize>i << 3);
    store<i64>(at, load<i64>(at) / divisor);
  }
  return true;
}
