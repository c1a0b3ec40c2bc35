/**
 * A series' block table: its bins older than the open block, sorted by first bin, not overlapping; gaps between blocks
 * are missing bins.
 *
 *   entry, 8 bytes   0                 4
 *                    ┌────────────────┬───────────┐
 *                    │ block at|O|D|L │ first bin │     L (bit 0): loose      D (bit 1): not in a checkpoint yet
 *                    └────────────────┴───────────┘     O (bit 2): the file that it was read from holds it as open
 *   sealed block: compressed, immutable; see codec/block.ts
 *   loose block, made by late samples, compressed at the next seal:
 *                    0        4       8
 *                    ┌────────┬───────┬──────────────────┐
 *                    │ count  │ -     │ count × f64      │
 *                    └────────┴───────┴──────────────────┘
 */
import { Kind, alloc, capacity, free, realloc } from '../memory/alloc';
import { MAX_BINS, blockCount, blockSize, decodeBlock, encodeBlock } from '../codec/block';
import { fillNaN } from '../read/kernels';
import {
  HAS_LOOSE,
  OPEN_BINS,
  blockCountOf,
  blockTable,
  firstMergeLess,
  nextSealAt,
  openBins,
  openLength,
  openStart,
  seriesFlag,
  setBlockCount,
  setBlockTable,
  setOpenLength,
  setOpenStart,
  setSealAt,
  setSeriesFlag,
  settledChanged,
} from './series';

const ENTRY: usize = 8;
/** Bits of an entry's first word, drawn above. */
export const LOOSE: u32 = 1;
export const DIRTY: u32 = 2;
const OPEN: u32 = 4;
const BITS: u32 = 7;
/** Offset of a loose block's bins. */
export const LOOSE_BINS: usize = 8;

/** Sealed blocks that are merged into one. */
const MERGE: i32 = 4;

/** Scratch for one block's bins (with the codec's room behind them) and one encoded block. */
export const binsScratch: usize = memory.data(8 * 512 + 64, 16);
const blockScratch: usize = memory.data(8 * 512 + 512, 16);

export namespace Entry {
  /** Address of the i-th entry. */
  // @ts-ignore: decorator
  @inline
  export function at(s: usize, i: i32): usize {
    return blockTable(s) + <usize>i * ENTRY;
  }
  // @ts-ignore: decorator
  @inline
  export function next(e: usize): usize {
    return e + ENTRY;
  }
  // @ts-ignore: decorator
  @inline
  export function block(e: usize): usize {
    return <usize>(load<u32>(e) & ~BITS);
  }
  // @ts-ignore: decorator
  @inline
  export function isLoose(e: usize): bool {
    return (load<u32>(e) & LOOSE) != 0;
  }
  // @ts-ignore: decorator
  @inline
  export function isDirty(e: usize): bool {
    return (load<u32>(e) & DIRTY) != 0;
  }
  export function setDirty(e: usize, on: bool): void {
    store<u32>(e, on ? load<u32>(e) | DIRTY : load<u32>(e) & ~DIRTY);
  }
  /** Marks a block that was read from a file as its series' newest bins, which were still growing. */
  export function markOpen(e: usize): void {
    store<u32>(e, load<u32>(e) | OPEN);
  }
  // @ts-ignore: decorator
  @inline
  export function isOpen(e: usize): bool {
    return (load<u32>(e) & OPEN) != 0;
  }
  /** First bin. */
  // @ts-ignore: decorator
  @inline
  export function start(e: usize): i32 {
    return load<i32>(e, 4);
  }
  /** Bins of the block. */
  // @ts-ignore: decorator
  @inline
  export function count(e: usize): i32 {
    return isLoose(e) ? load<i32>(block(e)) : blockCount(block(e));
  }
  /** Address of a loose block's bins. */
  // @ts-ignore: decorator
  @inline
  export function bins(e: usize): usize {
    return block(e) + LOOSE_BINS;
  }
  /** Writes all bins to dst; 64 bytes behind them may be overwritten. */
  export function read(e: usize, dst: usize): void {
    if (isLoose(e)) memory.copy(dst, bins(e), <usize>count(e) << 3);
    else decodeBlock(block(e), dst);
  }
  /** Bytes that the entry's block takes in memory. */
  export function bytes(e: usize): u32 {
    return capacity(block(e)) + 4;
  }
}

/** The first bin that exists; meaningless for an empty series. */
export function firstBin(s: usize): i32 {
  return blockCountOf(s) ? Entry.start(blockTable(s)) : openStart(s);
}

/** One past the last bin that exists; meaningless for an empty series. */
export function endBin(s: usize): i32 {
  if (openLength(s) || !blockCountOf(s)) return openStart(s) + openLength(s);
  const e = Entry.at(s, blockCountOf(s) - 1);
  return Entry.start(e) + Entry.count(e);
}

