/**
 * Sums over windows that overlap, without adding a sample twice: a window's sum is the difference of two sums from the first bin on,
 * which are kept as pairs of doubles (Dekker's and Knuth's exact addition). A pair has 106 bits, so the difference is at least as exact
 * as a compensated sum over the window, unless the window is tiny beside what came before: then the caller adds it up.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, capacity, free } from '../memory/alloc';

/** Bits that a window's sum may be smaller than the largest sum: what is left of the 106 is more than a double has. */
const LEAST_SHARE: f64 = 1 / <f64>(<u64>1 << 36);

/** Bytes of an entry: two doubles, a number, and 4 bytes that are not used. */
const ENTRY: usize = 24;

/** Sums of the bins [0, i) of one series for each i, and how many samples they have: `ENTRY` bytes each. */
@unmanaged
export class Sliding {
  private at: usize;
  /** The largest sum, without its sign. */
  private greatest: f64;

  /** Gives its memory back. */
  free(): void {
    free(this.at, MemoryKind.Scratch);
    this.at = 0;
  }

  private entry(i: i32): usize {
    return this.at + <usize>i * ENTRY;
  }

  /** Adds up n bins. False when memory is exhausted. */
  prepare(bins: usize, n: i32): bool {
    const need = <u32>(n + 1) * <u32>ENTRY;
    if (!this.at || capacity(this.at) < need) {
      free(this.at, MemoryKind.Scratch);
      this.at = alloc(need, MemoryKind.Scratch);
      if (!this.at) return false;
    }
    let high: f64 = 0;
    let low: f64 = 0;
    let samples = 0;
    let greatest: f64 = 0;
    let p = this.at;
    const end = bins + (<usize>n << 3);
    for (let bin = bins; bin < end; bin += 8, p += ENTRY) {
      store<f64>(p, high);
      store<f64>(p, low, 8);
      store<i32>(p, samples, 16);
      const value = load<f64>(bin);
      if (value != value) continue;
      // The exact sum of both doubles is `sum` and what `sum` lost; the low part is added to that, and both made not to overlap.
      const sum = high + value;
      const part = sum - high;
      const rest = high - (sum - part) + (value - part) + low;
      high = sum + rest;
      low = rest - (high - sum);
      samples++;
      greatest = max(greatest, abs(high));
    }
    store<f64>(p, high);
    store<f64>(p, low, 8);
    store<i32>(p, samples, 16);
    this.greatest = greatest;
    return true;
  }

  /** Samples in the bins [from, to). */
  count(from: i32, to: i32): i32 {
    return load<i32>(this.entry(to), 16) - load<i32>(this.entry(from), 16);
  }

  /** Their sum; NaN: it has to be added up, as it is tiny beside the others or one of these is infinite. */
  sum(from: i32, to: i32): f64 {
    const a = this.entry(from);
    const b = this.entry(to);
    const before = -load<f64>(a);
    const high = load<f64>(b);
    const difference = high + before;
    const part = difference - high;
    const sum = difference + (high - (difference - part) + (before - part) + (load<f64>(b, 8) - load<f64>(a, 8)));
    // An infinite sum makes NaN, and this false.
    return abs(sum) >= this.greatest * LEAST_SHARE ? sum : NaN;
  }
}
