/** Errors in the shape of Prometheus's API: with another one Grafana shows "No data". */

import { HttpError } from '../../errors.js';

const types: Readonly<Record<number, string>> = {
  400: 'bad_data',
  401: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  413: 'bad_data',
  415: 'bad_data',
  422: 'execution',
  500: 'internal',
  503: 'unavailable',
};

/** A query that took too long: the only 503 of another type. */
export class TimeoutError extends HttpError {
  constructor(message: string) {
    super(503, message);
  }
}

export function renderPrometheusError(error: HttpError): string {
  const errorType = error instanceof TimeoutError ? 'timeout' : (types[error.status] ?? 'internal');
  return JSON.stringify({ status: 'error', errorType, error: error.message });
}
