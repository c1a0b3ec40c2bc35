/** Reading bins [from, from + n) of a series: copied, added up, or as statistics. Missing bins are NaN. */
import { addBlock, decodeBlock } from '../codec/block';
import { Block } from '../codec/layout';
import { addInto, fillNaN } from '../memory/doubles';
import { BlockRef } from '../series/block-ref';
import { binsScratch, blockIndex } from '../series/blocks';
import { Series } from '../series/records';
import { stats } from './kernels';
import { Statistics } from './statistics';

const CACHE_LINE: usize = 64;

/** Copies the bins to dst. Precondition: 64 bytes behind dst's n bins may be overwritten. */
export function readBins(s: Series, from: i32, n: i32, dst: usize): void {
  eachBin(s, from, n, dst, false);
}

/** Adds the bins to acc; a missing bin makes the sum missing. */
export function addBins(s: Series, from: i32, n: i32, acc: usize): void {
  // Status pages ask for the last minutes of every thread of a cluster.
  const offset = from - s.openStart;
  if (offset >= 0 && offset + n <= s.openLength) addInto(acc, s.openBins + (<usize>offset << 3), n);
  else eachBin(s, from, n, acc, true);
}

/** Index of the first block that may hold bins from `from` on. None is looked at when the open block has all of them. */
export function firstBlock(s: Series, from: i32): i32 {
  if (s.openLength && from >= s.openStart) return s.blockCount;
  return max(0, blockIndex(s, from));
}

function eachBin(s: Series, from: i32, n: i32, dst: usize, add: bool): void {
  const end = from + n;
  const blocks = s.blockCount;
  let at = from;
  for (let i = firstBlock(s, from); i < blocks && at < end; i++) {
    const row = s.block(i);
    const start = row.start;
    const stop = row.end;
    if (stop <= at) continue;
    if (start >= end) break;
    if (start > at) {
      fillNaN(dst + (<usize>(at - from) << 3), start - at);
      at = start;
    }
    const last = min(stop, end);
    takeBlock(row, at - start, last - at, dst + (<usize>(at - from) << 3), add);
    at = last;
  }
  if (at < end && s.openLength) {
    const start = s.openStart;
    const last = min(s.openEnd, end);
    const first = max(at, start);
    if (last > first) {
      fillNaN(dst + (<usize>(at - from) << 3), first - at);
      take(s.openBins + (<usize>(first - start) << 3), last - first, dst + (<usize>(first - from) << 3), add);
      at = last;
    }
  }
  if (at < end) fillNaN(dst + (<usize>(at - from) << 3), end - at);
}

/** Keeps the loads of `fetch` alive. */
const fetched: usize = memory.data(8, 8);

/**
 * Brings a block into the caches: one load a line, none waiting for another. Decoding asks for its lines one after the
 * other, and a roll-up of 72 series touches 600 blocks that no cache holds.
 */
function fetch(block: Block): void {
  const end = block.at(block.size);
  let sum: u64 = 0;
  for (let p = block.at(0); p < end; p += CACHE_LINE) sum += load<u64>(p);
  store<u64>(fetched, sum);
}

/** Takes n bins of a block from the offset on. */
function takeBlock(row: BlockRef, offset: i32, n: i32, dst: usize, add: bool): void {
  if (row.isLoose) {
    take(row.loose.bins + (<usize>offset << 3), n, dst, add);
    return;
  }
  const block = row.sealed;
  fetch(block);
  if (n < block.count) {
    decodeBlock(block, binsScratch);
    take(binsScratch + (<usize>offset << 3), n, dst, add);
  } else if (add) addBlock(block, dst);
  else decodeBlock(block, dst);
}

function take(src: usize, n: i32, dst: usize, add: bool): void {
  if (add) addInto(dst, src, n);
  else memory.copy(dst, src, <usize>n << 3);
}

const part = changetype<Statistics>(memory.data(offsetof<Statistics>(), 8));

function addRun(values: usize, n: i32, result: Statistics): void {
  stats(values, n, part);
  result.add(part.samples, part.sum, part.least, part.greatest);
}

/** Statistics over the bins. Blocks covered whole answer from their headers. */
export function rangeStats(s: Series, from: i32, n: i32, result: Statistics): void {
  result.set(0, 0, Infinity, -Infinity);
  const end = from + n;
  const blocks = s.blockCount;
  for (let i = firstBlock(s, from); i < blocks; i++) {
    const row = s.block(i);
    const start = row.start;
    const stop = row.end;
    if (stop <= from) continue;
    if (start >= end) break;
    if (!row.isLoose && start >= from && stop <= end) {
      const block = row.sealed;
      result.add(block.present, block.sum, block.least, block.greatest);
      continue;
    }
    row.read(binsScratch);
    const first = max(from, start);
    addRun(binsScratch + (<usize>(first - start) << 3), min(stop, end) - first, result);
  }
  const first = max(from, s.openStart);
  const last = min(end, s.openEnd);
  if (last > first) addRun(s.openBins + (<usize>(first - s.openStart) << 3), last - first, result);
}
