/**
 * Sums over windows that overlap, without adding a sample twice: a window's sum is the difference of two sums from the first bin on,
 * which are kept as pairs of doubles (Dekker's and Knuth's exact addition). A pair has 106 bits, so the difference is at least as exact
 * as a compensated sum over the window, unless the window is tiny beside what came before: then the caller adds it up.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, capacity, free } from '../memory/alloc';

/** Bits that a window's sum may be smaller than the largest sum: what is left of the 106 is more than a double has. */
const LEAST_SHARE: f64 = 1 / <f64>(<u64>1 << 36);

/** A sum as two doubles that do not overlap. */
@unmanaged
class Pair {
  high: f64;
  low: f64;

  /** The exact sum of two doubles. */
  set(a: f64, b: f64): void {
    const sum = a + b;
    const part = sum - a;
    this.low = a - (sum - part) + (b - part);
    this.high = sum;
  }
  /** Adds to the low part, and makes the parts not overlap again. */
  renew(low: f64): void {
    const sum = this.high + low;
    this.low = low - (sum - this.high);
    this.high = sum;
  }
}

const pair = changetype<Pair>(memory.data(offsetof<Pair>(), 8));

/** Sums of the bins [0, i) of one series for each i, and how many samples they have: 24 bytes each. */
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
    return this.at + <usize>i * 24;
  }

  /** Adds up n bins. False when memory is exhausted. */
  prepare(bins: usize, n: i32): bool {
    const need = <u32>(n + 1) * 24;
    if (!this.at || capacity(this.at) < need) {
      free(this.at, MemoryKind.Scratch);
      this.at = alloc(need, MemoryKind.Scratch);
      if (!this.at) return false;
    }
    let high: f64 = 0;
    let low: f64 = 0;
    let samples = 0;
    let greatest: f64 = 0;
    const first = this.entry(0);
    store<f64>(first, 0);
    store<f64>(first, 0, 8);
    store<i32>(first, 0, 16);
    for (let i = 0; i < n; i++) {
      const value = load<f64>(bins + (<usize>i << 3));
      if (value == value) {
        pair.set(high, value);
        pair.renew(pair.low + low);
        high = pair.high;
        low = pair.low;
        samples++;
        greatest = max(greatest, abs(high));
      }
      const p = this.entry(i + 1);
      store<f64>(p, high);
      store<f64>(p, low, 8);
      store<i32>(p, samples, 16);
    }
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
    pair.set(load<f64>(b), -load<f64>(a));
    pair.renew(pair.low + (load<f64>(b, 8) - load<f64>(a, 8)));
    const sum = pair.high;
    // An infinite sum makes NaN, and this false.
    return abs(sum) >= this.greatest * LEAST_SHARE ? sum : NaN;
  }
}
