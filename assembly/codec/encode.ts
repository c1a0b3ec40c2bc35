/** Chooses the codec of a block and writes it. */
import { Codec } from '../../src/wasm/tables/codecs';
import { decimals, planDecimals, power } from './decimal';
import { entriesA, entriesB, planRuns, planSparse, writeEntries } from './entries';
import { gapsSize, writeGaps } from './gaps';
import { bitsB, decimalExtras, decimalsB, differences, integersA, integersSize, writeIntegers } from './integers';
import { align8, Block, CONSTANT_SIZE, EMPTY_SIZE, HEADER_SIZE } from './layout';
import { IMPOSSIBLE, mayTakeLess, Plan, planIntegers } from './plan';
import { findCommon, profile, profileBins } from './profile';
import { BIT_DELTAS, BITS, DECIMAL_DELTAS, DECIMALS, FILLED } from './scratch';
import { planSplit, writeSplit } from './split';

const framePlan = changetype<Plan>(memory.data(offsetof<Plan>(), 8));
const deltaPlan = changetype<Plan>(memory.data(offsetof<Plan>(), 8));

/** Bits per bin from which on a dictionary of upper bits is worth looking for. */
const SPLIT_FROM_BITS: i32 = 53;

/** The codec that takes the least bytes so far. */
@unmanaged
class Choice {
  /** A `Codec`. */
  codec: i32;
  size: i32;

  offer(codec: i32, size: i32): void {
    if (size >= this.size) return;
    this.size = size;
    this.codec = codec;
  }
}

const best = changetype<Choice>(memory.data(offsetof<Choice>(), 8));

/** Steps of `chooseCodec` for decimals; false if the bins are none. */
function planDecimalItems(count: i32, before: i32): bool {
  if (!planDecimals(count, profile.least)) return false;
  differences(DECIMALS, count, DECIMAL_DELTAS);
  offerPlans(Codec.DecimalFrame, DECIMALS, Codec.DecimalDelta, DECIMAL_DELTAS, count, before, decimalExtras(decimals.divisor));
  return true;
}

function planBitItems(count: i32, before: i32): void {
  makeBitItems(count);
  offerPlans(Codec.BitsFrame, BITS, Codec.BitsDelta, BIT_DELTAS, count, before, 0);
}

/** Fills BITS and BIT_DELTAS. */
function makeBitItems(count: i32): void {
  const references = i64x2.splat(reinterpret<i64>(profile.least));
  for (let at: usize = 0; at < <usize>count << 3; at += 16) {
    v128.store(BITS + at, i64x2.sub(v128.load(FILLED + at), references));
  }
  differences(BITS, count, BIT_DELTAS);
}

/** Plans the differences, then the items themselves where these may be shorter. */
function offerPlans(frame: i32, items: usize, delta: i32, deltas: usize, count: i32, before: i32, extras: i32): void {
  const deltaSize = planIntegers(deltas, count, deltaPlan);
  const frameSize = mayTakeLess(items, count, deltaSize) ? planIntegers(items, count, framePlan) : IMPOSSIBLE;
  if (frameSize != IMPOSSIBLE) best.offer(frame, before + integersSize(framePlan, count, frameSize, extras));
  if (deltaSize != IMPOSSIBLE) best.offer(delta, before + integersSize(deltaPlan, count, deltaSize, extras));
}

/** Least bytes of a list entry: its step and a value as wide as the block's greatest. */
function entrySize(isDecimal: bool): i32 {
  if (!isDecimal) return 9;
  // Exceptions may all be smaller than the greatest bin if that is the common one.
  if (profile.common == reinterpret<u64>(profile.greatest)) return 2;
  const range = (profile.greatest - profile.least) * power(decimals.places);
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
  const before = HEADER_SIZE + (profile.gaps > 0 ? gapsSize(count) : 0);
  findCommon(count);
  const exceptions = count - profile.commonCount;
  best.codec = Codec.Raw;
  best.size = HEADER_SIZE + 8 * count;
  if (exceptions <= count >> 4) best.offer(Codec.Sparse, before + planSparse(count, profile.common, profile.least, profile.greatest));
  if (best.size - before > count >> 3) {
    const isDecimal = planDecimalItems(count, before);
    if (!isDecimal) planBitItems(count, before);
    const entry = entrySize(isDecimal);
    if (exceptions > count >> 4 && before + exceptions * entry < best.size) {
      best.offer(Codec.Sparse, before + planSparse(count, profile.common, profile.least, profile.greatest));
    }
    if (before + profile.runs * entry < best.size) best.offer(Codec.Runs, before + planRuns(count, profile.least));
  } else if (before + 2 * profile.runs < best.size) {
    best.offer(Codec.Runs, before + planRuns(count, profile.least));
  }
  if (8 * (best.size - before) > SPLIT_FROM_BITS * count) {
    const planned = planSplit(count);
    if (planned != IMPOSSIBLE) best.offer(Codec.Split, before + planned);
  }
}

