/**
 * Series: one metric of one node, as bins of equal width from one anchor that never moves, so bins are stable.
 * Bin k covers [anchor + k*f, anchor + (k+1)*f) seconds; the anchor is the first sample's time less f/2.
 *
 * Newest bins are the open block (plain f64); older ones are blocks in the series' block table (blocks.ts).
 *
 *   fixed after creation
 *   0       4               8
 *   ┌──────┬───────────────┬────────┐
 *   │ node │ next in node  │ metric │
 *   └──────┴───────────────┴────────┘
 *   changes when settled bins do
 *   12
 *   ┌─────────┐
 *   │ version │
 *   └─────────┘
 *   16 (fixed once the first sample is there)
 *   ┌────────────────────┐
 *   │ anchor, i64        │
 *   └────────────────────┘
 *   changes on write
 *   24                   32           36         40          42           43         44        48            52         56
 *   ┌────────────────────┬────────────┬──────────┬───────────┬────────────┬──────────┬─────────┬─────────────┬──────────┬────────┐
 *   │ edge, i64          │ open start │ open len │ limit, u16│ seal at, u8│ flags, u8│ open at │ block table │ #blocks  │ number │
 *   └────────────────────┴────────────┴──────────┴───────────┴────────────┴──────────┴─────────┴─────────────┴──────────┴────────┘
 *   60
 *   ┌───────┐   log segment in which the series was named last
 *   │ epoch │
 *   └───────┘
 *   64
 *   ┌──────┐
 *   │ keys │   first of the line prefixes that lead here (keys.ts), slot + 1
 *   └──────┘
 * `limit`: bins that the open block takes before it must grow or be sealed: the smaller of its room and `seal at`.
 * `edge` is the left edge, in seconds, of the bin after the open block: where the next sample is expected.
 */
import { Kind, alloc, capacity, free, realloc } from '../memory/alloc';
import { metricFrequency } from './metrics';
import { TABLE_HANDLE_BYTES, tableAdd, tableFind, tableNext, tableRemove } from '../memory/table';
import { SERIES_NEXT_IN_NODE, nodeAddSeries, nodePrune, nodeRemoveSeries } from './tree';

const NODE: usize = 0;
const METRIC: usize = 8;
const VERSION: usize = 12;
const ANCHOR: usize = 16;
const EDGE: usize = 24;
const OPEN_START: usize = 32;
const OPEN_LENGTH: usize = 36;
const LIMIT: usize = 40;
const SEAL_AT: usize = 42;
const FLAGS: usize = 43;
const OPEN: usize = 44;
const BLOCKS: usize = 48;
const BLOCK_COUNT: usize = 52;
const NUMBER: usize = 56;
const EPOCH: usize = 60;
const KEYS: usize = 64;
const SERIES_BYTES: u32 = 68;

/** Bins of a full open block. */
export const OPEN_BINS: i32 = 128;
/** Set in flags: the block table holds loose (uncompressed) blocks that late samples made. */
export const HAS_LOOSE: u8 = 1;
/** Set in flags: the anchor is known. */
export const ANCHORED: u8 = 2;

const table: usize = memory.data(TABLE_HANDLE_BYTES, 8);
/** Series by number; freed ones hold RESERVED until the log begins a segment, then 0 until they are used again. */
let numbers: usize = 0;
let numbersCapacity: u32 = 0;
/** One past the highest number ever used. */
export let seriesEnd: u32 = 0;
/** The newest version of a series; see `settledVersion`. */
let versions: u32 = 0;
/** Series that exist. */
export let seriesCount: u32 = 0;
/** Counts series that were made. */
export let seriesMade: u32 = 0;
/** A number that the log's segment has given to a series that is gone: within one segment it must mean no other. */
const RESERVED: u32 = 1;
let reservedNumbers: u32 = 0;
/** Freed numbers below `seriesEnd`; where the search for one starts. */
let freeNumbers: u32 = 0;
let freeHint: u32 = 0;

