/**
 * Keys: the bytes a collector sends before ` value=` (metric and tags, as they stand), each leading to its series. A
 * collector repeats them for ever, so tags are parsed the first time only. Keys are a cache: dropping any of them costs
 * one parsed line, nothing else.
 *
 * Keys are named by slots, not addresses, so that a prediction that outlived its key is merely wrong.
 *
 *   0        4               8      12       16             20    24
 *   ┌────────┬───────────────┬──────┬─────────┬─────────────┬─────┬───────────────────────┐
 *   │ series │ next slot + 1 │ hash │ sibling │ default     │ len │ prefix, 0-padded      │
 *   │ 0=skip │ (prediction)  │      │ slot + 1│ cluster     │     │ to a multiple of 16   │
 *   └────────┴───────────────┴──────┴─────────┴─────────────┴─────┴───────────────────────┘
 * A line without a cluster tag belongs to the cluster of its request, so that cluster (interned) is part of the key.
 */
import { Kind, alloc, free, realloc } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { seriesKeys, setSeriesKeys } from './series';
import { TABLE_HANDLE_BYTES, tableAdd, tableClear, tableFind, tableNext, tableRemove } from '../memory/table';

const SERIES: usize = 0;
const NEXT: usize = 4;
const HASH: usize = 8;
const SIBLING: usize = 12;
const CLUSTER: usize = 16;
const LENGTH: usize = 20;
const TEXT: usize = 24;

/** Longer prefixes are parsed every time. */
const MAX_LENGTH: i32 = 1024;
/** Spellings remembered a series; a collector that changes a tag value with every job must not fill the memory. */
const MAX_PER_SERIES: i32 = 4;
/** Prefixes of unknown metrics that are remembered. */
const MAX_SKIPS: u32 = 16384;
const MAX_CLUSTERS: i32 = 256;

const table: usize = memory.data(TABLE_HANDLE_BYTES, 8);
let slots: usize = 0;
let slotsCapacity: u32 = 0;
let slotsEnd: u32 = 0;
/** First of the free slots + 1; a free slot holds the next one + 1, shifted left with bit 0 set. */
let freeSlot: u32 = 0;
let skips: u32 = 0;

/** Interned default clusters: address and length of each name. */
const clusters: usize = memory.data(8 * 256, 8);
let clusterCount: i32 = 0;

/** Address of the key in a slot + 1, or 0. */
// @ts-ignore: decorator
@inline
export function keyAt(slot: u32): usize {
  if (!slot) return 0;
  const p = load<u32>(slots + (<usize>(slot - 1) << 2));
  return p & 1 ? 0 : <usize>p;
}
// @ts-ignore: decorator
@inline
export function keySeries(key: usize): usize {
  return <usize>load<u32>(key, SERIES);
}
/** Slot + 1 of the key that followed this one the last time. */
// @ts-ignore: decorator
@inline
export function keyNext(key: usize): u32 {
  return load<u32>(key, NEXT);
}
// @ts-ignore: decorator
@inline
export function setKeyNext(key: usize, slot: u32): void {
  store<u32>(key, slot, NEXT);
}
// @ts-ignore: decorator
@inline
export function keyLength(key: usize): i32 {
  return load<i32>(key, LENGTH);
}

/**
 * Whether the text at p starts with the key's prefix and a blank.
 * Precondition: 16 bytes behind `end` are readable.
 */
// @ts-ignore: decorator
@inline
export function keyMatches(key: usize, p: usize, end: usize, cluster: u32): bool {
  const n = <usize>load<u32>(key, LENGTH);
  if (p + n >= end || load<u8>(p + n) != 0x20 || load<u32>(key, CLUSTER) != cluster) return false;
  const text = key + TEXT;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    if (v128.any_true(v128.xor(v128.load(text + i), v128.load(p + i)))) return false;
  }
  const rest = n - i;
  if (!rest) return true;
  const same = i8x16.bitmask(i8x16.eq(v128.load(text + i), v128.load(p + i)));
  const mask = (1 << <i32>rest) - 1;
  return (same & mask) == mask;
}

/** Slot + 1 of the key with these bytes, or 0. */
export function keyFind(p: usize, n: i32, cluster: u32): u32 {
  let found = tableFind(table, hashBytes(cluster, p, n));
  while (found) {
    const key = keyAt(<u32>found);
    if (keyLength(key) == n && load<u32>(key, CLUSTER) == cluster && bytesEqual(key + TEXT, p, n)) return <u32>found;
    found = tableNext(table);
  }
  return 0;
}

/**
 * Remembers a prefix that is not known yet. @param series 0: lines of it are skipped (unknown metric).
 * @returns slot + 1, or 0 when it is not remembered (too long, too many, out of memory), which is harmless.
 */