function writeConstant(count: i32, out: usize): i32 {
  const block = changetype<Block>(out);
  if (profile.gaps == count) {
    block.setHeader(Codec.Constant, 0, 0, count, count, EMPTY_SIZE);
    return EMPTY_SIZE;
  }
  block.value = profile.least;
  const end = profile.gaps > 0 ? writeGaps(count, out + CONSTANT_SIZE) : out + CONSTANT_SIZE;
  store<u64>(end, 0);
  const size = align8(<i32>(end - out));
  block.setHeader(Codec.Constant, 0, 0, count, profile.gaps, size);
  return size;
}

/** Writes a block of a planned codec other than constant. */
function writeBlock(codec: i32, values: usize, count: i32, out: usize): i32 {
  const block = changetype<Block>(out);
  block.setStatistics(profile.sum, profile.least, profile.greatest);
  let end = out + HEADER_SIZE;
  if (codec != Codec.Raw && profile.gaps > 0) end = writeGaps(count, end);
  let a = 0;
  let b = 0;
  if (codec == Codec.DecimalFrame || codec == Codec.DecimalDelta) {
    const plan = codec == Codec.DecimalFrame ? framePlan : deltaPlan;
    a = integersA(plan);
    b = decimalsB(plan, decimals.places, decimals.formula, decimals.divisor);
    end = writeIntegers(codec == Codec.DecimalFrame ? DECIMALS : DECIMAL_DELTAS, count, plan, true, decimals.divisor, end);
  } else if (codec == Codec.BitsFrame || codec == Codec.BitsDelta) {
    const plan = codec == Codec.BitsFrame ? framePlan : deltaPlan;
    a = integersA(plan);
    b = bitsB(plan);
    end = writeIntegers(codec == Codec.BitsFrame ? BITS : BIT_DELTAS, count, plan, false, 1, end);
  } else if (codec == Codec.Sparse || codec == Codec.Runs) {
    // Both share one plan, so it is made again.
    if (codec == Codec.Sparse) planSparse(count, profile.common, profile.least, profile.greatest);
    else planRuns(count, profile.least);
    a = entriesA();
    b = entriesB();
    end = writeEntries(profile.least, end);
  } else if (codec == Codec.Split) {
    end = writeSplit(block, count, end);
    a = block.a;
    b = block.b;
  } else {
    for (let i = 0; i < count; i++, end += 8) {
      const v = load<f64>(values + (<usize>i << 3));
      store<f64>(end, isNaN(v) ? NaN : v);
    }
  }
  store<u64>(end, 0);
  const size = align8(<i32>(end - out));
  block.setHeader(codec, a, b, count, profile.gaps, size);
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
  if (profile.gaps == n || profile.runs == 1) return writeConstant(n, out);
  chooseCodec(n);
  return writeBlock(best.codec, values, n, out);
}

/**
 * As `encodeBlock`, but with the given codec, for tests; `out` has forcedBound(n) bytes.
 * @returns 0 if the codec cannot hold the bins.
 */
export function encodeWith(codec: i32, values: usize, n: i32, out: usize): i32 {
  profileBins(values, n);
  if (codec == Codec.Constant) return profile.gaps == n || profile.runs == 1 ? writeConstant(n, out) : 0;
  if (profile.gaps == n) return 0;
  if (codec == Codec.DecimalFrame || codec == Codec.DecimalDelta) {
    if (!planDecimals(n, profile.least)) return 0;
    differences(DECIMALS, n, DECIMAL_DELTAS);
    if (codec == Codec.DecimalFrame && planIntegers(DECIMALS, n, framePlan) == IMPOSSIBLE) return 0;
    if (codec == Codec.DecimalDelta && planIntegers(DECIMAL_DELTAS, n, deltaPlan) == IMPOSSIBLE) return 0;
  } else if (codec == Codec.BitsFrame || codec == Codec.BitsDelta) {
    makeBitItems(n);
    if (codec == Codec.BitsFrame && planIntegers(BITS, n, framePlan) == IMPOSSIBLE) return 0;
    if (codec == Codec.BitsDelta && planIntegers(BIT_DELTAS, n, deltaPlan) == IMPOSSIBLE) return 0;
  } else if (codec == Codec.Split && planSplit(n) == IMPOSSIBLE) {
    return 0;
  } else if (codec == Codec.Sparse) {
    findCommon(n);
  }
  return writeBlock(codec, values, n, out);
}