// @ts-ignore: decorator
@inline
export function seriesNode(s: usize): usize {
  return <usize>load<u32>(s, NODE);
}
// @ts-ignore: decorator
@inline
export function seriesNextInNode(s: usize): usize {
  return <usize>load<u32>(s, SERIES_NEXT_IN_NODE);
}
// @ts-ignore: decorator
@inline
export function seriesMetric(s: usize): i32 {
  return load<i32>(s, METRIC);
}
/** Seconds a bin. */
// @ts-ignore: decorator
@inline
export function seriesFrequency(s: usize): i32 {
  return metricFrequency(seriesMetric(s));
}
// @ts-ignore: decorator
@inline
export function seriesAnchor(s: usize): i64 {
  return load<i64>(s, ANCHOR);
}
// @ts-ignore: decorator
@inline
export function seriesEdge(s: usize): i64 {
  return load<i64>(s, EDGE);
}
// @ts-ignore: decorator
@inline
export function setSeriesEdge(s: usize, edge: i64): void {
  store<i64>(s, edge, EDGE);
}
// @ts-ignore: decorator
@inline
export function openStart(s: usize): i32 {
  return load<i32>(s, OPEN_START);
}
// @ts-ignore: decorator
@inline
export function openLength(s: usize): i32 {
  return load<i32>(s, OPEN_LENGTH);
}
// @ts-ignore: decorator
@inline
export function setOpenLength(s: usize, n: i32): void {
  store<i32>(s, n, OPEN_LENGTH);
}
/** Address of the open block's bins; 0 before the first. */
// @ts-ignore: decorator
@inline
export function openBins(s: usize): usize {
  return <usize>load<u32>(s, OPEN);
}
// @ts-ignore: decorator
@inline
export function setOpenBins(s: usize, p: usize): void {
  store<u32>(s, <u32>p, OPEN);
  updateLimit(s);
}
/** Bins that the open block takes before it must grow or be sealed. */
// @ts-ignore: decorator
@inline
export function openLimit(s: usize): i32 {
  return <i32>load<u16>(s, LIMIT);
}
function updateLimit(s: usize): void {
  const bins = openBins(s);
  const room = bins ? capacity(bins) >> 3 : 0;
  store<u16>(s, <u16>min<u32>(room, sealAt(s)), LIMIT);
}
/** Length at which the open block is sealed. */
// @ts-ignore: decorator
@inline
export function sealAt(s: usize): i32 {
  return <i32>load<u8>(s, SEAL_AT);
}
// @ts-ignore: decorator
@inline
export function setSealAt(s: usize, n: i32): void {
  store<u8>(s, <u8>n, SEAL_AT);
  updateLimit(s);
}
// @ts-ignore: decorator
@inline
export function seriesFlag(s: usize, flag: u8): bool {
  return (load<u8>(s, FLAGS) & flag) != 0;
}
export function setSeriesFlag(s: usize, flag: u8, on: bool): void {
  const flags = load<u8>(s, FLAGS);
  store<u8>(s, on ? flags | flag : flags & ~flag, FLAGS);
}
// @ts-ignore: decorator
@inline
export function blockTable(s: usize): usize {
  return <usize>load<u32>(s, BLOCKS);
}
export function setBlockTable(s: usize, p: usize): void {
  store<u32>(s, <u32>p, BLOCKS);
}
// @ts-ignore: decorator
@inline
export function blockCountOf(s: usize): i32 {
  return load<i32>(s, BLOCK_COUNT);
}
export function setBlockCount(s: usize, n: i32): void {
  store<i32>(s, n, BLOCK_COUNT);
}
/** The series' number within its partition: dense, reused after removal. */
// @ts-ignore: decorator
@inline
export function seriesNumber(s: usize): u32 {
  return load<u32>(s, NUMBER);
}
/** Log segment in which the series has been named. */
// @ts-ignore: decorator
@inline
export function seriesEpoch(s: usize): u32 {
  return load<u32>(s, EPOCH);
}
// @ts-ignore: decorator
@inline
export function setSeriesEpoch(s: usize, epoch: u32): void {
  store<u32>(s, epoch, EPOCH);
}
// @ts-ignore: decorator
@inline
export function seriesKeys(s: usize): u32 {
  return load<u32>(s, KEYS);
}
// @ts-ignore: decorator
@inline
export function setSeriesKeys(s: usize, first: u32): void {
  store<u32>(s, first, KEYS);
}

/** The series with this number, or 0. */
// @ts-ignore: decorator
@inline
export function seriesByNumber(number: u32): usize {
  const s = number < seriesEnd ? load<u32>(numbers + (<usize>number << 2)) : 0;
  return s == RESERVED ? 0 : <usize>s;
}

/** Newest bins that samples may still change at any time: senders overtake each other. */
export const UNSETTLED: i32 = 16;

/** One past the last settled bin: those before the open block, and of that all but the newest. Never moves back without a new version. */
// @ts-ignore: decorator
@inline
export function settledEnd(s: usize): i32 {
  return openStart(s) + max(0, openLength(s) - UNSETTLED);
}

/**
 * What the settled bins are known by: a number that no other series has and that this one had for no other content, so who
 * has kept something made of them sees by it whether they are still the same. Sealing, merging and compressing keep it: they
 * change no bin.
 */
// @ts-ignore: decorator
@inline
export function settledVersion(s: usize): u32 {
  return load<u32>(s, VERSION);
}
/** Gives the series a new version: to be called where a settled bin changes, or their end moves back. */
export function settledChanged(s: usize): void {
  store<u32>(s, ++versions, VERSION);
}

function hashOf(node: usize, metric: i32): u32 {
  const h = (<u64>node << 20 ^ <u64>metric) * 0x9e3779b97f4a7c15;
  return <u32>(h >> 32);
}

