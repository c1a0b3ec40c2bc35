/**
 * Checkpoint frames: series with sealed blocks, which are written as they are in memory and read back as they are, or with
 * their open blocks, compressed; or with both. Of one checkpoint the open blocks have to be written first: one that is sealed
 * meanwhile is in both then, and not in neither.
 *
 *   frame.ts draws frames; the payload is series, one after the other
 *            ┌────────────────────────┬────────────┬────────┬────────────────┬─────────────┬─────────────┬───────────┐
 *            │ u8 #levels, each       │ u16 length,│ u32    │ i64 anchor,    │ u32 bytes   │ u16 #blocks │ blocks    │
 *            │ u8 length, bytes       │ metric     │ seconds│ unix seconds   │ of blocks   │             │           │
 *            └────────────────────────┴────────────┴────────┴────────────────┴─────────────┴─────────────┴───────────┘
 *   block    ┌────────────────┬─────────┬───────────────────────────────┐
 *            │ i32 first bin  │ u8 open │ a block as in codec/layout.ts │    open 1: the series' newest bins, still growing
 *            └────────────────┴─────────┴───────────────────────────────┘
 */
import { CheckpointContent, FrameMagic, LineError, SeriesStep } from '../../src/wasm/tables/codes';
import { FrameField, LoadedField, WrittenField } from '../../src/wasm/tables/layouts';
import { encodeBins, reopenLast, sealLoose, sealOpen } from '../series/blocks';
import { blockIsSound, decodeBlock } from '../codec/block';
import { Block } from '../codec/layout';
import { namesRead, readNames, writeSeriesNames } from '../series/names';
import { insertSealed } from '../series/insert';
import { Frame } from './frame';
import { Span } from './span';
import { metricFind } from '../series/metrics';
import { out } from '../memory/out';
import { reserveOpen, writeSample } from '../series/samples';
import { OPEN_BINS, Series } from '../series/records';
import { allSeries, nextSealAt, nextStep, seriesByNumber, seriesEnsure, setAnchor } from '../series/series';
import { seriesRemove } from '../series/remove';
import { nodePrune } from '../series/tree';

const BLOCK_HEADER: usize = 5;
/** In #blocks: so many or more; the bytes of the blocks say where they end. */
const MANY_BLOCKS: i32 = 0xffff;
const SERIES_MAX: u32 = 1 + 4 * 256 + 2 + 1024 + 4 + 8 + 4 + 2;

@unmanaged
class Written extends Span {
  /** Series that have blocks in it. */
  series: u32;
}

if (offsetof<Written>('series') != WrittenField.Series) ERROR('layouts.ts has another layout of what was written');

/** What the file that is made holds so far. */
export const checkpointSpan = changetype<Written>(memory.data(offsetof<Written>(), 8));

/** Starts a file. */
export function checkpointBegin(): void {
  checkpointSpan.clear();
  checkpointSpan.series = 0;
}

/**
 * Writes one frame with series from number `cursor` on, until it holds `budget` bytes. What is written counts as kept
 * from then on; if the file fails, `checkpointForget` takes that back.
 * @returns number to go on with, or a `SeriesStep`. The output may be empty.
 */
export function checkpointStep(cursor: u32, budget: u32, part: CheckpointContent): f64 {
  if (!out.ensure(FrameField.Payload)) return <f64>SeriesStep.OutOfMemory;
  out.end += FrameField.Payload;
  while (cursor < allSeries.end && out.length < budget) {
    const s = seriesByNumber(cursor);
    if (s && !writeSeries(s, part)) return <f64>SeriesStep.OutOfMemory;
    cursor++;
  }
  const n = out.length - FrameField.Payload;
  const frame = out.base;
  if (!n) out.end = frame;
  else changetype<Frame>(frame).seal(FrameMagic.Checkpoint, n);
  return nextStep(cursor);
}

