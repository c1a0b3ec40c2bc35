/**
 * Sums of several series' bins that a roll-up has made, kept for the next one. A roll-up is known by its series in their order and
 * the version of each (`settledVersion`): when one bin of one of them has changed, or a series is there that was not, it is
 * another roll-up. So nothing that changes samples needs to know of this file.
 *
 *   0                4       8       12     16      20        24       28     32
 *   ┌────────────────┬───────┬───────┬──────┬───────┬─────────┬────────┬──────┬─────────────────────────────┐
 *   │ next in bucket │ newer │ older │ hash │ bins  │ #series │ #bins  │ -    │ first bin, i64              │
 *   └────────────────┴───────┴───────┴──────┴───────┴─────────┴────────┴──────┴─────────────────────────────┘
 *   40
 *   ┌────────────────────────┐          bins: f64, on the grid of the first series
 *   │ series, version (u32s) │ ...
 *   └────────────────────────┘
 * The least recently used ones go when there are more than `budget` bytes, all of them when memory is exhausted (alloc.ts), when
 * samples are freed, and by `rollupsDrop`.
 */
import { Kind, alloc, bytesUsed, capacity, free, onExhausted } from '../memory/alloc';
import { settledVersion } from '../series/series';

const NEXT: usize = 0;
const NEWER: usize = 4;
const OLDER: usize = 8;
const HASH: usize = 12;
const BINS: usize = 16;
const SERIES_COUNT: usize = 20;
const BIN_COUNT: usize = 24;
const FIRST: usize = 32;
const LIST: usize = 40;

/** Of the memory of samples, as a shift: a sixty-fourth of it may be used, */
const BUDGET_SHIFT: u32 = 6;
/** but so many bytes always: 340 roll-ups of two days at a minute. */
const BUDGET_MIN: u32 = 8 << 20;
/** One roll-up may have this part of it, as a shift. */
const LARGEST_SHIFT: u32 = 3;
/** Room for bins to come, so that a roll-up that is asked for every minute is not moved each time. */
const SPARE_BINS: u32 = 128;

const BUCKETS: u32 = 2048;
const buckets: usize = memory.data(4 * 2048, 4);
let newest: usize = 0;
let oldest: usize = 0;

onExhausted(rollupsDrop);

function budget(): u32 {
  return max(BUDGET_MIN, bytesUsed(Kind.SEALED) >> BUDGET_SHIFT);
}

/** Frees all. @returns false: there was none. */
export function rollupsDrop(): bool {
  if (!oldest) return false;
  while (oldest) drop(oldest);
  return true;
}

/** The roll-up of these series, if one is kept; 0 otherwise. Valid until something is allocated. @param list u32 addresses. */
export function rollupFind(list: usize, n: i32): usize {
  const hash = hashOf(list, n);
  for (let r = load<u32>(bucketOf(hash)); r; r = load<u32>(<usize>r, NEXT)) {
    if (load<u32>(r, HASH) != hash || !isOf(r, list, n)) continue;
    if (!isCurrent(r)) {
      drop(r);
      return 0;
    }
    unlink(r);
    link(r);
    return r;
  }
  return 0;
}

/** Its first bin. */
// @ts-ignore: decorator
@inline
export function rollupFirst(r: usize): i64 {
  return load<i64>(r, FIRST);
}

/** One past its last bin. */
// @ts-ignore: decorator
@inline
export function rollupEnd(r: usize): i64 {
  return load<i64>(r, FIRST) + <i64>load<i32>(r, BIN_COUNT);
}

/** Address of one of its bins. */
// @ts-ignore: decorator
@inline
export function rollupBins(r: usize, bin: i64): usize {
  return <usize>load<u32>(r, BINS) + (<usize>(bin - rollupFirst(r)) << 3);
}

/**
 * Keeps bins [first, first + count) of a roll-up, which nothing but a new version of one of its series can change. They join those that
 * are kept when they touch, and replace them otherwise. Does nothing when there is no room.
 * @param r of `rollupFind`; 0: none is kept. @param src the bins; copied.
 */
export function rollupKeep(r: usize, list: usize, n: i32, first: i64, count: i32, src: usize): void {
  const end = first + count;
  let from = first;
  let to = end;
  if (r && first <= rollupEnd(r) && end >= rollupFirst(r)) {
    from = min(first, rollupFirst(r));
    to = max(end, rollupEnd(r));
    if (to - from == <i64>load<i32>(r, BIN_COUNT)) return;
  }
  const bytes = <u32>(to - from) << 3;
  if (bytes > budget() >> LARGEST_SHIFT) return;
  const fresh = !r;
  if (fresh) {
    r = make(list, n);
    if (!r) return;
  }
  if (reserve(r, from, to, bytes)) memory.copy(rollupBins(r, first), src, <usize>count << 3);
  else if (fresh) drop(r);
}

