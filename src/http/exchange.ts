import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request and its answer. Handlers read and write the raw Node objects, and count what passes through. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** First value of a query parameter, percent-decoded. */
  param(name: string): string | undefined;
  /** A `:name` segment of the path, percent-decoded. */
  segment(name: string): string | undefined;
  /** Body bytes read from the client, as they came over the wire. */
  received: number;
  /** Body bytes given to the socket. */
  sent: number;
  /** Seconds since when the answer may lack what was written; undefined: it lacks nothing. To be asked when its data is there. */
  readonly staleSeconds?: (() => number | undefined) | undefined;
}
