/** How long something may take: work in turns that ends between two of them when its deadline is over or its client has left. */

import { Turns } from '../../base/turns.js';

/** setTimeout fires at once beyond it. Nobody waits 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

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

export class Pace extends Turns {
  private readonly stopper = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param deadline `performance.now()` at which the work is given up.
   * @param signal aborted when nobody waits for it any more.
   */
  constructor(
    private readonly deadline: number,
    private readonly signal: AbortSignal,
  ) {
    super();
  }

  /** @throws QueryTimeout or QueryCanceled */
  override async pause(): Promise<void> {
    await super.pause();
    this.check();
  }

  /** @throws QueryTimeout or QueryCanceled */
  check(): void {
    if (this.signal.aborted) throw new QueryCanceled();
    if (performance.now() > this.deadline) throw new QueryTimeout();
  }

  /** Aborted when the deadline has passed or the client has left: for work that is done elsewhere. */
  get stopped(): AbortSignal {
    if (this.timer === undefined) {
      const left = Math.max(0, this.deadline - performance.now());
      this.timer = setTimeout(this.stop, Math.min(left, MAX_TIMEOUT_MS));
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
