/** Blocks that were read from a file, put into a series' block table. */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { free } from '../memory/alloc';
import { blockIndex, closeRoom, copyBlock, dropBlock, makeRoom } from './blocks';
import { decodeBlock } from '../codec/block';
import { Block } from '../codec/layout';
import { writeLate } from './late';
import { Series } from './records';
import { settledChanged } from './series';

/**
 * Puts a sealed block that was read from a file into the table, replacing what it covers: files are read oldest first,
 * so the newer of two blocks of the same bins wins. The bytes are copied.
 * @param dirty the block must go into the next checkpoint. @returns false when memory is exhausted.
 */
export function insertSealed(s: Series, bin: i32, block: Block, dirty: bool): bool {
  settledChanged(s);
  const end = bin + block.count;
  let first = blockIndex(s, bin);
  if (first < 0 || s.block(first).end <= bin) first++;
  let last = first;
  while (last < s.blockCount && s.block(last).start < end) last++;
  if (last > first) {
    // Overlaps that stick out keep their outer bins: merge everything into samples of the wider range.
    if (s.block(first).start < bin || s.block(last - 1).end > end) return overlay(s, bin, block);
    for (let i = first; i < last; i++) dropBlock(s.block(i));
    closeRoom(s, first, last - first);
  }
  const copy = copyBlock(block);
  if (!copy) return false;
  if (!makeRoom(s, first)) {
    free(copy.at(0), MemoryKind.SealedBlocks);
    return false;
  }
  const row = s.block(first);
  row.setSealed(copy, dirty);
  row.start = bin;
  return true;
}

const overlayScratch: usize = memory.data(8 * 512 + 64, 16);

/** Writes a block's bins one by one over what is there. */
function overlay(s: Series, bin: i32, block: Block): bool {
  const n = block.count;
  decodeBlock(block, overlayScratch);
  for (let i = 0; i < n; i++) {
    const v = load<f64>(overlayScratch + (<usize>i << 3));
    if (v == v && !writeLate(s, bin + i, v)) return false;
  }
  return true;
}