/** The node's series of the metric, or 0. */
export function seriesFind(node: usize, metric: i32): usize {
  let s = tableFind(table, hashOf(node, metric));
  while (s) {
    if (seriesNode(s) == node && seriesMetric(s) == metric) return s;
    s = tableNext(table);
  }
  return 0;
}

/** Spreads series' numbers over 32 bits. */
// @ts-ignore: decorator
@inline
function spread(number: u32): u32 {
  return number * 0x9e3779b1;
}

/*
 * Series seal and merge at different times, else all series of a host would do so in the same request, and all of a cluster within
 * the same minutes. Bits of `spread`: 26..31 bins of the first block above half a block, 25 length of the second, 23..24 blocks of the
 * first merge.
 */

/** Length at which a series seals its open block when it has `blocks` sealed ones. */
export function nextSealAt(s: usize, blocks: i32): i32 {
  if (!blocks) return OPEN_BINS / 2 + <i32>(spread(seriesNumber(s)) >> 26);
  return blocks == 1 && (spread(seriesNumber(s)) >> 25) & 1 ? OPEN_BINS / 2 : OPEN_BINS;
}

/** Of the blocks that are merged otherwise, how many fewer the series merges the first time; 3: it leaves its first block alone. */
export function firstMergeLess(s: usize): i32 {
  return <i32>((spread(seriesNumber(s)) >> 23) & 3);
}

/** The node's series of the metric, made when missing. 0 when memory is exhausted. */
export function seriesEnsure(node: usize, metric: i32): usize {
  const found = seriesFind(node, metric);
  if (found) return found;
  const number = takeNumber();
  if (number == ~0) return 0;
  const s = alloc(SERIES_BYTES, Kind.INDEX);
  if (!s) return 0;
  memory.fill(s, 0, SERIES_BYTES);
  const hash = hashOf(node, metric);
  store<u32>(s, <u32>node, NODE);
  store<i32>(s, metric, METRIC);
  store<u32>(s, number, NUMBER);
  if (!tableAdd(table, hash, s)) {
    free(s, Kind.INDEX);
    return 0;
  }
  setSealAt(s, nextSealAt(s, 0));
  if (number == seriesEnd) seriesEnd++;
  else freeNumbers--;
  store<u32>(numbers + (<usize>number << 2), <u32>s);
  seriesCount++;
  seriesMade++;
  nodeAddSeries(node, s);
  return s;
}

/** Lets numbers of series that are gone be used again: the log begins a segment. */
export function releaseNumbers(): void {
  if (!reservedNumbers) return;
  for (let i: u32 = 0; i < seriesEnd; i++) {
    const slot = numbers + (<usize>i << 2);
    if (load<u32>(slot) == RESERVED) store<u32>(slot, 0);
  }
  freeNumbers += reservedNumbers;
  reservedNumbers = 0;
}

/** A free number, not yet taken; ~0 when memory is exhausted. */
function takeNumber(): u32 {
  if (freeNumbers) {
    while (load<u32>(numbers + (<usize>freeHint << 2))) freeHint = freeHint + 1 == seriesEnd ? 0 : freeHint + 1;
    return freeHint;
  }
  if (seriesEnd == numbersCapacity) {
    const capacity = max<u32>(256, numbersCapacity + (numbersCapacity >> 1));
    const grown = realloc(numbers, capacity << 2, Kind.INDEX);
    if (!grown) return ~0;
    numbers = grown;
    numbersCapacity = capacity;
  }
  return seriesEnd;
}

/** Forgets an empty series, and nodes that became empty by it. Only `seriesRemove` calls this, once its keys and blocks are gone. */
export function seriesForget(s: usize): void {
  const node = seriesNode(s);
  free(openBins(s), Kind.OPEN);
  tableRemove(table, hashOf(node, seriesMetric(s)), s);
  store<u32>(numbers + (<usize>seriesNumber(s) << 2), RESERVED);
  reservedNumbers++;
  seriesCount--;
  nodeRemoveSeries(node, s);
  free(s, Kind.INDEX);
  nodePrune(node);
}

/** Fixes bin 0 by the first sample's time. */
export function setAnchor(s: usize, anchor: i64, firstBin: i32): void {
  store<i64>(s, anchor, ANCHOR);
  settledChanged(s);
  setSeriesFlag(s, ANCHORED, true);
  setOpenStart(s, firstBin);
}

/** Moves the empty open block to a bin. */
export function setOpenStart(s: usize, bin: i32): void {
  store<i32>(s, bin, OPEN_START);
  setSeriesEdge(s, seriesAnchor(s) + <i64>(bin + openLength(s)) * <i64>seriesFrequency(s));
}

export function seriesIsEmpty(s: usize): bool {
  return !openLength(s) && !blockCountOf(s);
}

/** The bin that a time falls into, as i64: callers check the range. */
export function binOf(s: usize, seconds: i64): i64 {
  const f = <i64>seriesFrequency(s);
  const d = seconds - seriesAnchor(s);
  return d >= 0 ? d / f : -((f - 1 - d) / f);
}