/** Makes the next checkpoint hold everything: the last one's file did not make it to the disk. */
export function checkpointForget(): void {
  for (let i: u32 = 0; i < allSeries.end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    for (let j = 0; j < s.blockCount; j++) s.block(j).isDirty = true;
  }
}

function writeSeries(s: Series, part: CheckpointContent): bool {
  if (s.hasLoose) sealLoose(s);
  const full = part == CheckpointContent.Full;
  const count = part == CheckpointContent.Open ? 0 : s.blockCount;
  const open = part != CheckpointContent.Sealed && s.openLength != 0;
  let blocks = open ? 1 : 0;
  for (let i = 0; i < count; i++) if (full || s.block(i).isDirty) blocks++;
  if (!blocks) return true;
  checkpointSpan.series++;
  if (!out.ensure(SERIES_MAX)) return false;
  const p = writeSeriesNames(out.end, s);
  store<i32>(p, s.frequency);
  store<i64>(p, s.anchor, 4);
  store<u16>(p, <u16>min(blocks, MANY_BLOCKS), 16);
  // Blocks may move the buffer: remember places as offsets.
  const lengthAt = <u32>(p + 12 - out.base);
  out.end = p + 18;
  const start = out.length;
  for (let i = 0; i < count; i++) {
    const row = s.block(i);
    if (!full && !row.isDirty) continue;
    // Out of memory while sealing late samples: a loose block is compressed here.
    if (row.isLoose) {
      if (!writeBins(row.loose.bins, row.count, row.start, false)) return false;
    } else if (!writeBlock(row.sealed, row.start, false)) return false;
    row.isDirty = false;
    checkpointSpan.add(s, row.start, row.end);
  }
  if (open) {
    if (!writeBins(s.openBins, s.openLength, s.openStart, true)) return false;
    checkpointSpan.add(s, s.openStart, s.openEnd);
  }
  store<u32>(out.base + <usize>lengthAt, out.length - start);
  return true;
}

function writeBlock(block: Block, bin: i32, open: bool): bool {
  const size = block.size;
  if (!out.ensure(<u32>size + <u32>BLOCK_HEADER)) return false;
  store<i32>(out.end, bin);
  store<u8>(out.end, open ? 1 : 0, 4);
  out.end += BLOCK_HEADER;
  out.put(block.at(0), size);
  return true;
}

function writeBins(bins: usize, n: i32, bin: i32, open: bool): bool {
  return writeBlock(encodeBins(bins, n), bin, open);
}

/** Bins of a block whose grid is not the series'. */
const decoded: usize = memory.data(8 * 512 + 64, 16);

@unmanaged
class Loaded {
  /** Series that the last `checkpointLoad` has read. */
  series: u32;
  /** Blocks of it that could not be trusted. */
  unsound: u32;
  /** Series of other partitions' hosts in it, which are left out. */
  foreign: u32;
  /** Blocks that begin at this time or later are left out, unix seconds. */
  until: i64;
}

if (
  offsetof<Loaded>('series') != LoadedField.Series ||
  offsetof<Loaded>('unsound') != LoadedField.Unsound ||
  offsetof<Loaded>('foreign') != LoadedField.Foreign
) {
  ERROR('layouts.ts has another layout of what was loaded');
}

export const loaded = changetype<Loaded>(memory.data(offsetof<Loaded>(), 8));
loaded.until = i64.MAX_VALUE;

/** Restricts loading to blocks that begin before a time, unix seconds: for a core that archives a stretch of time. */
export function loadUntil(time: f64): void {
  loaded.until = <i64>time;
}

/**
 * Reads the payload of one frame whose CRC was checked (frames.ts).
 * @param since unix seconds: blocks that end before are left out.
 * @param dirty the blocks must go into the next checkpoint.
 * @returns false when memory is exhausted.
 */
