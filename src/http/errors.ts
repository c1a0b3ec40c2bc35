import { STATUS_CODES } from 'node:http';
import { StoreError, type StoreErrorCode } from '../store/store.js';

/** What a request is answered with when it fails: thrown by handlers, rendered by `dispatch.ts` alone. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /**
   * @param status 4xx or 5xx.
   * @param message what is wrong, where, and what was expected; sent to the client.
   * @param headers name, value, name, value, ... of further answer headers (`Allow`, `Retry-After`).
   */
  constructor(
    readonly status: number,
    message: string,
    readonly headers: readonly string[] = [],
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Seconds after which a refused client should try again: the time a short burst needs to drain. */
const RETRY_SECONDS = '1';

/** Loading takes as long as the disk needs, and a stopping server is gone before its successor listens. */
const RETRY_RESTART_SECONDS = '5';

/** `null`: the fault is ours, it is logged and the client learns no details. */
const storeErrors: Record<StoreErrorCode, { status: number; headers: readonly string[] } | null> = {
  OVERLOADED: { status: 503, headers: ['Retry-After', RETRY_SECONDS] },
  LOADING: { status: 503, headers: ['Retry-After', RETRY_RESTART_SECONDS] },
  STOPPING: { status: 503, headers: ['Retry-After', RETRY_RESTART_SECONDS] },
  UNAVAILABLE: { status: 503, headers: ['Retry-After', RETRY_RESTART_SECONDS] },
  LOG_FAILED: { status: 503, headers: ['Retry-After', RETRY_RESTART_SECONDS] },
  TOO_LARGE: { status: 422, headers: [] },
  CHANGED: { status: 503, headers: ['Retry-After', RETRY_SECONDS] },
  OUT_OF_MEMORY: { status: 503, headers: ['Retry-After', RETRY_RESTART_SECONDS] },
  NOT_FOUND: { status: 400, headers: [] },
  INTERNAL: null,
};

/** Any thrown value as an answer. Unknown errors become a 500 whose `cause` is for the log, not for the client. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof StoreError) {
    const known = storeErrors[error.code];
    if (known !== null) {
      const headers = error.retryAfter === undefined ? known.headers : ['Retry-After', String(error.retryAfter)];
      return new HttpError(known.status, error.message, headers, { cause: error });
    }
  }
  return new HttpError(500, "internal error; the server's log has the details", [], { cause: error });
}

/** The body of every error answer: `{"status": "<status text>", "error": "..."}` and a newline. */
export function errorBody(status: number, message: string): string {
  return `${JSON.stringify({ status: STATUS_CODES[status] ?? 'Error', error: message })}\n`;
}
