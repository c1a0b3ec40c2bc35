/**
 * Late samples: those that fall before a series' open block. They are kept as plain doubles in loose blocks (block-ref.ts),
 * which the next seal compresses.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, capacity, free, realloc } from '../memory/alloc';
import { BlockRef, LooseBlock } from './block-ref';
import { blockIndex, makeRoom, sealLoose } from './blocks';
import { decodeBlock } from '../codec/block';
import { MAX_BINS } from '../codec/layout';
import { fillNaN } from '../memory/doubles';
import { OPEN_BINS, Series } from './records';
import { settledChanged } from './series';

/** Room behind the bins of a new loose block: what decoding may overwrite, and late samples to come. */
const SPARE: u32 = 64;

function looseBytes(bins: i32): u32 {
  return <u32>offsetof<LooseBlock>() + (<u32>bins << 3);
}

/** Turns a sealed block into a loose one so that it can be written. False when memory is exhausted. */
function loosen(s: Series, row: BlockRef): bool {
  const n = row.count;
  const loose = changetype<LooseBlock | null>(alloc(looseBytes(n) + SPARE, MemoryKind.OpenBlocks));
  if (!loose) return false;
  loose.count = n;
  decodeBlock(row.sealed, loose.bins);
  free(row.address, MemoryKind.SealedBlocks);
  row.setLoose(loose);
  s.hasLoose = true;
  return true;
}

/**
 * Writes a bin before the open block. Late samples are kept wherever they fall: in a block, beside one, or alone.
 * False when memory is exhausted.
 */
export function writeLate(s: Series, bin: i32, value: f64): bool {
  settledChanged(s);
  const i = blockIndex(s, bin);
  if (i >= 0) {
    const row = s.block(i);
    const offset = bin - row.start;
    if (offset < row.count) {
      if (!row.isLoose && !loosen(s, row)) return false;
      const loose = row.loose;
      store<f64>(loose.bins + (<usize>offset << 3), value);
      row.isDirty = true;
      return true;
    }
    // A loose block close before: late samples mostly come in order, so it grows with them.
    if (row.isLoose && offset < MAX_BINS && offset < row.count + OPEN_BINS) return extend(s, row, offset, value);
  }
  if (i + 1 < s.blockCount) {
    const row = s.block(i + 1);
    const ahead = row.start - bin;
    if (row.isLoose && ahead <= OPEN_BINS && ahead + row.count <= MAX_BINS) return prepend(row, ahead, value);
  }
  const loose = changetype<LooseBlock | null>(alloc(looseBytes(0) + SPARE, MemoryKind.OpenBlocks));
  if (!loose) return false;
  if (!makeRoom(s, i + 1)) {
    free(changetype<usize>(loose), MemoryKind.OpenBlocks);
    return false;
  }
  loose.count = 1;
  store<f64>(loose.bins, value);
  const row = s.block(i + 1);
  row.setLoose(loose);
  row.start = bin;
  s.hasLoose = true;
  return true;
}

/** Grows a loose block so that it ends with the bin at `offset`. False when memory is exhausted. */
function extend(s: Series, row: BlockRef, offset: i32, value: f64): bool {
  const need = looseBytes(offset + 1);
  let loose = row.loose;
  if (capacity(row.address) < need) {
    const grown = changetype<LooseBlock | null>(realloc(row.address, min(need * 2, looseBytes(MAX_BINS)), MemoryKind.OpenBlocks));
    if (!grown) return false;
    loose = grown;
  }
  fillNaN(loose.bins + (<usize>loose.count << 3), offset - loose.count);
  store<f64>(loose.bins + (<usize>offset << 3), value);
  loose.count = offset + 1;
  row.setLoose(loose);
  // A full one is compressed at once: a long backfill would otherwise sit there uncompressed.
  if (offset + 1 == MAX_BINS) sealLoose(s);
  return true;
}

/** Grows a loose block to the front by `ahead` bins and writes the first. False when memory is exhausted. */
function prepend(row: BlockRef, ahead: i32, value: f64): bool {
  const n = row.count;
  const loose = changetype<LooseBlock | null>(realloc(row.address, looseBytes(n + ahead), MemoryKind.OpenBlocks));
  if (!loose) return false;
  memory.copy(loose.bins + (<usize>ahead << 3), loose.bins, <usize>n << 3);
  fillNaN(loose.bins, ahead);
  store<f64>(loose.bins, value);
  loose.count = n + ahead;
  row.setLoose(loose);
  row.start -= ahead;
  return true;
}
