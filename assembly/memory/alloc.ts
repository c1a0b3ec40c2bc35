/**
 * The allocator of linear memory: chunks of tlsf.ts, counted to the byte by what they are used for. When memory is exhausted,
 * kept roll-ups go first; then scratch has a reserve, and all others get 0.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { Chunk, HEADER, MIN_SIZE, grow, occupy, release, take } from './tlsf';

const PAGE_BITS: u32 = 16;
const RESERVE: u32 = 64 << 20;
/** At first, and in a memory that is too small for more (tests have such). To V8 a large one is a reason to collect garbage. */
const RESERVE_SMALL: u32 = 512 << 10;
/** Pages of linear memory from which on the large one is set aside. */
const RESERVE_PAGES: i32 = 512;

/**
 * Memory that only scratch may have: a partition that samples have filled must still answer queries and write its
 * checkpoint. Never touched before, so it costs address space only.
 */
@unmanaged
class Reserve {
  /** Null: none is set aside, or scratch has it. */
  chunk: Chunk | null;
  size: u32;
  /** How large it is to be; 0: no larger than it is. */
  wanted: u32;
  /** Frees all of MemoryKind.Rollups; returns false when there is none. */
  dropRollups: (() => bool) | null;
}

const reserve = changetype<Reserve>(memory.data(offsetof<Reserve>(), 8));
const usedByKind: usize = memory.data(4 * MemoryKind.Count, 8);

reserve.wanted = RESERVE_SMALL;

/** Says how memory of MemoryKind.Rollups is given back when other memory is exhausted. The function must not allocate. */
export function onExhausted(drop: () => bool): void {
  reserve.dropRollups = drop;
}

/** Makes linear memory larger so that there is a chunk of `size`; false when the 4 GiB are used up. */
function enlarge(size: u32): bool {
  if (!grow(size)) return false;
  if (memory.size() >= RESERVE_PAGES) reserve.wanted = RESERVE;
  return true;
}

/** A chunk of at least `size`, off its list and not split yet; null when memory is exhausted. */
function obtain(size: u32): Chunk | null {
  const chunk = take(size);
  if (chunk) return chunk;
  return enlarge(size) ? take(size) : null;
}

/** `obtain` once no roll-up is kept any longer; null when there was none, or it did not help. */
function obtainLast(size: u32): Chunk | null {
  const drop = reserve.dropRollups;
  return drop && drop() ? obtain(size) : null;
}

/** Sets the reserve aside, or a larger one in the place of the small one. */
function makeReserve(): void {
  const size = reserve.wanted + 4;
  const chunk = obtain(size);
  if (!chunk) {
    // What there is must do.
    reserve.wanted = 0;
    return;
  }
  occupy(chunk, size);
  const old = reserve.chunk;
  if (old) release(old);
  reserve.chunk = chunk;
  reserve.size = size;
}

/** Grows linear memory by what `bytes` more need, at once: to V8 each growth is a reason to collect garbage. */
export function expectBytes(bytes: u32): void {
  let used = <u64>__heap_base + <u64>bytesReserved();
  for (let kind = 0; kind < MemoryKind.Count; kind++) used += <u64>bytesUsed(kind);
  const size = <u64>memory.size() << PAGE_BITS;
  const room = size - min(used, size);
  if (<u64>bytes > room) enlarge(<u32>(<u64>bytes - room));
}

/** Hands the reserve out for scratch. @returns a chunk of at least `size`, or null. */
function lendReserve(size: u32): Chunk | null {
  const chunk = reserve.chunk;
  if (!chunk) return null;
  release(chunk);
  reserve.chunk = null;
  return take(size);
}

/**
 * Whether scratch has the reserve: memory was exhausted. What is only kept to save time must not be allocated then: it would
 * take from the reserve and keep it from being set aside again.
 */
export function reserveIsLent(): bool {
  return reserve.size != 0 && !reserve.chunk;
}

/** Sets the reserve aside again once its scratch is free. */
function restoreReserve(): void {
  const chunk = take(reserve.size);
  if (!chunk) return;
  occupy(chunk, reserve.size);
  reserve.chunk = chunk;
}

/** Counts memory of a kind. */
function count(kind: MemoryKind, bytes: i32): void {
  const counter = usedByKind + (<usize>kind << 2);
  store<u32>(counter, load<u32>(counter) + bytes);
}

/**
 * `bytes` of 8-aligned memory with garbage in it, owned by the caller until `free`.
 * @returns 0 when linear memory is exhausted; nothing has changed then.
 */
export function alloc(bytes: u32, kind: MemoryKind): usize {
  if (bytes > 0xf0000000) return 0;
  if (reserve.size < reserve.wanted && (reserve.chunk || !reserve.size)) makeReserve();
  if (kind == MemoryKind.Rollups && reserveIsLent()) return 0;
  const size = max(MIN_SIZE, ((bytes + 3) & ~7) + 4);
  let chunk = obtain(size);
  if (!chunk && kind != MemoryKind.Rollups) chunk = obtainLast(size);
  if (!chunk && kind == MemoryKind.Scratch) chunk = lendReserve(size);
  if (!chunk) return 0;
  occupy(chunk, size);
  count(kind, chunk.size + HEADER);
  return chunk.payload;
}

/** Gives memory of `alloc` back. `kind` must be the one it was allocated with; 0 is ignored. */
export function free(p: usize, kind: MemoryKind): void {
  if (!p) return;
  const chunk = Chunk.of(p);
  count(kind, -<i32>(chunk.size + HEADER));
  release(chunk);
  if (!reserve.chunk && kind == MemoryKind.Scratch) restoreReserve();
}

/** Bytes that fit at p without moving it: at least what was asked for. */
export function capacity(p: usize): u32 {
  return Chunk.of(p).size;
}

/**
 * Memory of at least `bytes` that starts with the old content; the old address is dead afterwards.
 * @returns 0 when memory is exhausted; the old memory is untouched then.
 */
export function realloc(p: usize, bytes: u32, kind: MemoryKind): usize {
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
export function bytesUsed(kind: MemoryKind): u32 {
  return load<u32>(usedByKind + (<usize>kind << 2));
}

/** Bytes set aside and untouched: part of the linear memory's size, but of no resident page. */
export function bytesReserved(): u32 {
  return reserve.chunk ? reserve.size : 0;
}
