/**
 * How long something may take, and how it shares the main thread. Work that may take long asks `due()` between two of its parts, and
 * waits for `pause()` when it is. There it ends if its deadline is over or its client has left. A part that takes long by itself,
 * such as sorting a list or compiling a regular expression, still holds the thread.
 */

import { nextTurn } from '../../base/turns.js';

/** Milliseconds after which the main thread does other things. */
const SLICE_MS = 4;

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

export class Pace {
  private sliceEnd = performance.now() + SLICE_MS;
  private readonly stopper = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param deadline `performance.now()` at which the work is given up.
   * @param signal aborted when nobody waits for it any more.
   */
  constructor(
    private readonly deadline: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether it is time to wait for `pause()`. */
  due(): boolean {
    return performance.now() >= this.sliceEnd;
  }

  /** Lets the main thread do other things, and writes go first. @throws QueryTimeout or QueryCanceled */
  async pause(): Promise<void> {
    // What was waited for is none of the slice.
    await nextTurn(Math.min(SLICE_MS, performance.now() - this.sliceEnd + SLICE_MS));
    this.check();
    this.sliceEnd = performance.now() + SLICE_MS;
  }

  /** @throws QueryTimeout or QueryCanceled */
  check(): void {
    if (this.signal.aborted) throw new QueryCanceled();
    if (performance.now() > this.deadline) throw new QueryTimeout();
  }

  /** Aborted when the deadline has passed or the client has left: for work that is done elsewhere. */
  get stopped(): AbortSignal {
    if (this.timer === undefined) {
      this.timer = setTimeout(this.stop, Math.max(0, this.deadline - performance.now()));
      this.timer.unref();
      this.signal.addEventListener('abort', this.stop);
      if (this.signal.aborted) this.stop();
    }
    return this.stopper.signal;
  }

  private readonly stop = (): void => {
    this.stopper.abort(this.signal.aborted ? new QueryCanceled() : new QueryTimeout());
  };

  /** The work is over. */
  close(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.stop);
  }
}