export function checkpointLoad(p: usize, n: u32, since: f64, self: i32, partitions: i32, dirty: bool): bool {
  const end = p + <usize>n;
  loaded.series = 0;
  loaded.unsound = 0;
  loaded.foreign = 0;
  while (p < end) {
    const node = readNames(p, end, true, self, partitions);
    if (!namesRead.end) break;
    if (namesRead.areForeign) loaded.foreign++;
    else if (!node) return false;
    p = namesRead.end;
    if (p + 2 > end) break;
    const nameLength = <i32>load<u16>(p);
    const name = p + 2;
    p = name + nameLength;
    if (p + 18 > end) break;
    const frequency = load<i32>(p);
    const anchor = load<i64>(p, 4);
    const bytes = load<u32>(p, 12);
    const blocks = <i32>load<u16>(p, 16);
    p += 18;
    if (<usize>bytes > end - p) break;
    const metric = metricFind(name, nameLength);
    // A metric that left the config is left out; its samples stay in the file until it is cleaned up.
    if (node && !metric) nodePrune(node);
    if (node && metric && frequency > 0) {
      const s = seriesEnsure(node, metric);
      if (!s || !loadBlocks(s, p, p + <usize>bytes, blocks, frequency, anchor, <i64>since, dirty)) return false;
      if (s.isEmpty) seriesRemove(s);
      loaded.series++;
    }
    p += bytes;
  }
  if (p != end) loaded.unsound++;
  return true;
}

function loadBlocks(s: Series, p: usize, end: usize, blocks: i32, frequency: i32, anchor: i64, since: i64, dirty: bool): bool {
  const f = <i64>frequency;
  const own = <i64>s.frequency;
  if (!s.isAnchored && f == own) setAnchor(s, anchor, 0);
  // The grids agree: blocks can be taken as they are.
  const shift = (anchor - s.anchor) / f;
  const same = s.isAnchored && f == own && s.anchor + shift * f == anchor;
  for (let i = 0; i < blocks || (blocks == MANY_BLOCKS && p < end); i++) {
    if (p + BLOCK_HEADER > end) break;
    const bin = load<i32>(p);
    const open = load<u8>(p, 4) == 1;
    const block = changetype<Block>(p + BLOCK_HEADER);
    if (!blockIsSound(block, <i32>(end - block.at(0)))) {
      loaded.unsound++;
      return true;
    }
    p = block.at(block.size);
    const n = block.count;
    if (anchor + <i64>(bin + n) * f <= since || anchor + <i64>bin * f >= loaded.until) continue;
    if (same) {
      if (!loadBlock(s, bin + <i32>shift, block, open, dirty)) return false;
    } else {
      decodeBlock(block, decoded);
      for (let k = 0; k < n; k++) {
        const v = load<f64>(decoded + (<usize>k << 3));
        if (v == v && writeSample(s, anchor + f / 2 + <i64>(bin + k) * f, v, own) == LineError.OutOfMemory) return false;
      }
    }
  }
  return true;
}

function loadBlock(s: Series, bin: i32, block: Block, open: bool, dirty: bool): bool {
  // What was open before (of another directory, or of the Go server's files) is covered or continued by this block.
  if (s.openLength && !sealOpen(s)) return false;
  if (!insertSealed(s, bin, block, dirty)) return false;
  const last = s.block(s.blockCount - 1);
  if (open && last.start == bin) last.markOpen();
  // The open block begins behind all others, or samples replayed from the log would be kept twice.
  if (s.openStart < last.end) s.setOpenStart(last.end);
  return true;
}

/**
 * Lets the newest blocks grow on that were open when they were written. To be called when all files of a directory are
 * read, before its log: what was open in one file is covered by the next, so most of these blocks are never decoded.
 * One for which there is no memory stays sealed.
 */
export function checkpointLoadEnd(): void {
  for (let i: u32 = 0; i < allSeries.end; i++) {
    const s = seriesByNumber(i);
    if (!s || !s.blockCount) continue;
    const last = s.block(s.blockCount - 1);
    const n = last.count;
    if (last.isOpen && !s.openLength && n < OPEN_BINS && reserveOpen(s, n + 8)) reopenLast(s);
    if (s.blockCount) s.setSealAt(nextSealAt(s, s.blockCount));
  }
}
