/**
 * Late samples: those that fall before a series' open block. They are kept as plain doubles in loose blocks (blocks.ts), which
 * the next seal compresses.
 */
import { Kind, alloc, capacity, free, realloc } from '../memory/alloc';
import { DIRTY, Entry, LOOSE, LOOSE_BINS, blockIndex, makeRoom, sealLoose } from './blocks';
import { MAX_BINS, decodeBlock } from '../codec/block';
import { fillNaN } from '../read/kernels';
import { HAS_LOOSE, OPEN_BINS, blockCountOf, openStart, setSeriesFlag, settledChanged } from './series';

/** Turns a sealed block into a loose one so that it can be written. */
function loosen(s: usize, e: usize): bool {
  const n = Entry.count(e);
  const loose = alloc(<u32>(LOOSE_BINS + (<usize>n << 3) + 64), Kind.OPEN);
  if (!loose) return false;
  store<i32>(loose, n);
  decodeBlock(Entry.block(e), loose + LOOSE_BINS);
  free(Entry.block(e), Kind.SEALED);
  store<u32>(e, <u32>loose | LOOSE | DIRTY);
  setSeriesFlag(s, HAS_LOOSE, true);
  return true;
}

/**
 * Writes a bin before the open block. Late samples are kept wherever they fall: in a block, beside one, or alone.
 * False when memory is exhausted.
 */
export function writeLate(s: usize, bin: i32, value: f64): bool {
  settledChanged(s);
  const i = blockIndex(s, bin);
  const limit = i + 1 < blockCountOf(s) ? Entry.start(Entry.at(s, i + 1)) : openStart(s);
  if (i >= 0) {
    const e = Entry.at(s, i);
    const offset = bin - Entry.start(e);
    if (offset < Entry.count(e)) {
      if (!Entry.isLoose(e) && !loosen(s, e)) return false;
      store<f64>(Entry.bins(e) + (<usize>offset << 3), value);
      store<u32>(e, load<u32>(e) | DIRTY);
      return true;
    }
    // A loose block close before: late samples mostly come in order, so it grows with them.
    if (Entry.isLoose(e) && offset < MAX_BINS && offset < Entry.count(e) + OPEN_BINS) return extendLoose(s, e, offset, value);
  }
  if (i + 1 < blockCountOf(s)) {
    const e = Entry.at(s, i + 1);
    const ahead = limit - bin;
    if (Entry.isLoose(e) && ahead <= OPEN_BINS && ahead + Entry.count(e) <= MAX_BINS) return prependLoose(e, ahead, value);
  }
  const loose = alloc(<u32>LOOSE_BINS + 64, Kind.OPEN);
  if (!loose) return false;
  if (!makeRoom(s, i + 1)) {
    free(loose, Kind.OPEN);
    return false;
  }
  store<i32>(loose, 1);
  store<f64>(loose + LOOSE_BINS, value);
  const e = Entry.at(s, i + 1);
  store<u32>(e, <u32>loose | LOOSE | DIRTY);
  store<i32>(e, bin, 4);
  setSeriesFlag(s, HAS_LOOSE, true);
  return true;
}

/** Grows a loose block so that it ends with the bin at `offset`. */
function extendLoose(s: usize, e: usize, offset: i32, value: f64): bool {
  const n = Entry.count(e);
  const need = <u32>LOOSE_BINS + ((offset + 1) << 3);
  let p = Entry.block(e);
  if (capacity(p) < need) {
    p = realloc(p, min(need * 2, <u32>LOOSE_BINS + (MAX_BINS << 3)), Kind.OPEN);
    if (!p) return false;
  }
  fillNaN(p + LOOSE_BINS + (<usize>n << 3), offset - n);
  store<f64>(p + LOOSE_BINS + (<usize>offset << 3), value);
  store<i32>(p, offset + 1);
  store<u32>(e, <u32>p | LOOSE | DIRTY);
  // A full one is compressed at once: a long backfill would otherwise sit there uncompressed.
  if (offset + 1 == MAX_BINS) sealLoose(s);
  return true;
}

/** Grows a loose block to the front by `ahead` bins and writes the first. */
function prependLoose(e: usize, ahead: i32, value: f64): bool {
  const n = Entry.count(e);
  const p = realloc(Entry.block(e), <u32>LOOSE_BINS + ((n + ahead) << 3), Kind.OPEN);
  if (!p) return false;
  memory.copy(p + LOOSE_BINS + (<usize>ahead << 3), p + LOOSE_BINS, <usize>n << 3);
  fillNaN(p + LOOSE_BINS, ahead);
  store<f64>(p + LOOSE_BINS, value);
  store<i32>(p, n + ahead);
  store<u32>(e, <u32>p | LOOSE | DIRTY);
  store<i32>(e, Entry.start(e) - ahead, 4);
  return true;
}
