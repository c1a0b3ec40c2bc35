/** Blocks that were read from a file, put into a series' block table. */
import { Kind, alloc, free } from '../memory/alloc';
import { DIRTY, Entry, blockIndex, closeRoom, dropBlock, makeRoom } from './blocks';
import { blockCount, blockSize, decodeBlock } from '../codec/block';
import { writeLate } from './late';
import { blockCountOf, settledChanged } from './series';

/**
 * Puts a sealed block that was read from a file into the table, replacing what it covers: files are read oldest first,
 * so the newer of two blocks of the same bins wins. The bytes are copied.
 * False when memory is exhausted.
 */
export function insertSealed(s: usize, bin: i32, block: usize, dirty: bool): bool {
  settledChanged(s);
  const n = blockCount(block);
  const end = bin + n;
  let first = blockIndex(s, bin);
  if (first < 0 || Entry.start(Entry.at(s, first)) + Entry.count(Entry.at(s, first)) <= bin) first++;
  let last = first;
  while (last < blockCountOf(s) && Entry.start(Entry.at(s, last)) < end) last++;
  if (last > first) {
    // Overlaps that stick out keep their outer bins: merge everything into samples of the wider range.
    const from = Entry.at(s, first);
    const to = Entry.at(s, last - 1);
    if (Entry.start(from) < bin || Entry.start(to) + Entry.count(to) > end) return overlay(s, bin, block);
    for (let i = first; i < last; i++) dropBlock(Entry.at(s, i));
    closeRoom(s, first, last - first);
  }
  const size = blockSize(block);
  const copy = alloc(size, Kind.SEALED);
  if (!copy) return false;
  memory.copy(copy, block, size);
  if (!makeRoom(s, first)) {
    free(copy, Kind.SEALED);
    return false;
  }
  const e = Entry.at(s, first);
  store<u32>(e, <u32>copy | (dirty ? DIRTY : 0));
  store<i32>(e, bin, 4);
  return true;
}

const overlayScratch: usize = memory.data(8 * 512 + 64, 16);

/** Writes a block's bins one by one over what is there. */
function overlay(s: usize, bin: i32, block: usize): bool {
  const n = blockCount(block);
  decodeBlock(block, overlayScratch);
  for (let i = 0; i < n; i++) {
    const v = load<f64>(overlayScratch + (<usize>i << 3));
    if (v == v && !writeLate(s, bin + i, v)) return false;
  }
  return true;
}
