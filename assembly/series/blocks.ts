/**
 * A series' block table: its bins older than the open block, as rows (block-ref.ts) sorted by first bin, not overlapping;
 * gaps between blocks are missing bins.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, capacity, free, realloc } from '../memory/alloc';
import { encodeBlock } from '../codec/encode';
import { Block, MAX_BINS } from '../codec/layout';
import { fillNaN } from '../memory/doubles';
import { BlockRef } from './block-ref';
import { OPEN_BINS, Series } from './records';
import { firstMergeLess, nextSealAt, settledChanged } from './series';

/** Sealed blocks that are merged into one. */
const MERGE: i32 = 4;

/** Scratch for one block's bins (with the codec's room behind them) and one encoded block. */
export const binsScratch: usize = memory.data(8 * 512 + 64, 16);
const blockScratch: usize = memory.data(8 * 512 + 512, 16);

/** The first bin that exists; meaningless for an empty series. */
export function firstBin(s: Series): i32 {
  return s.blockCount ? s.block(0).start : s.openStart;
}

/** One past the last bin that exists; meaningless for an empty series. */
export function endBin(s: Series): i32 {
  if (s.openLength || !s.blockCount) return s.openEnd;
  return s.block(s.blockCount - 1).end;
}

/** Index of the last block that starts at or before the bin; -1: none. */
export function blockIndex(s: Series, bin: i32): i32 {
  let low = 0;
  let high = s.blockCount;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (s.block(mid).start <= bin) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** Gives a row's block back; the row is the caller's to fill or to close. */
export function dropBlock(row: BlockRef): void {
  free(row.address, row.isLoose ? MemoryKind.OpenBlocks : MemoryKind.SealedBlocks);
}

/** Makes room for a row at index i, with garbage in it. False when memory is exhausted. */
export function makeRoom(s: Series, i: i32): bool {
  const rows = <u32>offsetof<BlockRef>();
  const need = <u32>(s.blockCount + 1) * rows;
  if (!s.blocks || capacity(s.blocks) < need) {
    const p = realloc(s.blocks, need + 2 * rows, MemoryKind.Index);
    if (!p) return false;
    s.blocks = p;
  }
  const row = changetype<usize>(s.block(i));
  memory.copy(row + rows, row, <usize>(s.blockCount - i) * rows);
  s.blockCount++;
  return true;
}

/** Takes `n` rows at index i out of the table; their blocks must have been dropped or moved. */
export function closeRoom(s: Series, i: i32, n: i32): void {
  const left = <usize>(s.blockCount - i - n) * offsetof<BlockRef>();
  memory.copy(changetype<usize>(s.block(i)), changetype<usize>(s.block(i + n)), left);
  s.blockCount -= n;
}

/** Compresses n bins into static scratch; valid until the next block is compressed. */
export function encodeBins(bins: usize, n: i32): Block {
  encodeBlock(bins, n, blockScratch);
  return changetype<Block>(blockScratch);
}

/** A copy of a block, owned by the caller; null when memory is exhausted. */
export function copyBlock(block: Block): Block | null {
  const copy = alloc(block.size, MemoryKind.SealedBlocks);
  if (copy) memory.copy(copy, block.at(0), block.size);
  return changetype<Block | null>(copy);
}

/** Seals the open block (which must not be empty). False when memory is exhausted: nothing has changed then. */
export function sealOpen(s: Series): bool {
  const n = s.openLength;
  const start = s.openStart;
  const block = copyBlock(encodeBins(s.openBins, n));
  if (!block) return false;
  const at = s.blockCount;
  if (!makeRoom(s, at)) {
    free(block.at(0), MemoryKind.SealedBlocks);
    return false;
  }
  const row = s.block(at);
  row.setSealed(block, true);
  row.start = start;
  s.openLength = 0;
  s.setOpenStart(start + n);
  s.setSealAt(nextSealAt(s, s.blockCount));
  if (s.hasLoose) sealLoose(s);
  mergeTail(s);
  return true;
}

/** Compresses what late samples left loose. Out of memory: it stays loose, which is only larger. */
export function sealLoose(s: Series): void {
  let left = false;
  for (let i = 0; i < s.blockCount; i++) {
    const row = s.block(i);
    if (!row.isLoose) continue;
    const block = copyBlock(encodeBins(row.loose.bins, row.count));
    if (!block) {
      left = true;
      continue;
    }
    free(row.address, MemoryKind.OpenBlocks);
    row.setSealed(block, true);
  }
  s.hasLoose = left;
}

/** How many blocks from the `first` on there must be for a merge; some series never merge their first block. */
function mergeAt(s: Series, first: i32): i32 {
  if (first || s.block(0).count > OPEN_BINS) return MERGE;
  const less = firstMergeLess(s);
  return less == MERGE - 1 ? i32.MAX_VALUE : MERGE - less;
}

/** Merges the newest blocks into one of up to MAX_BINS bins once there are enough of them: larger blocks compress better. */
function mergeTail(s: Series): void {
  const n = s.blockCount;
  if (n < 2) return;
  const end = s.block(n - 1).end;
  let first = n - 1;
  let bytes: u32 = 0;
  while (first >= 0 && end - s.block(first).start <= MAX_BINS) {
    bytes += s.block(first).sealed.size;
    first--;
  }
  first++;
  if (n - first < mergeAt(s, first)) return;
  const start = s.block(first).start;
  // In order: what decoding may overwrite behind a block is written again by the next one.
  for (let i = first; i < n; i++) {
    const row = s.block(i);
    if (row.isLoose) return;
    row.read(binsScratch + (<usize>(row.start - start) << 3));
    const nextStart = i + 1 < n ? s.block(i + 1).start : end;
    fillNaN(binsScratch + (<usize>(row.end - start) << 3), nextStart - row.end);
  }
  const merged = encodeBins(binsScratch, end - start);
  if (<u32>merged.size > bytes) return;
  const block = copyBlock(merged);
  if (!block) return;
  for (let i = first; i < n; i++) dropBlock(s.block(i));
  s.block(first).setSealed(block, true);
  s.blockCount = first + 1;
}

/** Drops the first n blocks of the table. */
export function dropFirst(s: Series, n: i32): void {
  settledChanged(s);
  for (let i = 0; i < n; i++) dropBlock(s.block(i));
  closeRoom(s, 0, n);
}

/** Moves the last block's bins back into the (empty) open block, which has room for them, so that it can grow on. */
export function reopenLast(s: Series): void {
  settledChanged(s);
  const row = s.block(s.blockCount - 1);
  const n = row.count;
  row.read(s.openBins);
  dropBlock(row);
  s.blockCount--;
  s.openLength = n;
  s.setOpenStart(row.start);
}

/** Gives all blocks and the table back. */
export function blocksFree(s: Series): void {
  for (let i = 0; i < s.blockCount; i++) dropBlock(s.block(i));
  free(s.blocks, MemoryKind.Index);
  s.blocks = 0;
  s.blockCount = 0;
}
