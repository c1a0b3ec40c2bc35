/**
 * Open-addressing hash tables of addresses. The table knows hashes only; what an entry means and whether it is the one
 * wanted is the caller's: a 32-bit hash finds candidates, bytes decide.
 *
 *   handle: 4 × u32  ┌──────────┬──────────┬───────┬──────────┐
 *                    │ slots at │ capacity │ count │ reserved │     capacity is a power of two, load at most 3/4
 *                    └──────────┴──────────┴───────┴──────────┘
 *   slot: 2 × u32    ┌──────┬───────┐
 *                    │ hash │ entry │                               entry 0: empty
 *                    └──────┴───────┘
 *
 * Linear probing; removal shifts later entries back, so there are no tombstones.
 */
import { Kind, alloc, free } from './alloc';

export const TABLE_HANDLE_BYTES: i32 = 16;
const SLOT: usize = 8;
const FIRST_CAPACITY: u32 = 64;

let cursor: u32 = 0;
let cursorHash: u32 = 0;

/** First entry whose hash matches, or 0. Continue with `tableNext` on the same table before anything else is looked up. */
export function tableFind(t: usize, hash: u32): usize {
  const capacity = load<u32>(t, 4);
  if (!capacity) return 0;
  cursor = hash & (capacity - 1);
  cursorHash = hash;
  return scan(t, capacity);
}

/** The next candidate after `tableFind`, or 0. */
export function tableNext(t: usize): usize {
  const capacity = load<u32>(t, 4);
  cursor = (cursor + 1) & (capacity - 1);
  return scan(t, capacity);
}

// @ts-ignore: decorator
@inline
function scan(t: usize, capacity: u32): usize {
  const slots = <usize>load<u32>(t);
  while (true) {
    const slot = slots + <usize>cursor * SLOT;
    const entry = load<u32>(slot, 4);
    if (!entry) return 0;
    if (load<u32>(slot) == cursorHash) return <usize>entry;
    cursor = (cursor + 1) & (capacity - 1);
  }
}

/** Adds an entry that is not in the table yet. False when memory is exhausted (the table is unchanged). */
export function tableAdd(t: usize, hash: u32, entry: usize): bool {
  const count = load<u32>(t, 8);
  const capacity = load<u32>(t, 4);
  if ((count + 1) * 4 > capacity * 3 && !resize(t, capacity ? capacity << 1 : FIRST_CAPACITY)) return false;
  place(<usize>load<u32>(t), load<u32>(t, 4), hash, <u32>entry);
  store<u32>(t, count + 1, 8);
  return true;
}

function place(slots: usize, capacity: u32, hash: u32, entry: u32): void {
  let i = hash & (capacity - 1);
  while (load<u32>(slots + <usize>i * SLOT, 4)) i = (i + 1) & (capacity - 1);
  store<u32>(slots + <usize>i * SLOT, hash);
  store<u32>(slots + <usize>i * SLOT, entry, 4);
}

function resize(t: usize, capacity: u32): bool {
  const fresh = alloc(capacity * <u32>SLOT, Kind.INDEX);
  if (!fresh) return false;
  memory.fill(fresh, 0, <usize>capacity * SLOT);
  const old = <usize>load<u32>(t);
  const oldCapacity = load<u32>(t, 4);
  for (let i: u32 = 0; i < oldCapacity; i++) {
    const slot = old + <usize>i * SLOT;
    const entry = load<u32>(slot, 4);
    if (entry) place(fresh, capacity, load<u32>(slot), entry);
  }
  free(old, Kind.INDEX);
  store<u32>(t, <u32>fresh);
  store<u32>(t, capacity, 4);
  return true;
}

/** Removes an entry that is in the table under this hash. */
export function tableRemove(t: usize, hash: u32, entry: usize): void {
  const capacity = load<u32>(t, 4);
  const mask = capacity - 1;
  const slots = <usize>load<u32>(t);
  let i = hash & mask;
  while (load<u32>(slots + <usize>i * SLOT, 4) != <u32>entry) i = (i + 1) & mask;
  // Shift back every later entry of the run that may live at the hole.
  let hole = i;
  let j = i;
  while (true) {
    j = (j + 1) & mask;
    const slot = slots + <usize>j * SLOT;
    if (!load<u32>(slot, 4)) break;
    const home = load<u32>(slot) & mask;
    if (((j - home) & mask) >= ((j - hole) & mask)) {
      store<u64>(slots + <usize>hole * SLOT, load<u64>(slot));
      hole = j;
    }
  }
  store<u64>(slots + <usize>hole * SLOT, 0);
  store<u32>(t, load<u32>(t, 8) - 1, 8);
}

/** Empties the table and gives its memory back. */
export function tableClear(t: usize): void {
  free(<usize>load<u32>(t), Kind.INDEX);
  store<u64>(t, 0);
  store<u64>(t, 0, 8);
}
