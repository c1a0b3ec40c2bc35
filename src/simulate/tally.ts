/** What was sent and how it went, in constant memory however long the run. */

/** Milliseconds of the histogram's first limit, and the factor from one to the next: 0.05 ms .. 15 min within 5 %. */
const FIRST_LIMIT = 0.05;
const GROWTH = 1.05;
const LIMITS = 350;

/** Latencies by size class. */
export class Latencies {
  private readonly counts = new Uint32Array(LIMITS);
  private total = 0;
  private largest = 0;

  add(milliseconds: number): void {
    const index = Math.ceil(Math.log(Math.max(milliseconds, FIRST_LIMIT) / FIRST_LIMIT) / Math.log(GROWTH));
    const slot = Math.min(index, LIMITS - 1);
    this.counts[slot] = (this.counts[slot] ?? 0) + 1;
    this.total++;
    this.largest = Math.max(this.largest, milliseconds);
  }

  /** Milliseconds below which `share` (0..1) of all lie, at most 5 % too high; 0 without any. */
  percentile(share: number): number {
    let seen = 0;
    for (let slot = 0; slot < LIMITS; slot++) {
      seen += this.counts[slot] ?? 0;
      if (seen > 0 && seen >= share * this.total) return Math.min(FIRST_LIMIT * GROWTH ** slot, this.largest);
    }
    return this.largest;
  }

  get max(): number {
    return this.largest;
  }
}

export class Tally {
  readonly latencies = new Latencies();
  /** Lines answered with success. */
  accepted = 0;
  /** Lines in batches that the server answered with an error; the good ones among them may be stored. */
  refused = 0;
  /** Batches sent again: the server was busy or away. */
  retries = 0;
  bytes = 0;
  /** The latest complaint of the server or the connection. */
  lastError = '';
  private readonly began = performance.now();
  private previous = { at: this.began, accepted: 0 };

  /** One line about the time since the last call. */
  progress(): string {
    const now = performance.now();
    const rate = (this.accepted - this.previous.accepted) / Math.max((now - this.previous.at) / 1000, 1e-3);
    this.previous = { at: now, accepted: this.accepted };
    return `${Math.round(rate)} lines/s, ${this.outcome()}`;
  }

  /** The whole run. */
  summary(): string {
    const seconds = (performance.now() - this.began) / 1000;
    const rate = Math.round(this.accepted / Math.max(seconds, 1e-3));
    const size = (this.bytes / 1e6).toFixed(1);
    return `${this.accepted} lines (${size} MB) in ${seconds.toFixed(1)} s: ${rate} lines/s, ${this.outcome()}`;
  }

  private outcome(): string {
    const { latencies } = this;
    const latency = `latency p50 ${latencies.percentile(0.5).toFixed(1)} p99 ${latencies.percentile(0.99).toFixed(1)} max ${latencies.max.toFixed(1)} ms`;
    const trouble = this.lastError === '' ? '' : ` (last: ${this.lastError})`;
    return `${this.refused} refused, ${this.retries} retries, ${latency}${trouble}`;
  }
}
