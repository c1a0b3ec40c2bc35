/**
 * What functions of neighbouring samples want to know of a window: counted once as samples come into it and once as they leave it, however
 * many windows hold them. A bin that is missing is passed over: neighbours are samples.
 */

/** A pair of neighbours counts where both are in the window. Memory of zeros has counted nothing. */
@unmanaged
export class SlidingPairs {
  /** The window's first and last sample, as bins; they mean nothing when there is none. */
  firstSample: i32;
  lastSample: i32;
  /** Samples in the window. */
  present: i32;
  /** Pairs whose second sample is less than the first, and that are not the same. */
  falls: i32;
  changes: i32;
  /** One behind the last bin that was looked at. */
  private behind: i32;

  /** Forgets everything: another row begins. */
  startPairs(): void {
    this.passTo(0);
  }

  private passTo(bin: i32): void {
    this.behind = bin;
    this.present = 0;
    this.falls = 0;
    this.changes = 0;
  }

  /** Goes on to the window [from, to). Neither end goes back. @param bins address of bin 0. */
  movePairs(bins: usize, from: i32, to: i32): void {
    if (this.behind < from) this.passTo(from);
    let before = this.present ? valueAt(bins, this.lastSample) : NaN;
    for (let i = this.behind; i < to; i++) {
      const value = valueAt(bins, i);
      if (value != value) continue;
      if (this.present++) this.count(before, value, 1);
      else this.firstSample = i;
      this.lastSample = i;
      before = value;
    }
    this.behind = to;
    while (this.present && this.firstSample < from) this.leave(bins);
  }

  /** The first sample leaves the window. */
  private leave(bins: usize): void {
    const first = this.firstSample;
    this.present--;
    if (!this.present) return;
    let next = first + 1;
    while (isNaN(valueAt(bins, next))) next++;
    this.count(valueAt(bins, first), valueAt(bins, next), -1);
    this.firstSample = next;
  }

  private count(before: f64, value: f64, by: i32): void {
    if (value < before) this.falls += by;
    if (value != before) this.changes += by;
  }
}

function valueAt(bins: usize, i: i32): f64 {
  return load<f64>(bins + (<usize>i << 3));
}
