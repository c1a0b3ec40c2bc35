/**
 * Reads a request's body straight from the socket into the buffer that the store takes over: one copy a byte, no list of
 * chunks, no concatenation. HOT PATH: every written line passes here.
 *
 *   Content-Length known     take(n) once when n <= FIRST_TAKE, chunks copied to their place
 *   chunked, large, gzip     the buffer grows by GROWTH as bytes really arrive, so a client that promises 64 MiB and
 *                            sends nothing costs FIRST_TAKE
 *
 * Every buffer counts against a budget that all requests share: 10 000 slow senders get 503s, not our memory.
 */

import type { IncomingMessage } from 'node:http';
import { createGunzip, type Gunzip } from 'node:zlib';
import { countReceived } from '../../base/heap.js';
import { ClientGone, HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';

/** A body: the first `length` bytes of `buffer`, which belongs to whoever asked for it. */
export interface Body {
  buffer: ArrayBuffer;
  length: number;
}

/** Gives a buffer of at least `bytes`; its content is garbage. */
export type TakeBuffer = (bytes: number) => ArrayBuffer;

/** Most bytes that are taken before any has arrived. */
const FIRST_TAKE = 1 << 20;

/** First buffer of a body whose length is not known. */
const UNKNOWN_TAKE = 64 << 10;

/** Factor by which a full buffer grows; copies stay below a third of the body. */
const GROWTH = 4;

/** Bytes that all bodies being received may hold together. */
export class ReceiveBudget {
  #used = 0;

  constructor(readonly limit: number) {}

  /** Bytes held at this moment. */
  get used(): number {
    return this.#used;
  }

  /** Throws 503 when the bytes are not to be had; otherwise they are the caller's until `release`. */
  reserve(bytes: number): void {
    if (this.#used + bytes > this.limit) {
      const message = `too many bytes are being received: ${this.#used} of ${this.limit} in use, ${bytes} more asked for`;
      throw new HttpError(503, message, ['Retry-After', '1']);
    }
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

/** The growing buffer of one body. Its owner calls `finish` or `abandon` exactly once. */
class BodySink {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param expected bytes that will come, or -1. */
  constructor(
    expected: number,
    readonly limit: number,
    readonly take: TakeBuffer,
    readonly budget: ReceiveBudget,
    readonly setting: string | undefined,
  ) {
    const first = expected < 0 ? Math.min(UNKNOWN_TAKE, limit) : Math.min(expected, FIRST_TAKE);
    this.#bytes = this.#take(first, first);
  }

  /** Bytes that only this sink writes to. `more` of them are new to the budget. */
  #take(size: number, more: number): Uint8Array<ArrayBuffer> {
    this.budget.reserve(more);
    try {
      // The budget counts what was asked for; a recycled buffer may be longer, but that is the pool's memory.
      return new Uint8Array(this.take(size), 0, size);
    } catch (cause) {
      this.budget.release(more);
      throw new HttpError(503, `no memory for a body of ${size} bytes`, ['Retry-After', '1'], { cause });
    }
  }

  append(chunk: Uint8Array): void {
    const end = this.#length + chunk.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(chunk, this.#length);
    this.#length = end;
  }

  #grow(needed: number): void {
    if (needed > this.limit) throw bodyTooLarge(this.limit, this.setting);
    const size = Math.min(this.limit, Math.max(needed, this.#bytes.length * GROWTH));
    const bytes = this.#take(size, size - this.#bytes.length);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  finish(): Body {
    this.abandon();
    return { buffer: this.#bytes.buffer, length: this.#length };
  }

  abandon(): void {
    this.budget.release(this.#bytes.length);
  }
}

/** @param setting key of the configuration that says so; absent: it can't be changed. */
function bodyTooLarge(limit: number, setting: string | undefined): HttpError {
  return new HttpError(413, `the body is longer than ${limit} bytes${setting === undefined ? '' : ` (${setting})`}`);
}

/** True for gzip, false for none; anything else is 415. */
function isGzip(incoming: IncomingMessage): boolean {
  const encoding = incoming.headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new HttpError(415, `Content-Encoding ${JSON.stringify(encoding)} is not supported, expected gzip or none`, [
    'Accept-Encoding',
    'gzip',
  ]);
}

/**
 * The whole body, decompressed. Rejects with 413 beyond `limit` bytes (after decompression), 400 on bad gzip, 415 on
 * other encodings, 503 when the budget is used up, and `ClientGone` when the client left before the end: a truncated
 * body never reaches the caller.
 * @param setting key of the configuration that has the limit.
 */
export function readBody(
  exchange: Exchange,
  limit: number,
  take: TakeBuffer,
  budget: ReceiveBudget,
  setting?: string,
): Promise<Body> {
  const { incoming, outgoing } = exchange;
  const declared = incoming.headers['content-length'];
  const expected = declared === undefined ? -1 : Number(declared);
  // Only reached through Node's `checkContinue`: answering before this line spares the client the sending.
  if (expected > limit) return Promise.reject(bodyTooLarge(limit, setting));
  return new Promise((resolve, reject) => {
    const gzip = isGzip(incoming);
    const sink = new BodySink(gzip ? -1 : expected, limit, take, budget, setting);
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
    let settled = false;
    let gunzip: Gunzip | undefined;

    const fail = (error: Error): void => {
      if (settled) return;
      settled = true;
      sink.abandon();
      incoming.off('data', onData);
      gunzip?.destroy();
      reject(error);
    };
    const finish = (): void => {
      if (settled) return;
      settled = true;
      resolve(sink.finish());
    };
    const store = (chunk: Buffer): void => {
      if (settled) return;
      try {
        sink.append(chunk);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const onData = (chunk: Buffer): void => {
      exchange.received += chunk.length;
      countReceived(chunk.length);
      if (gunzip === undefined) store(chunk);
      else if (!gunzip.write(chunk)) incoming.pause();
    };

    if (gzip) {
      const stream = createGunzip({ chunkSize: UNKNOWN_TAKE });
      gunzip = stream;
      stream.on('data', store);
      stream.on('drain', () => incoming.resume());
      stream.on('end', finish);
      stream.on('error', (error) => fail(new HttpError(400, `bad gzip body: ${error.message}`, [], { cause: error })));
    }
    incoming.on('data', onData);
    incoming.on('end', () => {
      if (gunzip === undefined) finish();
      else gunzip.end();
    });
    incoming.on('error', () => fail(new ClientGone('the connection broke in the middle of the body')));
    // Node reports a lost client as an error; this is the net below it, for a promise that never settles keeps its bytes.
    incoming.on('close', () => {
      if (!incoming.complete) fail(new ClientGone('the client left in the middle of the body'));
    });
  });
}
