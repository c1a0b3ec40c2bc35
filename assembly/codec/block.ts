/**
 * Sealed blocks: n = 1..512 consecutive bins in as few bytes as they take without loss. Every bin reads back bit by bit;
 * only NaNs (missing bins) all become the canonical one. This file is the way in; layout.ts draws the bytes.
 */
import { Codec } from '../../src/wasm/codecs';
import { checkEntries, decodeEntries } from './entries';
import { checkGaps, gapsEnd, punchGaps } from './gaps';
import { addIntegers, checkIntegers, decodeIntegers, hasMisfits } from './integers';
import {
  align8, blockCodec, blockCount, blockGaps, blockSize, CONSTANT_SIZE, EMPTY_SIZE, HEADER_SIZE, MAX_BINS, VALUE_OFFSET,
} from './layout';
import { VALUES } from './scratch';
import { checkSplit, decodeSplit } from './split';

export { blockBound, encodeBlock } from './encode';
export { blockCodec, blockCount, blockGaps, blockMax, blockMin, blockSize, blockSum, MAX_BINS } from './layout';

function fill(dst: usize, count: i32, v: f64): void {
  const both = f64x2.splat(v);
  const end = dst + (<usize>count << 3);
  for (; dst + 16 <= end; dst += 16) v128.store(dst, both);
  if (dst < end) store<f64>(dst, v);
}

/** dst[i] += source[i]. */
function addBins(source: usize, count: i32, dst: usize): void {
  const end = dst + (<usize>count << 3);
  for (; dst + 32 <= end; dst += 32, source += 32) {
    v128.store(dst, f64x2.add(v128.load(dst), v128.load(source)));
    v128.store(dst, f64x2.add(v128.load(dst, 16), v128.load(source, 16)), 16);
  }
  for (; dst < end; dst += 8, source += 8) store<f64>(dst, load<f64>(dst) + load<f64>(source));
}

function decodeConstant(block: usize, dst: usize): void {
  const count = blockCount(block);
  const gaps = blockGaps(block);
  fill(dst, count, gaps == count ? NaN : load<f64>(block, VALUE_OFFSET));
  if (gaps > 0 && gaps < count) punchGaps(block + CONSTANT_SIZE, count, dst);
}

/** Writes all bins of a sound block to `dst` (8 bytes each). */
export function decodeBlock(block: usize, dst: usize): void {
  const codec = blockCodec(block);
  if (codec == Codec.Constant) {
    decodeConstant(block, dst);
    return;
  }
  const count = blockCount(block);
  if (codec == Codec.Raw) {
    memory.copy(dst, block + HEADER_SIZE, <usize>count << 3);
    return;
  }
  const gaps = blockGaps(block);
  const section = block + HEADER_SIZE;
  const body = gaps > 0 ? gapsEnd(section, count) : section;
  if (codec == Codec.Split) decodeSplit(block, body, dst);
  else if (codec == Codec.Sparse || codec == Codec.Runs) decodeEntries(block, body, dst);
  else decodeIntegers(block, body, dst);
  if (gaps > 0) punchGaps(section, count, dst);
}

/** acc[i] += value[i] for all bins of a sound block; a missing bin makes its sum NaN. */
export function addBlock(block: usize, acc: usize): void {
  const codec = blockCodec(block);
  const count = blockCount(block);
  if (codec == Codec.Raw) {
    addBins(block + HEADER_SIZE, count, acc);
  } else if (codec >= Codec.DecimalFrame && codec <= Codec.BitsDelta && blockGaps(block) == 0 && !hasMisfits(block)) {
    addIntegers(block, block + HEADER_SIZE, acc);
  } else {
    decodeBlock(block, VALUES);
    addBins(VALUES, count, acc);
  }
}

/**
 * Checks that a block read from disk is whole and that decoding it stays within its bytes, its bins and the scratch
 * memory; `available` bytes are there. Values are not checked (a checksum's task). Holds for any bytes.
 */
export function blockIsSound(block: usize, available: i32): bool {
  if (available < EMPTY_SIZE) return false;
  const codec = blockCodec(block);
  const count = blockCount(block);
  const gaps = blockGaps(block);
  const size = blockSize(block);
  if (count == 0 || count > MAX_BINS || gaps > count || size > available || codec > Codec.Raw) return false;
  if (load<u32>(block, 4) >> 30) return false;
  if (codec == Codec.Constant && gaps == count) return size == EMPTY_SIZE;

  const end = block + size;
  let body = block + (codec == Codec.Constant ? CONSTANT_SIZE : HEADER_SIZE);
  if (body > end) return false;
  if (codec == Codec.Raw) return size == HEADER_SIZE + 8 * count;
  if (gaps == count) return false;
  if (gaps > 0) body = checkGaps(body, end, count, gaps);
  if (body == 0) return false;
  if (codec == Codec.Split) body = checkSplit(block, body, end);
  else if (codec == Codec.Sparse || codec == Codec.Runs) body = checkEntries(block, body, end);
  else if (codec != Codec.Constant) body = checkIntegers(block, body, end);
  return body != 0 && align8(<i32>(body - block)) == size;
}
