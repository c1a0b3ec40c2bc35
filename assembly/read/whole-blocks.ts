/**
 * Windows so long that whole blocks lie in them: of these the headers say how many samples they have, the least and the greatest, and nothing is
 * decoded. Every result has the bits that looking at each bin gives. That leaves sums out: a header's is added up in another order than
 * a window's, and where blocks begin would show in the last digits.
 */
import { LeafFunction } from '../../src/wasm/tables/codes';
import { MAX_BINS } from '../codec/layout';
import { BlockRef } from '../series/block-ref';
import { binsScratch } from '../series/blocks';
import { Series } from '../series/records';
import { firstBlock } from './read';

/** Windows of so many bins, one behind the other: the blocks that two of them share are decoded twice, and all others not at all. */
export const LONG_WINDOW: i64 = 2 * MAX_BINS;

/** Whether headers can answer a function over windows. */
export function isOfHeaders(fn: i32): bool {
  return fn == LeafFunction.Min || fn == LeafFunction.Max || fn == LeafFunction.Count || fn == LeafFunction.Present;
}

/** One window that is looked at. */
@unmanaged
export class LongWindow {
  private fn: i32;
  /** Samples in it. */
  private samples: i32;
  /** The least or greatest of them, the first of equal ones. */
  private extreme: f64;
  /** Bins that had to be decoded or looked at. */
  looked: i32;

  /** Looks at the bins [from, to) of a series. @param fn one `isOfHeaders`. @returns whether there is a sample. */
  lookAt(s: Series, from: i32, to: i32, fn: i32): bool {
    this.fn = fn;
    this.samples = 0;
    this.looked = 0;
    for (let i = firstBlock(s, from); i < s.blockCount; i++) {
      const row = s.block(i);
      if (row.end <= from) continue;
      if (row.start >= to) break;
      this.takeBlock(row, from, to);
    }
    const first = max(from, s.openStart);
    const last = min(to, s.openEnd);
    if (last > first) this.takeBins(s.openBins + (<usize>(first - s.openStart) << 3), last - first);
    return this.samples > 0;
  }

  get value(): f64 {
    if (this.fn == LeafFunction.Present) return 1;
    return this.fn == LeafFunction.Count ? <f64>this.samples : this.extreme;
  }

  private takeBlock(row: BlockRef, from: i32, to: i32): void {
    const start = row.start;
    const end = row.end;
    if (!row.isLoose && start >= from && end <= to) {
      const block = row.sealed;
      const present = block.present;
      // Of a zero the header has the sign that came first (codec/profile.ts).
      if (present) this.take(this.fn == LeafFunction.Max ? block.greatest : block.least);
      this.samples += present;
      return;
    }
    row.read(binsScratch);
    const first = max(from, start);
    this.takeBins(binsScratch + (<usize>(first - start) << 3), min(to, end) - first);
  }

  private takeBins(bins: usize, n: i32): void {
    this.looked += n;
    for (const end = bins + (<usize>n << 3); bins < end; bins += 8) {
      const value = load<f64>(bins);
      if (value != value) continue;
      this.take(value);
      this.samples++;
    }
  }

  private take(value: f64): void {
    const known = this.extreme;
    if (!this.samples || (this.fn == LeafFunction.Max ? value > known : value < known)) this.extreme = value;
  }
}
