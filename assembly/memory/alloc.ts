/**
 * The allocator of linear memory: two-level segregated fit after Masmano et al., "TLSF: a New Dynamic Memory Allocator
 * for Real-Time Systems" (2004); AssemblyScript's own `rt/tlsf.ts` is the same family. Ours differs where a time-series
 * store gains: 8-byte steps instead of 16 (a sealed block wastes 8 bytes a piece on average, not 16), sizes known to the
 * byte by kind, growth in small steps, and 0 instead of a trap when memory is exhausted.
 *
 * A chunk, header and payload. Headers sit at addresses = 4 mod 8, so payloads are 8-aligned and their sizes = 4 mod 8.
 *
 *   +0                +4                                            +4+size
 *   ┌─────────────────┬──────────────────────────────────────────────┬───────────
 *   │ size | PF | F   │ payload (size bytes)                         │ next header
 *   └─────────────────┴──────────────────────────────────────────────┴───────────
 *   F  (bit 0): this chunk is free       PF (bit 1): the chunk before is free
 *
 * A free chunk uses its payload for its list and for finding its start from behind:
 *
 *   ┌────────────┬────────────┬───────────────────────┬──────────────────────┐
 *   │ next free  │ prev free  │ ...                   │ own header's address │
 *   └────────────┴────────────┴───────────────────────┴──────────────────────┘
 */
import { MemoryKind } from '../../src/wasm/codes';
import { CHECKS } from './checks';

const FREE: u32 = 1;
const PREV_FREE: u32 = 2;
const FLAGS: u32 = 3;
const HEADER: usize = 4;
const MIN_SIZE: u32 = 12;

const SL_BITS: u32 = 5;
const SL_SIZE: u32 = 1 << SL_BITS;
const SMALL_BITS: u32 = SL_BITS + 3;
const SMALL_SIZE: u32 = 1 << SMALL_BITS;
const FL_SIZE: u32 = 32 - SMALL_BITS + 1;

/** Grow by a sixteenth of what is there, at least 1 MiB: linear memory follows the data instead of doubling past it. */
const GROW_SHIFT: u32 = 4;
const GROW_MIN_PAGES: i32 = 16;
const PAGE_BITS: u32 = 16;

const heads: usize = memory.data(4 * (FL_SIZE << SL_BITS), 8);
const slMaps: usize = memory.data(4 * FL_SIZE, 8);
const usedByKind: usize = memory.data(4 * MemoryKind.Count, 8);
let flMap: u32 = 0;
/** Header of the end marker: size 0, never free. 0 before the first growth. */
let endMarker: usize = 0;

/**
 * Memory that only scratch may have: a partition that samples have filled must still answer queries and write its
 * checkpoint. Never touched before, so it costs address space only. 0: in use.
 */
let reserve: usize = 0;
let reserveSize: u32 = 0;
const RESERVE: u32 = 64 << 20;
/** At first, and in a memory that is too small for more (tests have such). To V8 a large one is a reason to collect garbage. */
const RESERVE_SMALL: u32 = 512 << 10;
let reserveWanted: u32 = RESERVE_SMALL;
/** Pages of linear memory from which on the large one is set aside. */
const RESERVE_PAGES: i32 = 512;

/** Frees all of MemoryKind.Rollups; returns false when there is none. */
let dropRollups: (() => bool) | null = null;

/** Says how memory of MemoryKind.Rollups is given back when other memory is exhausted. The function must not allocate. */
export function onExhausted(drop: () => bool): void {
  dropRollups = drop;
}

// @ts-ignore: decorator
@inline
function sizeOf(h: usize): u32 {
  return load<u32>(h) & ~FLAGS;
}

// @ts-ignore: decorator
@inline
function nextOf(h: usize): usize {
  return h + HEADER + <usize>sizeOf(h);
}

/** The list that holds chunks of exactly this size class (rounded down). */
// @ts-ignore: decorator
@inline
function classOf(size: u32): u32 {
  if (size < SMALL_SIZE) return size >> 3;
  const top: u32 = 31 - clz<u32>(size);
  return ((top - SMALL_BITS + 1) << SL_BITS) | ((size >> (top - SL_BITS)) & (SL_SIZE - 1));
}

function insert(h: usize): void {
  const size = sizeOf(h);
  store<u32>(h, size | FREE | (load<u32>(h) & PREV_FREE));
  const c = classOf(size);
  const head = load<u32>(heads + (<usize>c << 2));
  const payload = h + HEADER;
  store<u32>(payload, head);
  store<u32>(payload, 0, 4);
  if (head) store<u32>(<usize>head + HEADER, <u32>h, 4);
  store<u32>(heads + (<usize>c << 2), <u32>h);
  const fl = c >> SL_BITS;
  flMap |= 1 << fl;
  store<u32>(slMaps + (<usize>fl << 2), load<u32>(slMaps + (<usize>fl << 2)) | (1 << (c & (SL_SIZE - 1))));
  const next = nextOf(h);
  store<u32>(next - 4, <u32>h);
  store<u32>(next, load<u32>(next) | PREV_FREE);
}

