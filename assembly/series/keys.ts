/**
 * Keys: the bytes a collector sends before ` value=` (metric and tags, as they stand), each leading to its series. A
 * collector repeats them for ever, so tags are parsed the first time only. Keys are a cache: dropping any of them costs
 * one parsed line, nothing else.
 *
 * Lines of several fields (assembly/ingest/fields.ts) have keys of two steps: the prefix leads to a group, which has no series, and
 * the names of its fields, in a space of the group's own, lead to theirs. A group goes with its last field.
 *
 * Where lines are only checked (assembly/ingest/checks.ts) a text of tags alone leads to the partition of its host.
 *
 * Keys are named by slots, not addresses, so that a prediction that outlived its key is merely wrong. Slots are counted
 * from 1, and 0 means none.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, free, realloc } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Table } from '../memory/table';
import { Series } from './records';

/**
 *   0        4               8      12       16      20    24
 *   ┌────────┬───────────────┬──────┬─────────┬───────┬─────┬───────────────────────┐
 *   │ series │ next slot     │ hash │ sibling │ space │ len │ text, 0-padded        │
 *   │ 0=none │ (prediction)  │      │ slot    │       │     │ to a multiple of 16   │
 *   └────────┴───────────────┴──────┴─────────┴───────┴─────┴───────────────────────┘
 */
@unmanaged
export class Key {
  /** Null: a group, or lines of it are skipped (unknown metric). */
  series: Series | null;
  /** Slot of the key that followed this one the last time. */
  next: u32;
  hash: u32;
  /** Slot of the series' next older key. A group counts its fields here; tags have their host's partition. */
  sibling: u32;
  /**
   * What the text is a name in. Of a prefix: the number of its request's cluster (`clusterIntern`), because a line without a
   * cluster tag belongs to that; with GROUPS of a group's, with TAGS of tags alone. Of a field: FIELDS and its group's slot.
   */
  space: u32;
  length: u32;

  /** Address of the prefix. */
  get text(): usize {
    return changetype<usize>(this) + offsetof<Key>();
  }

  /**
   * Whether the text at p starts with the key's prefix and a blank.
   * Precondition: 16 bytes behind `end` are readable.
   */
  @inline
  matches(p: usize, end: usize, space: u32): bool {
    const n = <usize>this.length;
    if (p + n >= end || load<u8>(p + n) != 0x20 || this.space != space) return false;
    const text = this.text;
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
}

/** Longer prefixes are parsed every time. */
const MAX_LENGTH: i32 = 1024;
/** Spellings remembered a series; a collector that changes a tag value with every job must not fill the memory. */
const MAX_PER_SERIES: i32 = 4;
/** Prefixes of unknown metrics that are remembered. */
const MAX_SKIPS: u32 = 16384;
const MAX_CLUSTERS: u32 = 256;
/** Texts of tags that are remembered: what ten thousand hosts send. */
const MAX_TAGS: u32 = 1 << 20;
/** Bits of a key's space. */
const TAGS: u32 = 0x20000000;
export const GROUPS: u32 = 0x40000000;
export const FIELDS: u32 = 0x80000000;

@unmanaged
class Keys {
  /** Addresses of the keys by slot, u32 each; a free slot holds the next free one, shifted left with bit 0 set. */
  slots: usize;
  capacity: u32;
  /** The highest slot ever used. */
  end: u32;
  /** First of the free slots. */
  free: u32;
  /** Prefixes without a series, and groups without a field. */
  skips: u32;
  /** Texts of tags. */
  tags: u32;
  clusterCount: u32;