/** Makes the roll-up hold [from, to): bins of it that lie in there keep their values. False when there is no room: nothing has changed. */
function reserve(r: usize, from: i64, to: i64, bytes: u32): bool {
  const old = <usize>load<u32>(r, BINS);
  let bins = old;
  if (!old || capacity(old) < bytes) {
    const room = bytes + (SPARE_BINS << 3);
    if (!makeRoom(room, r)) return false;
    bins = alloc(room, Kind.ROLLUPS);
    if (!bins) return false;
  }
  if (from <= rollupFirst(r) && to >= rollupEnd(r)) {
    memory.copy(bins + (<usize>(rollupFirst(r) - from) << 3), old, <usize>load<i32>(r, BIN_COUNT) << 3);
  }
  if (bins != old) free(old, Kind.ROLLUPS);
  store<u32>(r, <u32>bins, BINS);
  store<i64>(r, from, FIRST);
  store<i32>(r, <i32>(to - from), BIN_COUNT);
  return true;
}

/** A roll-up without bins; 0 when there is no room. */
function make(list: usize, n: i32): usize {
  const bytes = <u32>LIST + (<u32>n << 3);
  if (!makeRoom(bytes, 0)) return 0;
  const r = alloc(bytes, Kind.ROLLUPS);
  if (!r) return 0;
  memory.fill(r, 0, LIST);
  store<i32>(r, n, SERIES_COUNT);
  for (let i = 0; i < n; i++) {
    const s = load<u32>(list + (<usize>i << 2));
    store<u32>(r + (<usize>i << 3), s, LIST);
    store<u32>(r + (<usize>i << 3), settledVersion(<usize>s), LIST + 4);
  }
  const hash = hashOf(list, n);
  store<u32>(r, hash, HASH);
  const bucket = bucketOf(hash);
  store<u32>(r, load<u32>(bucket), NEXT);
  store<u32>(bucket, <u32>r);
  link(r);
  return r;
}

/** Frees the least recently used until there is room for so many bytes. False when only `spared` is left. */
function makeRoom(bytes: u32, spared: usize): bool {
  const most = budget();
  if (bytes > most) return false;
  while (bytesUsed(Kind.ROLLUPS) > most - bytes) {
    if (!oldest || oldest == spared) return false;
    drop(oldest);
  }
  return true;
}

function drop(r: usize): void {
  unlink(r);
  let at = bucketOf(load<u32>(r, HASH));
  while (load<u32>(at) != <u32>r) at = <usize>load<u32>(at) + NEXT;
  store<u32>(at, load<u32>(r, NEXT));
  free(<usize>load<u32>(r, BINS), Kind.ROLLUPS);
  free(r, Kind.ROLLUPS);
}

/** Makes it the most recently used one. */
function link(r: usize): void {
  store<u32>(r, 0, NEWER);
  store<u32>(r, <u32>newest, OLDER);
  if (newest) store<u32>(newest, <u32>r, NEWER);
  else oldest = r;
  newest = r;
}

function unlink(r: usize): void {
  const newer = <usize>load<u32>(r, NEWER);
  const older = <usize>load<u32>(r, OLDER);
  if (newer) store<u32>(newer, <u32>older, OLDER);
  else newest = older;
  if (older) store<u32>(older, <u32>newer, NEWER);
  else oldest = newer;
}

// @ts-ignore: decorator
@inline
function bucketOf(hash: u32): usize {
  return buckets + (<usize>(hash & (BUCKETS - 1)) << 2);
}

/** Addresses only decide where to look, so nobody can prepare a collision that does more than cost a comparison. */
function hashOf(list: usize, n: i32): u32 {
  let h: u64 = <u64>n;
  for (let i = 0; i < n; i++) h = (h ^ <u64>load<u32>(list + (<usize>i << 2))) * 0x9e3779b97f4a7c15;
  return <u32>(h >> 32);
}

function isOf(r: usize, list: usize, n: i32): bool {
  if (load<i32>(r, SERIES_COUNT) != n) return false;
  for (let i = 0; i < n; i++) {
    if (load<u32>(r + (<usize>i << 3), LIST) != load<u32>(list + (<usize>i << 2))) return false;
  }
  return true;
}

/** Whether no bin of its series that was settled has changed since. */
function isCurrent(r: usize): bool {
  const n = load<i32>(r, SERIES_COUNT);
  for (let i = 0; i < n; i++) {
    const at = r + (<usize>i << 3);
    if (load<u32>(at, LIST + 4) != settledVersion(<usize>load<u32>(at, LIST))) return false;
  }
  return true;
}
