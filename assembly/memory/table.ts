/**
 * Open-addressing hash tables of addresses. The table knows hashes only; what an entry means and whether it is the one
 * wanted is the caller's: a 32-bit hash finds candidates, bytes decide.
 *
 *   table    0          4          8       12       16
 *            ┌──────────┬──────────┬───────┬────────┬─────────────┐
 *            │ slots at │ capacity │ count │ cursor │ cursor hash │     capacity: a power of two, load at most 3/4
 *            └──────────┴──────────┴───────┴────────┴─────────────┘     cursor: where `next` goes on
 *   slot     0      4
 *            ┌──────┬───────┐
 *            │ hash │ entry │                               entry 0: empty
 *            └──────┴───────┘
 *
 * Linear probing; removal shifts later entries back, so there are no tombstones.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, free } from './alloc';

const FIRST_CAPACITY: u32 = 64;

@unmanaged
class Slot {
  hash: u32;
  entry: usize;
}

/** A hash table. Memory of zeros is an empty one: `changetype<Table>(memory.data(offsetof<Table>(), 8))`. */
@unmanaged
export class Table {
  private slots: usize;
  private capacity: u32;
  private count: u32;
  private cursor: u32;
  private cursorHash: u32;

  private slot(i: u32): Slot {
    return changetype<Slot>(this.slots + <usize>i * offsetof<Slot>());
  }

  /** First entry whose hash matches, or 0. Continue with `next` before anything else is looked up in the table. */
  find(hash: u32): usize {
    if (!this.capacity) return 0;
    this.cursorHash = hash;
    return this.scan(hash, hash);
  }

  /** The next candidate after `find`, or 0. */
  next(): usize {
    return this.scan(this.cursor + 1, this.cursorHash);
  }

  /** The first entry of this hash in slot `from` or behind it, up to the first empty slot; 0: none. */
  private scan(from: u32, hash: u32): usize {
    const mask = this.capacity - 1;
    let i = from & mask;
    let slot = this.slot(i);
    while (slot.entry && slot.hash != hash) {
      i = (i + 1) & mask;
      slot = this.slot(i);
    }
    this.cursor = i;
    return slot.entry;
  }

  /** Adds an entry that is not in the table yet. False when memory is exhausted (the table is unchanged). */
  add(hash: u32, entry: usize): bool {
    if ((this.count + 1) * 4 > this.capacity * 3 && !this.resize(this.capacity ? this.capacity << 1 : FIRST_CAPACITY)) {
      return false;
    }
    this.place(hash, entry);
    this.count++;
    return true;
  }

  private place(hash: u32, entry: usize): void {
    const mask = this.capacity - 1;
    let i = hash & mask;
    while (this.slot(i).entry) i = (i + 1) & mask;
    const slot = this.slot(i);
    slot.hash = hash;
    slot.entry = entry;
  }

  private resize(capacity: u32): bool {
    const bytes = capacity * <u32>offsetof<Slot>();
    const fresh = alloc(bytes, MemoryKind.Index);
    if (!fresh) return false;
    memory.fill(fresh, 0, bytes);
    const old = this.slots;
    const end = old + <usize>this.capacity * offsetof<Slot>();
    this.slots = fresh;
    this.capacity = capacity;
    for (let at = old; at < end; at += offsetof<Slot>()) {
      const slot = changetype<Slot>(at);
      if (slot.entry) this.place(slot.hash, slot.entry);
    }
    free(old, MemoryKind.Index);
    return true;
  }

  /** Removes an entry that is in the table under this hash. */
  remove(hash: u32, entry: usize): void {
    const mask = this.capacity - 1;
    let hole = hash & mask;
    while (this.slot(hole).entry != entry) hole = (hole + 1) & mask;
    // Shift back every later entry of the run that may live at the hole.
    for (let i = (hole + 1) & mask; this.slot(i).entry; i = (i + 1) & mask) {
      const slot = this.slot(i);
      const home = slot.hash & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      const free = this.slot(hole);
      free.hash = slot.hash;
      free.entry = slot.entry;
      hole = i;
    }
    this.slot(hole).entry = 0;
    this.count--;
  }

  /** Empties the table and gives its memory back. */
  clear(): void {
    free(this.slots, MemoryKind.Index);
    memory.fill(changetype<usize>(this), 0, offsetof<Table>());
  }
}
