/** What is said of a run of samples as a whole. */
@unmanaged
export class Statistics {
  /** Sum of the samples; 0 without any. */
  sum: f64;
  /** The least and the greatest of them; +Infinity and -Infinity without any. */
  least: f64;
  greatest: f64;
  /** How many there are, missing ones not counted. */
  samples: i32;

  set(samples: i32, sum: f64, least: f64, greatest: f64): void {
    this.samples = samples;
    this.sum = sum;
    this.least = least;
    this.greatest = greatest;
  }

  /** Takes in those of another run. */
  add(samples: i32, sum: f64, least: f64, greatest: f64): void {
    if (!samples) return;
    this.set(this.samples + samples, this.sum + sum, min(this.least, least), max(this.greatest, greatest));
  }
}
