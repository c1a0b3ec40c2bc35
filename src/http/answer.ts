import { discard, unreadBody } from './connection/unread.js';
import type { Exchange } from './exchange.js';

/** Headers of every answer, as Node's flat list of names and values. */
const COMMON_HEADERS: readonly string[] = ['X-Content-Type-Options', 'nosniff', 'Referrer-Policy', 'no-referrer'];

/** Headers of answers that hold data, or say what a server thinks at this moment. */
const DATA_HEADERS: readonly string[] = [...COMMON_HEADERS, 'Cache-Control', 'no-store'];

export const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain; charset=utf-8';
export const BINARY_TYPE = 'application/octet-stream';
export const HTML_TYPE = 'text/html; charset=utf-8';

const EMPTY_JSON_HEADERS = ['Content-Type', JSON_TYPE, ...DATA_HEADERS, 'Content-Length', '0'];

/** A complete answer. `headers` is a flat list of further names and values. The request's body may be unread. */
export function send(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers: readonly string[] = [],
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  noteStale(exchange);
  finish(exchange, status, ['Content-Type', contentType, ...DATA_HEADERS, ...headers], bytes);
}

/**
 * A file, or 304 without one. `headers` is the flat list of all that matters to it: what may be kept and how long is the
 * file's own matter.
 */
export function sendFile(
  exchange: Exchange,
  status: 200 | 304,
  bytes: Uint8Array | undefined,
  headers: readonly string[],
): void {
  finish(exchange, status, [...COMMON_HEADERS, ...headers], bytes);
}

/** @param bytes undefined: the answer has no body and no length. */
function finish(exchange: Exchange, status: number, headers: string[], bytes: Uint8Array | undefined): void {
  const { incoming, outgoing } = exchange;
  const unread = unreadBody(incoming);
  if (unread === 'much') outgoing.shouldKeepAlive = false;
  outgoing.writeHead(status, bytes === undefined ? headers : [...headers, 'Content-Length', String(bytes.length)]);
  exchange.sent = bytes?.length ?? 0;
  if (unread === 'much') {
    if (bytes !== undefined) outgoing.write(bytes);
    void discard(incoming).then(() => outgoing.end());
    return;
  }
  // Node reads the rest itself once the answer is finished, but would not listen for a client that leaves meanwhile.
  if (unread === 'little') incoming.on('error', () => {}).resume();
  outgoing.end(bytes);
}

export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  send(exchange, status, JSON_TYPE, `${JSON.stringify(value)}\n`);
}

/** 200 without a body: what a write is answered with. */
export function sendStored(exchange: Exchange): void {
  exchange.outgoing.writeHead(200, EMPTY_JSON_HEADERS);
  exchange.outgoing.end();
}

/** 204: no body, no content type. */
export function sendNothing(exchange: Exchange, headers: readonly string[] = []): void {
  exchange.outgoing.writeHead(204, [...DATA_HEADERS, ...headers]);
  exchange.outgoing.end();
}

/** Headers of an answer whose length is not known when it starts; the caller writes the body. */
export function startAnswer(exchange: Exchange, contentType: string, headers: readonly string[]): void {
  noteStale(exchange);
  exchange.outgoing.writeHead(200, ['Content-Type', contentType, ...DATA_HEADERS, ...headers]);
}

/** Says of an answer that copies gave which may lack something. */
function noteStale({ outgoing, staleSeconds }: Exchange): void {
  const seconds = staleSeconds?.();
  if (seconds !== undefined) outgoing.setHeader('X-Ccms-Stale', Math.ceil(seconds));
}

/** For answers that are made outside a handler (a `Response` for Hono's adapter). */
export function errorHeaders(): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': JSON_TYPE };
  for (let i = 0; i + 1 < DATA_HEADERS.length; i += 2) headers[DATA_HEADERS[i] ?? ''] = DATA_HEADERS[i + 1] ?? '';
  return headers;
}
