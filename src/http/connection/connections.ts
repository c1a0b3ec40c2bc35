/** What happens on a connection outside of any handler: malformed requests, time limits, and the way to a quiet stop. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody } from '../errors.js';

/** Collectors write every 10 to 60 s: a connection outlives a minute's pause. Unit: milliseconds, as all of these. */
const KEEP_ALIVE_TIMEOUT = 75_000;
/** Headers come in one piece; whoever needs longer is counting on patience (slowloris). */
const HEADERS_TIMEOUT = 10_000;
/** 64 MiB at half a megabyte a second. */
const REQUEST_TIMEOUT = 120_000;
/** A socket on which nothing moves, such as a client that does not read its answer. */
const SOCKET_TIMEOUT = 120_000;
const CHECK_INTERVAL = 2_000;
const MAX_HEADER_BYTES = 16 << 10;

/** Options for http(s).createServer. */
export const serverOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT,
  requestTimeout: REQUEST_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  connectionsCheckingInterval: CHECK_INTERVAL,
  // Missing Host headers are answered by us, in JSON.
  requireHostHeader: false,
  noDelay: true,
};

interface ParseError extends Error {
  code?: string;
  reason?: string;
}

function statusOf(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  return 400;
}

function messageOf(error: ParseError): string {
  if (error.code === 'HPE_HEADER_OVERFLOW') return `the request's headers are longer than ${MAX_HEADER_BYTES} bytes`;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'the request did not arrive in time';
  return `not an HTTP request: ${error.reason ?? error.message}`;
}

/** Answers by hand: there is no request that Node could make an answer for. */
function refuse(socket: Duplex, error: ParseError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOf(error.code);
  const body = errorBody(status, messageOf(error));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff`;
  socket.end(
    `${head}\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** What a socket is busy with. */
interface Busy {
  /** Requests whose answers have not left. */
  requests: number;
  closed: boolean;
}

/** The connections of one server: counts requests in flight, answers what Node cannot parse, ends them all. */
export class Connections {
  #inFlight = 0;
  #closing = false;
  /** The request that a socket is busy with, the newest if several were pipelined. */
  readonly #current = new WeakMap<Duplex, { incoming: IncomingMessage; outgoing: ServerResponse }>();
  readonly #busy = new WeakMap<Duplex, Busy>();
  readonly #server: Server;
  readonly #onRefused: (status: number) => void;
  #idle: (() => void) | undefined;

  /** @param onRefused told the status of every answer to something that was no request. */
  constructor(server: Server, onRefused: (status: number) => void) {
    this.#server = server;
    this.#onRefused = onRefused;
    server.timeout = SOCKET_TIMEOUT;
    server.on('clientError', (error: ParseError, socket) => this.#onClientError(error, socket));
  }

  /** Requests that have arrived and whose answer has not left. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** To be called for every request before its handler. */
  begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const busy = this.#busyOf(incoming.socket);
    busy.requests++;
    this.#inFlight++;
    this.#current.set(incoming.socket, { incoming, outgoing });
    if (this.#closing) outgoing.shouldKeepAlive = false;
    outgoing.on('close', () => {
      if (busy.closed) return;
      busy.requests--;
      this.#ended(1);
    });
  }

  #busyOf(socket: Duplex): Busy {
    const known = this.#busy.get(socket);
    if (known) return known;
    const busy: Busy = { requests: 0, closed: false };
    this.#busy.set(socket, busy);
    // Node closes only the answer it is sending: those queued after it go with their socket.
    socket.once('close', () => {
      busy.closed = true;
      this.#ended(busy.requests);
    });
    return busy;
  }

  #ended(requests: number): void {
    this.#inFlight -= requests;
    if (this.#inFlight === 0) this.#idle?.();
  }

  #onClientError(error: ParseError, socket: Duplex): void {
    // A plain-text client on a TLS port, a failed handshake: there is no way to answer.
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code?.startsWith('ERR_SSL')) {
      socket.destroy();
      return;
    }
    const current = this.#current.get(socket);
    if (current === undefined || current.outgoing.writableFinished || current.outgoing.destroyed) {
      this.#refuse(socket, error);
    } else if (current.incoming.complete) {
      // A good request, then garbage behind it: the good one gets its own answer first.
      current.outgoing.shouldKeepAlive = true;
      current.outgoing.once('finish', () => this.#refuse(socket, error));
    } else if (current.outgoing.headersSent) {
      socket.destroy();
    } else {
      // The request's own handler will find its body broken, and count it.
      refuse(socket, error);
    }
  }

  #refuse(socket: Duplex, error: ParseError): void {
    refuse(socket, error);
    this.#onRefused(statusOf(error.code));
  }

  /**
   * Stops accepting, lets requests in flight finish within `graceMilliseconds`, then closes every connection.
   * @returns how many requests had not finished by then.
   */
  async close(graceMilliseconds: number): Promise<number> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMilliseconds);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const unfinished = this.#inFlight;
    this.#server.closeAllConnections();
    await closed;
    return unfinished;
  }
}

/** True for requests that RFC 9112 wants refused: HTTP/1.1 without a Host. */
export function lacksHost(incoming: IncomingMessage): boolean {
  return incoming.httpVersion === '1.1' && incoming.headers.host === undefined;
}

/** The port of a listening server. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
