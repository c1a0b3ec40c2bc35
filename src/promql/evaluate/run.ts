/**
 * One query while it is evaluated: its time, its limits, and what it has to say beside the result. What may take long asks
 * `due()` between rows and then waits for `pause()`, so that the main thread is never held for more than a few milliseconds
 * and a deadline or a client that left ends the query there.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Annotations } from './annotations.js';
import { ExecutionError, sizeOfRows } from './rows.js';

/** Milliseconds after which the main thread does other things. */
const SLICE_MS = 4;

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

/** The query took longer than it may. */
export class QueryTimeout extends Error {
  override readonly name = 'QueryTimeout';
  constructor() {
    super('query timed out in expression evaluation');
  }
}

/** Nobody waits for the answer any more. */
export class QueryCanceled extends Error {
  override readonly name = 'QueryCanceled';
  constructor() {
    super('query was canceled in expression evaluation');
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

export class QueryRun {
  private sliceEnd = performance.now() + SLICE_MS;
  private bytes = 0;
  private samples = 0;
  private readonly stopper = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  /** The most samples that were held at once. */
  peakSamples = 0;
  /** Samples that selectors and windows looked at. */
  totalSamples = 0;

  constructor(readonly options: RunOptions) {}

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

  /** Whether it is time to wait for `pause()`. */
  due(): boolean {
    return performance.now() >= this.sliceEnd;
  }

  /** Lets the main thread do other things. @throws QueryTimeout or QueryCanceled */
  async pause(): Promise<void> {
    await nextTurn();
    this.check();
    this.sliceEnd = performance.now() + SLICE_MS;
  }

  /** @throws QueryTimeout or QueryCanceled */
  check(): void {
    if (this.options.signal.aborted) throw new QueryCanceled();
    if (performance.now() > this.options.deadline) throw new QueryTimeout();
  }

  /** Aborted when the deadline has passed or the client has left: for work that is done elsewhere. */
  get stopped(): AbortSignal {
    if (this.timer === undefined) {
      const { signal, deadline } = this.options;
      this.timer = setTimeout(this.stop, Math.max(0, deadline - performance.now()));
      this.timer.unref();
      signal.addEventListener('abort', this.stop);
      if (signal.aborted) this.stop();
    }
    return this.stopper.signal;
  }

  private readonly stop = (): void => {
    this.stopper.abort(this.options.signal.aborted ? new QueryCanceled() : new QueryTimeout());
  };

  /** Gives back all that is reserved. The run is over. */
  close(): void {
    clearTimeout(this.timer);
    this.options.signal.removeEventListener('abort', this.stop);
    this.options.memory.give(this.bytes);
    this.bytes = 0;
  }
}
