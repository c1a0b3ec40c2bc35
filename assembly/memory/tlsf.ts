/**
 * Chunks of linear memory and the lists of the free ones: two-level segregated fit after Masmano et al., "TLSF: a New Dynamic
 * Memory Allocator for Real-Time Systems" (2004); AssemblyScript's own `rt/tlsf.ts` is the same family. Ours differs where a
 * time-series store gains: 8-byte steps instead of 16 (a sealed block wastes 8 bytes a piece on average, not 16), growth in
 * small steps, and null instead of a trap when memory is exhausted.
 */
import { CHECKS } from './checks';

const FREE: u32 = 1;
const PREV_FREE: u32 = 2;
const FLAGS: u32 = FREE | PREV_FREE;
/** Bytes of a chunk's header. */
export const HEADER: u32 = 4;
/** Smallest payload: what a free chunk keeps in it. */
export const MIN_SIZE: u32 = 12;

const SL_BITS: u32 = 5;
const SL_SIZE: u32 = 1 << SL_BITS;
const SMALL_BITS: u32 = SL_BITS + 3;
const SMALL_SIZE: u32 = 1 << SMALL_BITS;
const FL_SIZE: u32 = 32 - SMALL_BITS + 1;

/** Grow by a sixteenth of what is there, at least 1 MiB: linear memory follows the data instead of doubling past it. */
const GROW_SHIFT: u32 = 4;
const GROW_MIN_PAGES: i32 = 16;
const PAGE_BITS: u32 = 16;

/**
 * Headers sit at addresses = 4 mod 8, so payloads are 8-aligned and their sizes = 4 mod 8.
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
@unmanaged
export class Chunk {
  private header: u32;
  nextFree: Chunk | null;
  prevFree: Chunk | null;

  /** The chunk of a payload. */
  static of(payload: usize): Chunk {
    return changetype<Chunk>(payload - HEADER);
  }

  get payload(): usize {
    return changetype<usize>(this) + HEADER;
  }
  /** Bytes of the payload. */
  get size(): u32 {
    return this.header & ~FLAGS;
  }
  set size(bytes: u32) {
    this.header = bytes | (this.header & FLAGS);
  }
  get isFree(): bool {
    return (this.header & FREE) != 0;
  }
  set isFree(on: bool) {
    this.header = on ? this.header | FREE : this.header & ~FREE;
  }
  get isPrevFree(): bool {
    return (this.header & PREV_FREE) != 0;
  }
  set isPrevFree(on: bool) {
    this.header = on ? this.header | PREV_FREE : this.header & ~PREV_FREE;
  }
  /** The chunk behind it. */
  get next(): Chunk {
    return changetype<Chunk>(this.payload + this.size);
  }
  /** The chunk before it. Precondition: that one is free. */
  get prev(): Chunk {
    return load<Chunk>(changetype<usize>(this) - 4);
  }
  /** Starts a chunk in memory that was none: in use, behind one in use. */
  init(size: u32): void {
    this.header = size;
  }
}

/** A first level: which of its lists are not empty. */
@unmanaged
class Level {
  map: u32;
}

@unmanaged
class List {
  first: Chunk | null;
}

@unmanaged
class Heap {
  /** Levels that have a list that is not empty. */
  levels: u32;
  /** Size 0, never free. Null before the first growth. */
  endMarker: Chunk | null;
}

const heap = changetype<Heap>(memory.data(offsetof<Heap>(), 8));
const LEVELS: usize = memory.data(4 * FL_SIZE, 8);
const LISTS: usize = memory.data(4 * (FL_SIZE << SL_BITS), 8);

function level(fl: u32): Level {
  return changetype<Level>(LEVELS + (<usize>fl << 2));
}

function list(sizeClass: u32): List {
  return changetype<List>(LISTS + (<usize>sizeClass << 2));
}

/** The list that holds chunks of exactly this size class (rounded down). */
function classOf(size: u32): u32 {
  if (size < SMALL_SIZE) return size >> 3;
  const top: u32 = 31 - clz<u32>(size);
  return ((top - SMALL_BITS + 1) << SL_BITS) | ((size >> (top - SL_BITS)) & (SL_SIZE - 1));
}

