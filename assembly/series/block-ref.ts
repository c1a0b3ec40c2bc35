/**
 * A row of a series' block table (blocks.ts): where a block is, what state it is in, and which bin it begins with.
 *
 *   0                4
 *   ┌────────────────┬───────────┐
 *   │ block at|O|D|L │ first bin │     L (bit 0): loose      D (bit 1): not in a checkpoint yet
 *   └────────────────┴───────────┘     O (bit 2): the file that it was read from holds it as open
 *   sealed block: compressed, immutable; see codec/block.ts
 *   loose block: made by late samples, compressed at the next seal
 *                    0        4       8
 *                    ┌────────┬───────┬──────────────────┐
 *                    │ count  │ -     │ count × f64      │
 *                    └────────┴───────┴──────────────────┘
 */
import { capacity } from '../memory/alloc';
import { decodeBlock } from '../codec/block';
import { Block } from '../codec/layout';

const LOOSE: u32 = 1;
const DIRTY: u32 = 2;
const OPEN: u32 = 4;
const BITS: u32 = LOOSE | DIRTY | OPEN;

/** A block of plain doubles, not compressed. */
@unmanaged
export class LooseBlock {
  /** Bins of the block. */
  count: i32;
  private reserved: u32;

  /** Address of the bins. */
  get bins(): usize {
    return changetype<usize>(this) + offsetof<LooseBlock>();
  }
}

@unmanaged
export class BlockRef {
  private word: u32;
  /** First bin. */
  start: i32;

  /** Address of the block, whatever it is. */
  get address(): usize {
    return <usize>(this.word & ~BITS);
  }
  get isLoose(): bool {
    return (this.word & LOOSE) != 0;
  }
  /** Whether no checkpoint holds the block. */
  get isDirty(): bool {
    return (this.word & DIRTY) != 0;
  }
  set isDirty(on: bool) {
    this.word = on ? this.word | DIRTY : this.word & ~DIRTY;
  }
  /** Whether it was read from a file as its series' newest bins, which were still growing. */
  get isOpen(): bool {
    return (this.word & OPEN) != 0;
  }
  markOpen(): void {
    this.word |= OPEN;
  }

  /** Refers to a sealed block from now on; the old one is the caller's to free. */
  setSealed(block: Block, dirty: bool): void {
    this.word = <u32>changetype<usize>(block) | (dirty ? DIRTY : 0);
  }
  /** Refers to a loose block from now on, which no checkpoint holds; the old one is the caller's to free. */
  setLoose(block: LooseBlock): void {
    this.word = <u32>changetype<usize>(block) | LOOSE | DIRTY;
  }

  /** The block. Precondition: it is sealed. */
  get sealed(): Block {
    return changetype<Block>(this.address);
  }
  /** The block. Precondition: it is loose. */
  get loose(): LooseBlock {
    return changetype<LooseBlock>(this.address);
  }
  /** Bins of the block. */
  get count(): i32 {
    return this.isLoose ? this.loose.count : this.sealed.count;
  }
  /** One past the last bin. */
  get end(): i32 {
    return this.start + this.count;
  }
  /** Bytes that the block takes in memory. */
  get bytes(): u32 {
    return capacity(this.address) + 4;
  }
  /** Writes all bins to dst; 64 bytes behind them may be overwritten. */
  read(dst: usize): void {
    if (this.isLoose) memory.copy(dst, this.loose.bins, <usize>this.count << 3);
    else decodeBlock(this.sealed, dst);
  }
}