export function keyAdd(p: usize, n: i32, cluster: u32, series: usize): u32 {
  if (n > MAX_LENGTH || (!series && skips >= MAX_SKIPS)) return 0;
  const slot = takeSlot();
  if (!slot) return 0;
  const room = (n + 15) & ~15;
  const key = alloc(<u32>TEXT + room, Kind.INDEX);
  if (!key) {
    giveSlot(slot);
    return 0;
  }
  const hash = hashBytes(cluster, p, n);
  if (!tableAdd(table, hash, <usize>slot)) {
    free(key, Kind.INDEX);
    giveSlot(slot);
    return 0;
  }
  store<u32>(slots + (<usize>(slot - 1) << 2), <u32>key);
  store<u32>(key, <u32>series, SERIES);
  store<u32>(key, 0, NEXT);
  store<u32>(key, hash, HASH);
  store<u32>(key, cluster, CLUSTER);
  store<i32>(key, n, LENGTH);
  memory.fill(key + TEXT, 0, room);
  memory.copy(key + TEXT, p, n);
  if (series) {
    store<u32>(key, seriesKeys(series), SIBLING);
    setSeriesKeys(series, slot);
    trim(series);
  } else {
    store<u32>(key, 0, SIBLING);
    skips++;
  }
  return slot;
}

/** Drops the series' oldest key beyond MAX_PER_SERIES. */
function trim(series: usize): void {
  let key = keyAt(seriesKeys(series));
  for (let i = 1; i < MAX_PER_SERIES; i++) {
    key = keyAt(load<u32>(key, SIBLING));
    if (!key) return;
  }
  const oldest = load<u32>(key, SIBLING);
  if (!oldest) return;
  store<u32>(key, 0, SIBLING);
  drop(oldest);
}

function drop(slot: u32): void {
  const key = keyAt(slot);
  tableRemove(table, load<u32>(key, HASH), <usize>slot);
  free(key, Kind.INDEX);
  giveSlot(slot);
}

/** Drops all keys of a series. */
export function keysDrop(series: usize): void {
  let slot = seriesKeys(series);
  while (slot) {
    const sibling = load<u32>(keyAt(slot), SIBLING);
    drop(slot);
    slot = sibling;
  }
  setSeriesKeys(series, 0);
}

function takeSlot(): u32 {
  if (freeSlot) {
    const slot = freeSlot;
    freeSlot = load<u32>(slots + (<usize>(slot - 1) << 2)) >> 1;
    return slot;
  }
  if (slotsEnd == slotsCapacity) {
    const capacity = max<u32>(256, slotsCapacity + (slotsCapacity >> 1));
    const grown = realloc(slots, capacity << 2, Kind.INDEX);
    if (!grown) return 0;
    slots = grown;
    slotsCapacity = capacity;
  }
  // Not a key until the caller stores one.
  store<u32>(slots + (<usize>slotsEnd << 2), 1);
  return ++slotsEnd;
}

function giveSlot(slot: u32): void {
  store<u32>(slots + (<usize>(slot - 1) << 2), (freeSlot << 1) | 1);
  freeSlot = slot;
}

/** Number of a default cluster, counting from 1; 0 for the empty name. Stable until MAX_CLUSTERS names have been seen. */
export function clusterIntern(name: usize, len: i32): u32 {
  if (!len) return 0;
  for (let i = 0; i < clusterCount; i++) {
    const c = clusters + (<usize>i << 3);
    if (load<i32>(c, 4) == len && bytesEqual(<usize>load<u32>(c), name, len)) return i + 1;
  }
  if (clusterCount == MAX_CLUSTERS) forget();
  const copy = alloc(len, Kind.INDEX);
  if (!copy) return 0;
  memory.copy(copy, name, len);
  store<u32>(clusters + (<usize>clusterCount << 3), <u32>copy);
  store<i32>(clusters + (<usize>clusterCount << 3), len, 4);
  return ++clusterCount;
}

/** Forgets all keys and default clusters: the numbers of the clusters are about to mean something else. */
function forget(): void {
  for (let slot: u32 = 1; slot <= slotsEnd; slot++) {
    const key = keyAt(slot);
    if (!key) continue;
    if (keySeries(key)) setSeriesKeys(keySeries(key), 0);
    free(key, Kind.INDEX);
    giveSlot(slot);
  }
  tableClear(table);
  skips = 0;
  for (let i = 0; i < clusterCount; i++) free(<usize>load<u32>(clusters + (<usize>i << 3)), Kind.INDEX);
  clusterCount = 0;
}
