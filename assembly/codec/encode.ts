/** Chooses the codec of a block and writes it. */
import { Codec } from '../../src/wasm/codecs';
import { divisor, formula, places, planDecimals, power } from './decimal';
import { entriesA, entriesB, planRuns, planSparse, writeEntries } from './entries';
import { gapsSize, writeGaps } from './gaps';
import { bitsB, decimalExtras, decimalsB, differences, integersA, integersSize, writeIntegers } from './integers';
import {
  align8, CONSTANT_SIZE, EMPTY_SIZE, HEADER_SIZE, MAX_OFFSET, MIN_OFFSET, SUM_OFFSET, VALUE_OFFSET, writeHeader,
} from './layout';
import { IMPOSSIBLE, mayTakeLess, PLAN_SIZE, planIntegers } from './plan';
import { common, commonCount, findCommon, gaps, greatest, least, profileBins, runs, sum } from './profile';
import { BIT_DELTAS, BITS, DECIMAL_DELTAS, DECIMALS, FILLED } from './scratch';
import { planSplit, writeSplit } from './split';

const FRAME_PLAN: usize = memory.data(PLAN_SIZE, 8);
const DELTA_PLAN: usize = memory.data(PLAN_SIZE, 8);

/** Bits per bin from which on a dictionary of upper bits is worth looking for. */
const SPLIT_FROM_BITS: i32 = 53;

let bestCodec: i32 = 0;
let bestSize: i32 = 0;

function offer(codec: i32, size: i32): void {
  if (size >= bestSize) return;
  bestSize = size;
  bestCodec = codec;
}

/** Steps of `chooseCodec` for decimals; false if the bins are none. */
function planDecimalItems(count: i32, before: i32): bool {
  if (!planDecimals(count, least)) return false;
  differences(DECIMALS, count, DECIMAL_DELTAS);
  offerPlans(Codec.DecimalFrame, DECIMALS, Codec.DecimalDelta, DECIMAL_DELTAS, count, before, decimalExtras(divisor));
  return true;
}

function planBitItems(count: i32, before: i32): void {
  makeBitItems(count);
  offerPlans(Codec.BitsFrame, BITS, Codec.BitsDelta, BIT_DELTAS, count, before, 0);
}

/** Fills BITS and BIT_DELTAS. */
function makeBitItems(count: i32): void {
  const references = i64x2.splat(reinterpret<i64>(least));
  for (let at: usize = 0; at < <usize>count << 3; at += 16) {
    v128.store(BITS + at, i64x2.sub(v128.load(FILLED + at), references));
  }
  differences(BITS, count, BIT_DELTAS);
}

/** Plans the differences, then the items themselves where these may be shorter. */
function offerPlans(frame: i32, items: usize, delta: i32, deltas: usize, count: i32, before: i32, extras: i32): void {
  const deltaSize = planIntegers(deltas, count, DELTA_PLAN);
  const frameSize = mayTakeLess(items, count, deltaSize) ? planIntegers(items, count, FRAME_PLAN) : IMPOSSIBLE;
  if (frameSize != IMPOSSIBLE) offer(frame, before + integersSize(FRAME_PLAN, count, frameSize, extras));
  if (deltaSize != IMPOSSIBLE) offer(delta, before + integersSize(DELTA_PLAN, count, deltaSize, extras));
}

/** Least bytes of a list entry: its step and a value as wide as the block's greatest. */
function entrySize(decimals: bool): i32 {
  if (!decimals) return 9;
  // Exceptions may all be smaller than the greatest bin if that is the common one.
  if (common == reinterpret<u64>(greatest)) return 2;
  const range = (greatest - least) * power(places);
  return range < 256 ? 2 : range < 65536 ? 3 : 5;
}

/**
 * Steps, on the profile of the bins; sizes are compared with the gap section but without rounding:
 *  1. exceptions from the most common value; below 1 bit a bin nothing but runs can beat them
 *  2. decimals, as they are and as differences; only if the bins are none: their bits
 *  3. exceptions again and runs, if their least size beats that
 *  4. a dictionary of upper bits, if everything else is close to raw.
 */
function chooseCodec(count: i32): void {
  const before = HEADER_SIZE + (gaps > 0 ? gapsSize(count) : 0);
  findCommon(count);
  const exceptions = count - commonCount;
  bestCodec = Codec.Raw;
  bestSize = HEADER_SIZE + 8 * count;
  if (exceptions <= count >> 4) offer(Codec.Sparse, before + planSparse(count, common, least, greatest));
  if (bestSize - before > count >> 3) {
    const decimals = planDecimalItems(count, before);
    if (!decimals) planBitItems(count, before);
    const entry = entrySize(decimals);
    if (exceptions > count >> 4 && before + exceptions * entry < bestSize) {
      offer(Codec.Sparse, before + planSparse(count, common, least, greatest));
    }
    if (before + runs * entry < bestSize) offer(Codec.Runs, before + planRuns(count, least));
  } else if (before + 2 * runs < bestSize) {
    offer(Codec.Runs, before + planRuns(count, least));
  }
  if (8 * (bestSize - before) > SPLIT_FROM_BITS * count) {
    const planned = planSplit(count);
    if (planned != IMPOSSIBLE) offer(Codec.Split, before + planned);
  }
}

