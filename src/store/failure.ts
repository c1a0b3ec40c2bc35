/** Errors across threads: a code and a message, not an object of a class. */
import { StoreError, type StoreErrorCode } from '../base/store-error.js';

export interface Failure {
  code: StoreErrorCode;
  message: string;
}

/** Anything thrown as what crosses the port. */
export function toFailure(error: unknown): Failure {
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

/** The typed error on the other side. */
export function fromFailure(failure: Failure): StoreError {
  return new StoreError(failure.code, failure.message);
}