/** Index of the last block that starts at or before the bin; -1: none. */
export function blockIndex(s: usize, bin: i32): i32 {
  let low = 0;
  let high = blockCountOf(s);
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (Entry.start(Entry.at(s, mid)) <= bin) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** Gives an entry's block back; the entry is the caller's to fill or to close. */
export function dropBlock(e: usize): void {
  free(Entry.block(e), Entry.isLoose(e) ? Kind.OPEN : Kind.SEALED);
}

/** Makes room for an entry at index i, with garbage in it. False when memory is exhausted. */
export function makeRoom(s: usize, i: i32): bool {
  const n = blockCountOf(s);
  const need = <u32>(n + 1) * <u32>ENTRY;
  let p = blockTable(s);
  if (!p || capacity(p) < need) {
    p = realloc(p, need + 2 * <u32>ENTRY, Kind.INDEX);
    if (!p) return false;
    setBlockTable(s, p);
  }
  const e = p + <usize>i * ENTRY;
  memory.copy(e + ENTRY, e, <usize>(n - i) * ENTRY);
  setBlockCount(s, n + 1);
  return true;
}

/** Takes `n` entries at index i out of the table; their blocks must have been dropped or moved. */
export function closeRoom(s: usize, i: i32, n: i32): void {
  const count = blockCountOf(s);
  const e = Entry.at(s, i);
  memory.copy(e, e + <usize>n * ENTRY, <usize>(count - i - n) * ENTRY);
  setBlockCount(s, count - n);
}

/** Compresses n bins into static scratch; valid until the next block is compressed. */
export function encodeBins(bins: usize, n: i32): usize {
  encodeBlock(bins, n, blockScratch);
  return blockScratch;
}

/** Compresses n bins into a fresh block; 0 when memory is exhausted. */
function compress(bins: usize, n: i32): usize {
  const bytes = encodeBlock(bins, n, blockScratch);
  const block = alloc(bytes, Kind.SEALED);
  if (block) memory.copy(block, blockScratch, bytes);
  return block;
}

/** Seals the open block (which must not be empty). False when memory is exhausted: nothing has changed then. */
export function sealOpen(s: usize): bool {
  const n = openLength(s);
  const start = openStart(s);
  const block = compress(openBins(s), n);
  if (!block) return false;
  const at = blockCountOf(s);
  if (!makeRoom(s, at)) {
    free(block, Kind.SEALED);
    return false;
  }
  const e = Entry.at(s, at);
  store<u32>(e, <u32>block | DIRTY);
  store<i32>(e, start, 4);
  setOpenLength(s, 0);
  setOpenStart(s, start + n);
  setSealAt(s, nextSealAt(s, blockCountOf(s)));
  if (seriesFlag(s, HAS_LOOSE)) sealLoose(s);
  mergeTail(s);
  return true;
}

/** Compresses what late samples left loose. Out of memory: it stays loose, which is only larger. */
export function sealLoose(s: usize): void {
  let left = false;
  for (let i = 0; i < blockCountOf(s); i++) {
    const e = Entry.at(s, i);
    if (!Entry.isLoose(e)) continue;
    const block = compress(Entry.bins(e), Entry.count(e));
    if (!block) {
      left = true;
      continue;
    }
    free(Entry.block(e), Kind.OPEN);
    store<u32>(e, <u32>block | DIRTY);
  }
  setSeriesFlag(s, HAS_LOOSE, left);
}

/** How many blocks from the `first` on there must be for a merge; some series never merge their first block. */
function mergeAt(s: usize, first: i32): i32 {
  if (first || Entry.count(Entry.at(s, 0)) > OPEN_BINS) return MERGE;
  const less = firstMergeLess(s);
  return less == MERGE - 1 ? i32.MAX_VALUE : MERGE - less;
}

/** Merges the newest blocks into one of up to MAX_BINS bins once there are enough of them: larger blocks compress better. */
function mergeTail(s: usize): void {
  const n = blockCountOf(s);
  if (n < 2) return;
  const last = Entry.at(s, n - 1);
  const end = Entry.start(last) + Entry.count(last);
  let first = n - 1;
  let bytes: u32 = 0;
  while (first >= 0 && end - Entry.start(Entry.at(s, first)) <= MAX_BINS) {
    bytes += blockSize(Entry.block(Entry.at(s, first)));
    first--;
  }
  first++;
  if (n - first < mergeAt(s, first)) return;
  const start = Entry.start(Entry.at(s, first));
  // In order: what decoding may overwrite behind a block is written again by the next one.
  for (let i = first; i < n; i++) {
    const e = Entry.at(s, i);
    if (Entry.isLoose(e)) return;
    Entry.read(e, binsScratch + (<usize>(Entry.start(e) - start) << 3));
    const behind = Entry.start(e) + Entry.count(e);
    const nextStart = i + 1 < n ? Entry.start(Entry.at(s, i + 1)) : end;
    if (nextStart > behind) fillNaN(binsScratch + (<usize>(behind - start) << 3), nextStart - behind);
  }
  const size = encodeBlock(binsScratch, end - start, blockScratch);
  if (<u32>size > bytes) return;
  const block = alloc(size, Kind.SEALED);
  if (!block) return;
  memory.copy(block, blockScratch, size);
  for (let i = first; i < n; i++) dropBlock(Entry.at(s, i));
  const e = Entry.at(s, first);
  store<u32>(e, <u32>block | DIRTY);
  setBlockCount(s, first + 1);
}

/** Drops the first n blocks of the table. */
export function dropFirst(s: usize, n: i32): void {
  settledChanged(s);
  for (let i = 0; i < n; i++) dropBlock(Entry.at(s, i));
  closeRoom(s, 0, n);
}

/** Moves the last block's bins back into the (empty) open block, so that it can grow on. False when memory is exhausted. */
export function reopenLast(s: usize, bins: usize): void {
  settledChanged(s);
  const e = Entry.at(s, blockCountOf(s) - 1);
  const n = Entry.count(e);
  Entry.read(e, bins);
  const start = Entry.start(e);
  dropBlock(e);
  setBlockCount(s, blockCountOf(s) - 1);
  setOpenLength(s, n);
  setOpenStart(s, start);
}

/** Gives all blocks and the table back. */
export function blocksFree(s: usize): void {
  for (let i = 0; i < blockCountOf(s); i++) dropBlock(Entry.at(s, i));
  free(blockTable(s), Kind.INDEX);
  setBlockTable(s, 0);
  setBlockCount(s, 0);
}
