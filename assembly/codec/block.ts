/**
 * Sealed blocks: n = 1..512 consecutive bins in as few bytes as they take without loss. Every bin reads back bit by bit;
 * only NaNs (missing bins) all become the canonical one. This file is the way in; layout.ts draws the bytes.
 */
import { Codec } from '../../src/wasm/tables/codecs';
import { addInto, fill } from '../memory/doubles';
import { checkEntries, decodeEntries } from './entries';
import { checkGaps, gapsEnd, punchGaps } from './gaps';
import { addIntegers, checkIntegers, decodeIntegers, hasMisfits } from './integers';
import { align8, Block, CONSTANT_SIZE, EMPTY_SIZE, HEADER_SIZE, MAX_BINS } from './layout';
import { VALUES } from './scratch';
import { checkSplit, decodeSplit } from './split';

function decodeConstant(block: Block, dst: usize): void {
  const count = block.count;
  const gaps = block.gaps;
  fill(dst, count, gaps == count ? NaN : block.value);
  if (gaps > 0 && gaps < count) punchGaps(block.at(CONSTANT_SIZE), count, dst);
}

/** Writes all bins of a sound block to `dst` (8 bytes each). */
export function decodeBlock(block: Block, dst: usize): void {
  const codec = <i32>block.codec;
  if (codec == Codec.Constant) {
    decodeConstant(block, dst);
    return;
  }
  const count = block.count;
  if (codec == Codec.Raw) {
    memory.copy(dst, block.at(HEADER_SIZE), <usize>count << 3);
    return;
  }
  const gaps = block.gaps;
  const section = block.at(HEADER_SIZE);
  const body = gaps > 0 ? gapsEnd(section, count) : section;
  if (codec == Codec.Split) decodeSplit(block, body, dst);
  else if (codec == Codec.Sparse || codec == Codec.Runs) decodeEntries(block, body, dst);
  else decodeIntegers(block, body, dst);
  if (gaps > 0) punchGaps(section, count, dst);
}

/** acc[i] += value[i] for all bins of a sound block; a missing bin makes its sum NaN. */
export function addBlock(block: Block, acc: usize): void {
  const codec = <i32>block.codec;
  const count = block.count;
  if (codec == Codec.Raw) {
    addInto(acc, block.at(HEADER_SIZE), count);
  } else if (codec >= Codec.DecimalFrame && codec <= Codec.BitsDelta && block.gaps == 0 && !hasMisfits(block)) {
    addIntegers(block, block.at(HEADER_SIZE), acc);
  } else {
    decodeBlock(block, VALUES);
    addInto(acc, VALUES, count);
  }
}

/**
 * Checks that a block read from disk is whole and that decoding it stays within its bytes, its bins and the scratch
 * memory; `available` bytes are there. Values are not checked (a checksum's task). Holds for any bytes.
 */
export function blockIsSound(block: Block, available: i32): bool {
  if (available < EMPTY_SIZE) return false;
  const codec = <i32>block.codec;
  const count = block.count;
  const gaps = block.gaps;
  const size = block.size;
  if (count == 0 || count > MAX_BINS || gaps > count || size > available || codec > Codec.Raw) return false;
  if (!block.isPlain) return false;
  if (codec == Codec.Constant && gaps == count) return size == EMPTY_SIZE;

  const end = block.at(size);
  let body = block.at(codec == Codec.Constant ? CONSTANT_SIZE : HEADER_SIZE);
  if (body > end) return false;
  if (codec == Codec.Raw) return size == HEADER_SIZE + 8 * count;
  if (gaps == count) return false;
  if (gaps > 0) body = checkGaps(body, end, count, gaps);
  if (body == 0) return false;
  if (codec == Codec.Split) body = checkSplit(block, body, end);
  else if (codec == Codec.Sparse || codec == Codec.Runs) body = checkEntries(block, body, end);
  else if (codec != Codec.Constant) body = checkIntegers(block, body, end);
  return body != 0 && align8(<i32>(body - block.at(0))) == size;
}