/** `size` rounded up so that every chunk of its class, or of a larger one, has `size` bytes. */
function upToBorder(size: u32): u32 {
  return size >= SMALL_SIZE ? size + (1 << (31 - clz<u32>(size) - SL_BITS)) - 1 : size;
}

/** Puts a chunk on its list. */
function insert(chunk: Chunk): void {
  const c = classOf(chunk.size);
  const free = list(c);
  const first = free.first;
  chunk.isFree = true;
  chunk.nextFree = first;
  chunk.prevFree = null;
  if (first) first.prevFree = chunk;
  free.first = chunk;
  const fl = c >> SL_BITS;
  heap.levels |= 1 << fl;
  level(fl).map |= 1 << (c & (SL_SIZE - 1));
  const next = chunk.next;
  store<usize>(changetype<usize>(next) - 4, changetype<usize>(chunk));
  next.isPrevFree = true;
}

/** Takes a chunk off its list. */
function remove(chunk: Chunk): void {
  const next = chunk.nextFree;
  const prev = chunk.prevFree;
  if (next) next.prevFree = prev;
  if (prev) {
    prev.nextFree = next;
    return;
  }
  const c = classOf(chunk.size);
  list(c).first = next;
  if (next) return;
  const fl = c >> SL_BITS;
  const map = level(fl).map & ~(1 << (c & (SL_SIZE - 1)));
  level(fl).map = map;
  if (!map) heap.levels &= ~(1 << fl);
}

/** A free chunk of at least `size`, taken off its list and not split yet; null when there is none. */
export function take(size: u32): Chunk | null {
  const c = classOf(upToBorder(size));
  let fl = c >> SL_BITS;
  if (fl >= FL_SIZE) return null;
  let map = level(fl).map & (~0 << (c & (SL_SIZE - 1)));
  if (!map) {
    const larger = fl + 1 < 32 ? heap.levels & (~0 << (fl + 1)) : 0;
    if (!larger) return null;
    fl = ctz<u32>(larger);
    map = level(fl).map;
  }
  const chunk = list((fl << SL_BITS) | ctz<u32>(map)).first;
  if (chunk) remove(chunk);
  return chunk;
}

/** Makes the linear memory larger so that `take` finds a chunk of `size`; false when the 4 GiB are used up. */
export function grow(size: u32): bool {
  const before = memory.size();
  const need = <i32>((<u64>upToBorder(size) + 64 + 0xffff) >> PAGE_BITS);
  let pages = max(max(GROW_MIN_PAGES, before >> GROW_SHIFT), need);
  if (memory.grow(pages) < 0) {
    pages = need;
    if (memory.grow(pages) < 0) return false;
  }
  const from: usize = <usize>before << PAGE_BITS;
  let chunk = heap.endMarker;
  if (!chunk) {
    // The first region starts where the module's static data ends.
    chunk = changetype<Chunk>(((__heap_base + 7) & ~7) + 4);
    chunk.init(0);
  } else if (CHECKS) assert(chunk.payload == from, 'BUG: memory was grown by someone else');
  // Unsigned arithmetic: the end of a full 4 GiB memory is 0 in 32 bits.
  const end = changetype<Chunk>((<usize>(before + pages) << PAGE_BITS) - HEADER);
  end.init(0);
  chunk.size = <u32>(changetype<usize>(end) - chunk.payload);
  heap.endMarker = end;
  release(chunk);
  return true;
}

/** Joins a chunk with free neighbours and puts it on its list. */
export function release(chunk: Chunk): void {
  if (CHECKS) assert(!chunk.isFree, 'BUG: double free');
  const next = chunk.next;
  if (next.isFree) {
    remove(next);
    chunk.size += next.size + HEADER;
  }
  if (chunk.isPrevFree) {
    const prev = chunk.prev;
    remove(prev);
    prev.size += chunk.size + HEADER;
    chunk = prev;
  }
  insert(chunk);
}

/** Cuts what is more than `size` off a chunk of `take` and marks it used. */
export function occupy(chunk: Chunk, size: u32): void {
  const have = chunk.size;
  chunk.isFree = false;
  if (have - size < MIN_SIZE + HEADER) {
    chunk.next.isPrevFree = false;
    return;
  }
  chunk.size = size;
  const rest = chunk.next;
  rest.init(have - size - HEADER);
  insert(rest);
}