  slot(slot: u32): usize {
    return this.slots + (<usize>(slot - 1) << 2);
  }
}

/** An interned default cluster. */
@unmanaged
class Cluster {
  name: usize;
  length: i32;
}

const keys = changetype<Keys>(memory.data(offsetof<Keys>(), 8));
const byText = changetype<Table>(memory.data(offsetof<Table>(), 8));
const clusters: usize = memory.data(MAX_CLUSTERS * 8, 8);

function clusterAt(i: u32): Cluster {
  return changetype<Cluster>(clusters + <usize>i * offsetof<Cluster>());
}

/** The key in a slot, or null. */
export function keyAt(slot: u32): Key | null {
  if (!slot) return null;
  const p: usize = load<u32>(keys.slot(slot));
  return p & 1 ? null : changetype<Key>(p);
}

/** The key in a slot that is known to hold one. */
function taken(slot: u32): Key {
  return changetype<Key>(<usize>load<u32>(keys.slot(slot)));
}

/** Slot of the key with these bytes, or 0. */
export function keyFind(p: usize, n: i32, space: u32): u32 {
  let slot = <u32>byText.find(hashBytes(space, p, n));
  while (slot) {
    const key = taken(slot);
    if (key.length == n && key.space == space && bytesEqual(key.text, p, n)) return slot;
    slot = <u32>byText.next();
  }
  return 0;
}

/**
 * Remembers a text that is not known yet. @param series null: a group, or lines of it are skipped (unknown metric).
 * @returns its slot, or 0 when it is not remembered (too long, too many, out of memory), which is harmless.
 */
export function keyAdd(p: usize, n: i32, space: u32, series: Series | null): u32 {
  if (n > MAX_LENGTH || (!series && keys.skips >= MAX_SKIPS)) return 0;
  const slot = takeSlot();
  if (!slot) return 0;
  const room = (n + 15) & ~15;
  const key = changetype<Key | null>(alloc(<u32>offsetof<Key>() + room, MemoryKind.Index));
  if (!key) {
    giveSlot(slot);
    return 0;
  }
  const hash = hashBytes(space, p, n);
  if (!byText.add(hash, <usize>slot)) {
    free(changetype<usize>(key), MemoryKind.Index);
    giveSlot(slot);
    return 0;
  }
  store<u32>(keys.slot(slot), <u32>changetype<usize>(key));
  key.series = series;
  key.next = 0;
  key.hash = hash;
  key.sibling = series ? series.keys : 0;
  key.space = space;
  key.length = n;
  memory.fill(key.text, 0, room);
  memory.copy(key.text, p, n);
  if (series) {
    if (space & FIELDS) {
      const group = taken(space & ~FIELDS);
      if (!group.sibling) keys.skips--;
      group.sibling++;
    }
    series.keys = slot;
    trim(key);
  } else keys.skips++;
  return slot;
}

/** Slot of a text of tags, or 0; the key's `sibling` is the partition of its host. */
export function tagsFind(p: usize, n: i32, cluster: u32): u32 {
  return keyFind(p, n, cluster | TAGS);
}

/** Whether the text at p begins with the tags of a key and a blank; see `Key.matches`. */
export function tagsMatch(key: Key, p: usize, end: usize, cluster: u32): bool {
  return key.matches(p, end, cluster | TAGS);
}

/** Remembers tags that are not known yet. Tags that change with every job must not fill the memory: too many are all forgotten. */
export function tagsAdd(p: usize, n: i32, cluster: u32, partition: u32): void {
  if (keys.tags >= MAX_TAGS) tagsForget();
  const skips = keys.skips;
  keys.skips = 0;
  const key = keyAt(keyAdd(p, n, cluster | TAGS, null));
  keys.skips = skips;
  if (!key) return;
  key.sibling = partition;
  keys.tags++;
}

function tagsForget(): void {
  for (let slot: u32 = 1; slot <= keys.end; slot++) {
    const key = keyAt(slot);
    if (!key || (key.space & (FIELDS | GROUPS | TAGS)) != TAGS) continue;
    byText.remove(key.hash, <usize>slot);
    free(changetype<usize>(key), MemoryKind.Index);
    giveSlot(slot);
  }
  keys.tags = 0;
}

/** Drops the oldest key of a series beyond MAX_PER_SERIES. @param newest of its keys. */
function trim(newest: Key): void {
  let key = newest;
  for (let i = 1; i < MAX_PER_SERIES; i++) {
    if (!key.sibling) return;
    key = taken(key.sibling);
  }
  const oldest = key.sibling;
  if (!oldest) return;
  key.sibling = 0;
  drop(oldest);
}

function drop(slot: u32): void {
  const key = taken(slot);
  const space = key.space;
  byText.remove(key.hash, <usize>slot);
  free(changetype<usize>(key), MemoryKind.Index);
  giveSlot(slot);
  if (!(space & FIELDS)) return;
  const group = taken(space & ~FIELDS);
  group.sibling--;
  if (!group.sibling) drop(space & ~FIELDS);
}

/** Drops all keys of a series. */
export function keysDrop(series: Series): void {
  let slot = series.keys;
  while (slot) {
    const sibling = taken(slot).sibling;
    drop(slot);
    slot = sibling;
  }
  series.keys = 0;
}

function takeSlot(): u32 {
  if (keys.free) {
    const slot = keys.free;
    keys.free = load<u32>(keys.slot(slot)) >> 1;
    return slot;
  }
  if (keys.end == keys.capacity) {
    const capacity = max<u32>(256, keys.capacity + (keys.capacity >> 1));
    const grown = realloc(keys.slots, capacity << 2, MemoryKind.Index);
    if (!grown) return 0;
    keys.slots = grown;
    keys.capacity = capacity;
  }
  const slot = ++keys.end;
  // Not a key until the caller stores one.
  store<u32>(keys.slot(slot), 1);
  return slot;
}

function giveSlot(slot: u32): void {
  store<u32>(keys.slot(slot), (keys.free << 1) | 1);
  keys.free = slot;
}

/** Number of a default cluster, counting from 1; 0 for the empty name. Stable until MAX_CLUSTERS names have been seen. */
export function clusterIntern(name: usize, length: i32): u32 {
  if (!length) return 0;
  for (let i: u32 = 0; i < keys.clusterCount; i++) {
    const known = clusterAt(i);
    if (known.length == length && bytesEqual(known.name, name, length)) return i + 1;
  }
  if (keys.clusterCount == MAX_CLUSTERS) keysForget();
  const copy = alloc(length, MemoryKind.Index);
  if (!copy) return 0;
  memory.copy(copy, name, length);
  const fresh = clusterAt(keys.clusterCount);
  fresh.name = copy;
  fresh.length = length;
  return ++keys.clusterCount;
}

/** Forgets all keys and default clusters: what they stand for is about to mean something else. */
export function keysForget(): void {
  for (let slot: u32 = 1; slot <= keys.end; slot++) {
    const key = keyAt(slot);
    if (!key) continue;
    const series = key.series;
    if (series) series.keys = 0;
    free(changetype<usize>(key), MemoryKind.Index);
    giveSlot(slot);
  }
  byText.clear();
  keys.skips = 0;
  keys.tags = 0;
  for (let i: u32 = 0; i < keys.clusterCount; i++) free(clusterAt(i).name, MemoryKind.Index);
  keys.clusterCount = 0;
}
