/**
 * Bytes of blocks by the age of their newest bin: what says how much of the oldest must go to free so many bytes. Buckets
 * are as wide as 1/128 of their age, so a few wrong clocks, however wrong, make no bucket of all others wider.
 *
 *   bucket   0                         HALF - 1   HALF                      2 × HALF - 1
 *            ┌────────────────────────┬──────────┬────────────┬────────────────────────┐
 *            │ ended long ago     ... │ 1 s ago  │ ends now   │ ...   ends in long     │   bytes, u32 each
 *            └────────────────────────┴──────────┴────────────┴────────────────────────┘
 */
import { AgeHistogram } from '../../src/wasm/tables/codes';
import { capacity } from '../memory/alloc';
import { allSeries, nextStep, seriesByNumber } from './series';

const HALF: i32 = AgeHistogram.Half;
/** Bits of an f64's fraction, and its exponent of 1. */
const FRACTION_BITS: u64 = 52;
const EXPONENT_OF_ONE: i32 = 1023;

/** The buckets, drawn above; filled by `ageStep`. */
export const ageBuckets: usize = memory.data(4 * 2 * AgeHistogram.Half, 4);

@unmanaged
class Ages {
  /** Unix seconds that they count from. */
  now: i64;
}

const ages = changetype<Ages>(memory.data(offsetof<Ages>(), 8));

/** Empties the buckets. @param at unix seconds that ages count from. */
export function ageBegin(at: f64): void {
  ages.now = <i64>at;
  memory.fill(ageBuckets, 0, <usize>(2 * HALF) << 2);
}

/** Adds the blocks of series [from, from + n) by number, open ones included. @returns where to go on; `SeriesStep.End`. */
export function ageStep(from: u32, n: u32): f64 {
  const end = min(from + n, allSeries.end);
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    for (let k = 0; k < s.blockCount; k++) {
      const block = s.block(k);
      add(s.timeOf(block.end), block.bytes);
    }
    if (s.openLength) add(s.timeOf(s.openEnd), capacity(s.openBins) + 4);
  }
  return nextStep(end);
}

function add(end: i64, bytes: u32): void {
  const age = ages.now - end;
  const bucket = ageBuckets + (<usize>(age > 0 ? HALF - 1 - magnitude(age) : HALF + magnitude(1 - age)) << 2);
  store<u32>(bucket, load<u32>(bucket) + bytes);
}

/** The exponent and the first bits of the fraction of a number >= 1: it grows with the number, 128 steps a doubling. */
function magnitude(x: i64): i32 {
  const bits = <i32>(reinterpret<u64>(<f64>x) >> (FRACTION_BITS - AgeHistogram.Bits));
  return min(bits - (EXPONENT_OF_ONE << AgeHistogram.Bits), HALF - 1);
}
