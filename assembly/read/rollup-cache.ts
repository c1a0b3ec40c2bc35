/**
 * Sums of several series' bins that a roll-up has made, kept for the next one. A roll-up is known by its series in their order and
 * the version of each (`Series.version`): when one bin of one of them has changed, or a series is there that was not, it is
 * another roll-up. So nothing that changes samples needs to know of this file.
 *
 * The least recently used ones go when there are more than `budget` bytes, all of them when memory is exhausted (alloc.ts), when
 * samples are freed, and by `rollupsDrop`.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, bytesUsed, capacity, free, onExhausted } from '../memory/alloc';
import { Series } from '../series/records';
import { seriesIn } from './series-list';

/** A series of a roll-up, and its version when it was added up. */
@unmanaged
class Part {
  series: Series;
  version: u32;
}

/**
 *   0                4       8       12     16    20          24       28  32
 *   ┌────────────────┬───────┬───────┬──────┬─────┬───────────┬────────┬───┬───────────────┐
 *   │ next in bucket │ newer │ older │ hash │ bins│ #parts    │ #bins  │ - │ first bin, i64│
 *   └────────────────┴───────┴───────┴──────┴─────┴───────────┴────────┴───┴───────────────┘
 *   40
 *   ┌────────────────────────┐          bins: f64, on the grid of the first series
 *   │ series, version (u32s) │ ...
 *   └────────────────────────┘
 */
@unmanaged
export class Rollup {
  next: Rollup | null;
  newer: Rollup | null;
  older: Rollup | null;
  hash: u32;
  bins: usize;
  partCount: i32;
  binCount: i32;
  private reserved: u32;
  /** Its first bin. */
  first: i64;

  /** One past its last bin. */
  get end(): i64 {
    return this.first + <i64>this.binCount;
  }

  /** Address of one of its bins. */
  binAt(bin: i64): usize {
    return this.bins + (<usize>(bin - this.first) << 3);
  }

  part(i: i32): Part {
    return changetype<Part>(changetype<usize>(this) + offsetof<Rollup>() + <usize>i * offsetof<Part>());
  }
}

/** Of the memory of samples, as a shift: a sixty-fourth of it may be used, */
const BUDGET_SHIFT: u32 = 6;
/** but so many bytes always: 340 roll-ups of two days at a minute. */
const BUDGET_MIN: u32 = 8 << 20;
/** One roll-up may have this part of it, as a shift. */
const LARGEST_SHIFT: u32 = 3;
/** Room for bins to come, so that a roll-up that is asked for every minute is not moved each time. */
const SPARE_BINS: u32 = 128;

@unmanaged
class Bucket {
  first: Rollup | null;
}

/** All roll-ups that are kept, by the time of their last use. */
@unmanaged
class Kept {
  newest: Rollup | null;
  oldest: Rollup | null;
}

const BUCKETS: u32 = 2048;
const buckets: usize = memory.data(BUCKETS * 4, 4);
const kept = changetype<Kept>(memory.data(offsetof<Kept>(), 8));

onExhausted(rollupsDrop);

function budget(): u32 {
  return max(BUDGET_MIN, bytesUsed(MemoryKind.SealedBlocks) >> BUDGET_SHIFT);
}

/** Frees all. @returns false: there was none. */
export function rollupsDrop(): bool {
  let r = kept.oldest;
  if (!r) return false;
  while (r) {
    drop(r);
    r = kept.oldest;
  }
  return true;
}

/** The roll-up of these series, if one is kept; null otherwise. Valid until something is allocated. @param list see series-list.ts. */
export function rollupFind(list: usize, n: i32): Rollup | null {
  const hash = hashOf(list, n);
  let r = bucketOf(hash).first;
  while (r && !(r.hash == hash && isOf(r, list, n))) r = r.next;
  if (!r) return null;
  if (!isCurrent(r)) {
    drop(r);
    return null;
  }
  unlink(r);
  link(r);
  return r;
}

/**
 * Keeps bins [first, first + count) of a roll-up, which nothing but a new version of one of its series can change. They join those that
 * are kept when they touch, and replace them otherwise. Does nothing when there is no room.
 * @param found by `rollupFind`. @param src the bins; copied.
 */
