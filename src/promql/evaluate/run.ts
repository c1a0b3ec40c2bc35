/** One query while it is evaluated: its time, its limits, and what it has to say beside the result. */

import type { Annotations } from './annotations.js';
import { Pace } from './pace.js';
import { ExecutionError, sizeOfRows } from './rows.js';

/** The query would hold more samples, or bytes, than it may. */
export class TooManySamples extends ExecutionError {
  constructor() {
    super('query processing would load too many samples into memory in query execution');
  }
}

/** Bytes that all queries together may hold as rows. */
export class MemoryPool {
  private used = 0;

  constructor(readonly limit: number) {}

  /** False when there is no room; then nothing was taken. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }

  /** Bytes that are left. */
  get room(): number {
    return this.limit - this.used;
  }

  /** Bytes that are taken. */
  get inUse(): number {
    return this.used;
  }
}

export interface RunOptions {
  /** Start, end and step of the query in milliseconds; of an instant query both are its time, and the step is 0. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** How far back an instant selector looks, in milliseconds. */
  readonly lookback: number;
  /** Look back two frequencies of a metric where that is further than `lookback`. */
  readonly adaptiveLookback: boolean;
  readonly maxSamples: number;
  readonly memory: MemoryPool;
  /** `performance.now()` at which the query is given up. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly annotations: Annotations;
  /** In a cluster, the answer has everything that was acknowledged anywhere. */
  readonly isStrong: boolean;
}

export class QueryRun extends Pace {
  private bytes = 0;
  private samples = 0;
  /** The most samples that were held at once. */
  peakSamples = 0;
  /** Samples that selectors and windows looked at. */
  totalSamples = 0;

  constructor(readonly options: RunOptions) {
    super(options.deadline, options.signal);
  }

  get annotations(): Annotations {
    return this.options.annotations;
  }

  /** Reserves memory for rows, before they are made. @throws TooManySamples */
  reserveRows(rows: number, steps: number): void {
    const bytes = sizeOfRows(rows, steps);
    if (this.samples + rows * steps > this.options.maxSamples) throw new TooManySamples();
    if (!this.options.memory.take(bytes)) throw new TooManySamples();
    this.bytes += bytes;
    this.samples += rows * steps;
    this.peakSamples = Math.max(this.peakSamples, this.samples);
  }

  /** For rows that come from elsewhere: they are reserved as those that are made here. */
  readonly account = {
    take: (rows: number, steps: number): void => this.reserveRows(rows, steps),
    give: (rows: number, steps: number): void => this.releaseRows(rows, steps),
  };

  /** Bytes that further rows may take. */
  get room(): number {
    return Math.min(this.options.memory.room, (this.options.maxSamples - this.samples) * 8);
  }

  releaseRows(rows: number, steps: number): void {
    const bytes = Math.min(sizeOfRows(rows, steps), this.bytes);
    this.options.memory.give(bytes);
    this.bytes -= bytes;
    this.samples = Math.max(0, this.samples - rows * steps);
  }

  /** Gives back all that is reserved. The run is over. */
  override close(): void {
    super.close();
    this.options.memory.give(this.bytes);
    this.bytes = 0;
  }
}