function remove(h: usize): void {
  const c = classOf(sizeOf(h));
  const payload = h + HEADER;
  const next = load<u32>(payload);
  const prev = load<u32>(payload, 4);
  if (next) store<u32>(<usize>next + HEADER, prev, 4);
  if (prev) store<u32>(<usize>prev + HEADER, next);
  else {
    store<u32>(heads + (<usize>c << 2), next);
    if (!next) {
      const fl = c >> SL_BITS;
      const map = load<u32>(slMaps + (<usize>fl << 2)) & ~(1 << (c & (SL_SIZE - 1)));
      store<u32>(slMaps + (<usize>fl << 2), map);
      if (!map) flMap &= ~(1 << fl);
    }
  }
}

/** `size` rounded up so that every chunk of its class, or of a larger one, has `size` bytes. */
// @ts-ignore: decorator
@inline
function upToBorder(size: u32): u32 {
  return size >= SMALL_SIZE ? size + (1 << (31 - clz<u32>(size) - SL_BITS)) - 1 : size;
}

/** A free chunk of at least `size`, taken off its list; 0 when there is none. */
function take(size: u32): usize {
  const c = classOf(upToBorder(size));
  let fl = c >> SL_BITS;
  if (fl >= FL_SIZE) return 0;
  let map = load<u32>(slMaps + (<usize>fl << 2)) & (~0 << (c & (SL_SIZE - 1)));
  if (!map) {
    const fls = fl + 1 < 32 ? flMap & (~0 << (fl + 1)) : 0;
    if (!fls) return 0;
    fl = ctz<u32>(fls);
    map = load<u32>(slMaps + (<usize>fl << 2));
  }
  const h = <usize>load<u32>(heads + (<usize>((fl << SL_BITS) | ctz<u32>(map)) << 2));
  remove(h);
  return h;
}

/** Makes the linear memory larger so that `take` finds a chunk of `size`; false when the 4 GiB are used up. */
function grow(size: u32): bool {
  const before = memory.size();
  const need = <i32>((<u64>upToBorder(size) + 64 + 0xffff) >> PAGE_BITS);
  let pages = max(max(GROW_MIN_PAGES, before >> GROW_SHIFT), need);
  if (memory.grow(pages) < 0) {
    pages = need;
    if (memory.grow(pages) < 0) return false;
  }
  if (before + pages >= RESERVE_PAGES) reserveWanted = RESERVE;
  const from: usize = <usize>before << PAGE_BITS;
  let h: usize;
  if (!endMarker) {
    // The first region starts where the module's static data ends.
    h = ((__heap_base + 7) & ~7) + 4;
    store<u32>(h, 0);
  } else {
    h = endMarker;
    if (CHECKS) assert(h + HEADER == from, 'BUG: memory was grown by someone else');
  }
  // Unsigned arithmetic: the end of a full 4 GiB memory is 0 in 32 bits.
  const end: usize = (<usize>(before + pages) << PAGE_BITS) - HEADER;
  const flags = load<u32>(h) & PREV_FREE;
  store<u32>(end, 0);
  store<u32>(h, <u32>(end - h - HEADER) | flags);
  endMarker = end;
  release(h);
  return true;
}

/** Joins a chunk with free neighbours and puts it on its list. */
function release(h: usize): void {
  let header = load<u32>(h);
  const next = nextOf(h);
  if (load<u32>(next) & FREE) {
    remove(next);
    header += sizeOf(next) + <u32>HEADER;
    store<u32>(h, header);
  }
  if (header & PREV_FREE) {
    const prev = <usize>load<u32>(h - 4);
    remove(prev);
    store<u32>(prev, load<u32>(prev) + (header & ~FLAGS) + <u32>HEADER);
    h = prev;
  }
  insert(h);
}

/** A chunk of at least `size`, off its list and not split yet; 0 when memory is exhausted. */
function obtain(size: u32): usize {
  const h = take(size);
  if (h) return h;
  return grow(size) ? take(size) : 0;
}

/** `obtain` once no roll-up is kept any longer; 0 when there was none, or it did not help. */
function obtainLast(size: u32): usize {
  const drop = dropRollups;
  return drop && drop() ? obtain(size) : 0;
}

