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

const TOO_MANY = 'query processing would load too many samples into memory in query execution';

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
}

export class QueryRun {
  private sliceEnd = performance.now() + SLICE_MS;
  private bytes = 0;
  private samples = 0;
  /** The most samples that were held at once. */
  peakSamples = 0;
  /** Samples that selectors and windows looked at. */
  totalSamples = 0;

  constructor(readonly options: RunOptions) {}

  get annotations(): Annotations {
    return this.options.annotations;
  }

  /** Reserves memory for rows, before they are made. @throws ExecutionError when they would be too many. */
  reserveRows(rows: number, steps: number): void {
    const bytes = sizeOfRows(rows, steps);
    if (!this.options.memory.take(bytes)) throw new ExecutionError(TOO_MANY);
    this.bytes += bytes;
  }

  releaseRows(rows: number, steps: number): void {
    const bytes = Math.min(sizeOfRows(rows, steps), this.bytes);
    this.options.memory.give(bytes);
    this.bytes -= bytes;
  }

  /** Counts samples that are now held. @throws ExecutionError when they are more than a query may hold. */
  holdSamples(count: number): void {
    this.samples += count;
    this.peakSamples = Math.max(this.peakSamples, this.samples);
    if (this.samples > this.options.maxSamples) throw new ExecutionError(TOO_MANY);
  }

  dropSamples(count: number): void {
    this.samples -= count;
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

  /** Gives back all that is reserved. The run is over. */
  close(): void {
    this.options.memory.give(this.bytes);
    this.bytes = 0;
  }
}