function writeConstant(count: i32, out: usize): i32 {
  if (gaps == count) {
    writeHeader(out, Codec.Constant, 0, 0, count, gaps, EMPTY_SIZE);
    return EMPTY_SIZE;
  }
  store<f64>(out, least, VALUE_OFFSET);
  const end = gaps > 0 ? writeGaps(count, out + CONSTANT_SIZE) : out + CONSTANT_SIZE;
  store<u64>(end, 0);
  const size = align8(<i32>(end - out));
  writeHeader(out, Codec.Constant, 0, 0, count, gaps, size);
  return size;
}

/** Writes a block of a planned codec other than constant. */
function writeBlock(codec: i32, values: usize, count: i32, out: usize): i32 {
  store<f64>(out, sum, SUM_OFFSET);
  store<f64>(out, least, MIN_OFFSET);
  store<f64>(out, greatest, MAX_OFFSET);
  let end = out + HEADER_SIZE;
  if (codec != Codec.Raw && gaps > 0) end = writeGaps(count, end);
  let a = 0;
  let b = 0;
  if (codec == Codec.DecimalFrame || codec == Codec.DecimalDelta) {
    const plan = codec == Codec.DecimalFrame ? FRAME_PLAN : DELTA_PLAN;
    a = integersA(plan);
    b = decimalsB(plan, places, formula, divisor);
    end = writeIntegers(codec == Codec.DecimalFrame ? DECIMALS : DECIMAL_DELTAS, count, plan, true, divisor, end);
  } else if (codec == Codec.BitsFrame || codec == Codec.BitsDelta) {
    const plan = codec == Codec.BitsFrame ? FRAME_PLAN : DELTA_PLAN;
    a = integersA(plan);
    b = bitsB(plan);
    end = writeIntegers(codec == Codec.BitsFrame ? BITS : BIT_DELTAS, count, plan, false, 1, end);
  } else if (codec == Codec.Sparse || codec == Codec.Runs) {
    // Both share one plan, so it is made again.
    if (codec == Codec.Sparse) planSparse(count, common, least, greatest);
    else planRuns(count, least);
    a = entriesA();
    b = entriesB();
    end = writeEntries(least, end);
  } else if (codec == Codec.Split) {
    end = writeSplit(out, count, end);
    a = load<u8>(out, 1);
    b = load<u16>(out, 2);
  } else {
    for (let i = 0; i < count; i++, end += 8) {
      const v = load<f64>(values + (<usize>i << 3));
      store<f64>(end, isNaN(v) ? NaN : v);
    }
  }
  store<u64>(end, 0);
  const size = align8(<i32>(end - out));
  writeHeader(out, codec, a, b, count, gaps, size);
  return size;
}

/** Stores reach a word beyond a block's end; the choice of split leaves out fillers of its exceptions. */
const SLACK: i32 = 32;

/** Bytes that `encodeBlock` may write for n bins; no block is larger than a raw one. */
export function blockBound(n: i32): i32 {
  return HEADER_SIZE + 8 * n + SLACK;
}

/** Bytes that `encodeWith` may write for n bins: the widest list entries or patches. */
export function forcedBound(n: i32): i32 {
  return blockBound(n) + 2 * n + 1024;
}

/**
 * Encodes the n bins (1..512; NaN = missing) at `values`, which stay as they are, as the smallest block at `out`, where
 * blockBound(n) bytes are free.
 * @returns the block's size in bytes.
 */
export function encodeBlock(values: usize, n: i32, out: usize): i32 {
  profileBins(values, n);
  if (gaps == n || runs == 1) return writeConstant(n, out);
  chooseCodec(n);
  return writeBlock(bestCodec, values, n, out);
}

/**
 * As `encodeBlock`, but with the given codec, for tests; `out` has forcedBound(n) bytes.
 * @returns 0 if the codec cannot hold the bins.
 */
export function encodeWith(codec: i32, values: usize, n: i32, out: usize): i32 {
  profileBins(values, n);
  if (codec == Codec.Constant) return gaps == n || runs == 1 ? writeConstant(n, out) : 0;
  if (gaps == n) return 0;
  if (codec == Codec.DecimalFrame || codec == Codec.DecimalDelta) {
    if (!planDecimals(n, least)) return 0;
    differences(DECIMALS, n, DECIMAL_DELTAS);
    if (codec == Codec.DecimalFrame && planIntegers(DECIMALS, n, FRAME_PLAN) == IMPOSSIBLE) return 0;
    if (codec == Codec.DecimalDelta && planIntegers(DECIMAL_DELTAS, n, DELTA_PLAN) == IMPOSSIBLE) return 0;
  } else if (codec == Codec.BitsFrame || codec == Codec.BitsDelta) {
    makeBitItems(n);
    if (codec == Codec.BitsFrame && planIntegers(BITS, n, FRAME_PLAN) == IMPOSSIBLE) return 0;
    if (codec == Codec.BitsDelta && planIntegers(BIT_DELTAS, n, DELTA_PLAN) == IMPOSSIBLE) return 0;
  } else if (codec == Codec.Split && planSplit(n) == IMPOSSIBLE) {
    return 0;
  } else if (codec == Codec.Sparse) {
    findCommon(n);
  }
  return writeBlock(codec, values, n, out);
}