/** Cuts what is more than `size` off the chunk and marks it used. */
function occupy(h: usize, size: u32): void {
  const have = sizeOf(h);
  const flags = load<u32>(h) & PREV_FREE;
  if (have - size >= MIN_SIZE + <u32>HEADER) {
    store<u32>(h, size | flags);
    const rest = h + HEADER + <usize>size;
    store<u32>(rest, have - size - <u32>HEADER);
    insert(rest);
  } else {
    store<u32>(h, have | flags);
    const next = nextOf(h);
    store<u32>(next, load<u32>(next) & ~PREV_FREE);
  }
}

/** Sets the reserve aside, or a larger one in the place of the small one. */
function makeReserve(): void {
  const size = reserveWanted + 4;
  const h = obtain(size);
  if (!h) {
    // What there is must do.
    reserveWanted = 0;
    return;
  }
  occupy(h, size);
  if (reserve) release(reserve);
  reserve = h;
  reserveSize = size;
}

/** Grows linear memory by what `bytes` more need, at once: to V8 each growth is a reason to collect garbage. */
export function expectBytes(bytes: u32): void {
  let used = <u64>__heap_base + <u64>bytesReserved();
  for (let kind = 0; kind < MemoryKind.Count; kind++) used += <u64>bytesUsed(kind);
  const size = <u64>memory.size() << PAGE_BITS;
  const room = size - min(used, size);
  if (<u64>bytes > room) grow(<u32>(<u64>bytes - room));
}

/** Hands the reserve out for scratch. @returns a chunk of at least `size`, or 0. */
function useReserve(size: u32): usize {
  if (!reserve) return 0;
  release(reserve);
  reserve = 0;
  return take(size);
}

/**
 * Whether scratch has the reserve: memory was exhausted. What is only kept to save time must not be allocated then: it would
 * take from the reserve and keep it from being set aside again.
 */
export function reserveIsLent(): bool {
  return reserveSize != 0 && !reserve;
}

/** Sets the reserve aside again once its scratch is free. */
function restoreReserve(): void {
  const h = take(reserveSize);
  if (!h) return;
  occupy(h, reserveSize);
  reserve = h;
}

/**
 * `bytes` of 8-aligned memory with garbage in it, owned by the caller until `free`.
 * @returns 0 when linear memory is exhausted; nothing has changed then.
 */
export function alloc(bytes: u32, kind: i32): usize {
  if (bytes > 0xf0000000) return 0;
  if (reserveSize < reserveWanted && (reserve || !reserveSize)) makeReserve();
  if (kind == MemoryKind.Rollups && reserveIsLent()) return 0;
  const size = max(MIN_SIZE, ((bytes + 3) & ~7) + 4);
  let h = obtain(size);
  if (!h && kind != MemoryKind.Rollups) h = obtainLast(size);
  if (!h && kind == MemoryKind.Scratch) h = useReserve(size);
  if (!h) return 0;
  occupy(h, size);
  const counter = usedByKind + (<usize>kind << 2);
  store<u32>(counter, load<u32>(counter) + sizeOf(h) + <u32>HEADER);
  return h + HEADER;
}

/** Gives memory of `alloc` back. `kind` must be the one it was allocated with; 0 is ignored. */
export function free(p: usize, kind: i32): void {
  if (!p) return;
  const h = p - HEADER;
  if (CHECKS) assert(!(load<u32>(h) & FREE), 'BUG: double free');
  const counter = usedByKind + (<usize>kind << 2);
  store<u32>(counter, load<u32>(counter) - sizeOf(h) - <u32>HEADER);
  release(h);
  if (!reserve && kind == MemoryKind.Scratch) restoreReserve();
}

/** Bytes that fit at p without moving it: at least what was asked for. */
export function capacity(p: usize): u32 {
  return sizeOf(p - HEADER);
}

/**
 * Memory of at least `bytes` that starts with the old content; the old address is dead afterwards.
 * @returns 0 when memory is exhausted; the old memory is untouched then.
 */
export function realloc(p: usize, bytes: u32, kind: i32): usize {
  if (!p) return alloc(bytes, kind);
  const have = capacity(p);
  if (have >= bytes) return p;
  const q = alloc(bytes, kind);
  if (!q) return 0;
  memory.copy(q, p, have);
  free(p, kind);
  return q;
}

/** Bytes in use for a kind, headers and padding included: exact, not an estimate. */
export function bytesUsed(kind: i32): u32 {
  return load<u32>(usedByKind + (<usize>kind << 2));
}

/** Bytes set aside and untouched: part of the linear memory's size, but of no resident page. */
export function bytesReserved(): u32 {
  return reserve ? reserveSize : 0;
}