export function rollupKeep(found: Rollup | null, list: usize, n: i32, first: i64, count: i32, src: usize): void {
  const end = first + count;
  let from = first;
  let to = end;
  if (found && first <= found.end && end >= found.first) {
    from = min(first, found.first);
    to = max(end, found.end);
    if (to - from == <i64>found.binCount) return;
  }
  const bytes = <u32>(to - from) << 3;
  if (bytes > budget() >> LARGEST_SHIFT) return;
  const r = found ? found : make(list, n);
  if (!r) return;
  if (reserve(r, from, to, bytes)) memory.copy(r.binAt(first), src, <usize>count << 3);
  else if (!found) drop(r);
}

/** Makes the roll-up hold [from, to): bins of it that lie in there keep their values. False when there is no room: nothing has changed. */
function reserve(r: Rollup, from: i64, to: i64, bytes: u32): bool {
  const old = r.bins;
  let bins = old;
  if (!old || capacity(old) < bytes) {
    const room = bytes + (SPARE_BINS << 3);
    if (!makeRoom(room, r)) return false;
    bins = alloc(room, MemoryKind.Rollups);
    if (!bins) return false;
  }
  if (from <= r.first && to >= r.end) memory.copy(bins + (<usize>(r.first - from) << 3), old, <usize>r.binCount << 3);
  if (bins != old) free(old, MemoryKind.Rollups);
  r.bins = bins;
  r.first = from;
  r.binCount = <i32>(to - from);
  return true;
}

/** A roll-up without bins; null when there is no room. */
function make(list: usize, n: i32): Rollup | null {
  const bytes = <u32>offsetof<Rollup>() + <u32>n * <u32>offsetof<Part>();
  if (!makeRoom(bytes, null)) return null;
  const r = changetype<Rollup | null>(alloc(bytes, MemoryKind.Rollups));
  if (!r) return null;
  memory.fill(changetype<usize>(r), 0, offsetof<Rollup>());
  r.partCount = n;
  for (let i = 0; i < n; i++) {
    const part = r.part(i);
    part.series = seriesIn(list, i);
    part.version = part.series.version;
  }
  r.hash = hashOf(list, n);
  const bucket = bucketOf(r.hash);
  r.next = bucket.first;
  bucket.first = r;
  link(r);
  return r;
}

/** Frees the least recently used until there is room for so many bytes. False when only `spared` is left. */
function makeRoom(bytes: u32, spared: Rollup | null): bool {
  const most = budget();
  if (bytes > most) return false;
  while (bytesUsed(MemoryKind.Rollups) > most - bytes) {
    const oldest = kept.oldest;
    if (!oldest || oldest == spared) return false;
    drop(oldest);
  }
  return true;
}

function drop(r: Rollup): void {
  unlink(r);
  const bucket = bucketOf(r.hash);
  let before = bucket.first;
  if (before == r) bucket.first = r.next;
  else {
    while (before && before.next != r) before = before.next;
    if (before) before.next = r.next;
  }
  free(r.bins, MemoryKind.Rollups);
  free(changetype<usize>(r), MemoryKind.Rollups);
}

/** Makes it the most recently used one. */
function link(r: Rollup): void {
  const newest = kept.newest;
  r.newer = null;
  r.older = newest;
  if (newest) newest.newer = r;
  else kept.oldest = r;
  kept.newest = r;
}

function unlink(r: Rollup): void {
  const newer = r.newer;
  const older = r.older;
  if (newer) newer.older = older;
  else kept.newest = older;
  if (older) older.newer = newer;
  else kept.oldest = newer;
}

function bucketOf(hash: u32): Bucket {
  return changetype<Bucket>(buckets + (<usize>(hash & (BUCKETS - 1)) << 2));
}

/** Addresses only decide where to look, so nobody can prepare a collision that does more than cost a comparison. */
function hashOf(list: usize, n: i32): u32 {
  let h: u64 = <u64>n;
  for (let i = 0; i < n; i++) h = (h ^ <u64>changetype<usize>(seriesIn(list, i))) * 0x9e3779b97f4a7c15;
  return <u32>(h >> 32);
}

function isOf(r: Rollup, list: usize, n: i32): bool {
  if (r.partCount != n) return false;
  for (let i = 0; i < n; i++) if (r.part(i).series != seriesIn(list, i)) return false;
  return true;
}

/** Whether no bin of its series that was settled has changed since. */
function isCurrent(r: Rollup): bool {
  for (let i = 0; i < r.partCount; i++) {
    const part = r.part(i);
    if (part.version != part.series.version) return false;
  }
  return true;
}
