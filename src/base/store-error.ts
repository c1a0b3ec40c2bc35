/** The error of everything that stores and answers, below all of it. Callers compare `code`, never messages. */

export type StoreErrorCode =
  /** Too many bytes in flight; nothing of the write was stored. Retry later. */
  | 'OVERLOADED'
  /** Checkpoints are still being read. */
  | 'LOADING'
  | 'STOPPING'
  /** The log could not be written (disk full, I/O error); nothing of the batch was acknowledged. */
  | 'LOG_FAILED'
  /** A selector named nothing that exists. */
  | 'NOT_FOUND'
  /** Whoever could answer or take it can't be reached now. Retry later. */
  | 'UNAVAILABLE'
  /** Linear memory of a partition is exhausted. */
  | 'OUT_OF_MEMORY'
  /** An answer would take more memory than it may. */
  | 'TOO_LARGE'
  /** Series went away while they were read; the next try may find them as they are. */
  | 'CHANGED'
  | 'INTERNAL';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** Seconds after which it is worth another try, where that is known. */
  readonly retryAfter: number | undefined;
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: { cause?: unknown; retryAfter?: number },
  ) {
    super(message, options);
    this.retryAfter = options?.retryAfter;
  }
}
