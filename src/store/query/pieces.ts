/**
 * Pieces of answers on their way from a worker to the main thread. What a message between threads costs is its objects, so
 * this one has few: a list of small numbers, a buffer that small pieces share, and the buffers of large ones.
 *
 *   heads   ┌────┬──────┬─────────────┬──────────────┬───────┬────────┐
 *           │ id │ bits │ text, bytes │ lists, bytes │ #ends │ end... │ ...      one a piece
 *           └────┴──────┴─────────────┴──────────────┴───────┴────────┘
 *   small   ┌──────┬───────┬──────┬───────┐
 *           │ text │ lists │ text │ lists │ ...                                  in the same order, without the large ones
 *           └──────┴───────┴──────┴───────┘
 */
import { bufferSize, isLarge, PIECE_BUFFER } from '../buffers.js';
import type { Failure, Piece, PiecesMessage } from '../protocol.js';

/** Bytes up to which pieces share a buffer: to transfer one costs more than to copy this. */
const SMALL = 16 << 10;
const SHARED = 64 << 10;

const DONE = 1;
const FAILED = 2;
const LARGE_TEXT = 4;
const LARGE_BYTES = 8;

const NOTHING = new Uint8Array(0);

/** A worker's end: gathers pieces until they are sent together. */
export class PiecePacker {
  #heads: number[] = [];
  #large: ArrayBuffer[] = [];
  #failures: Failure[] = [];
  readonly #small = new Uint8Array(SHARED);
  #smallLength = 0;
  /** Of the next piece. */
  #text = 0;
  #bits = 0;
  /** Buffers of large pieces that were sent, to be used again. */
  readonly #spare: ArrayBuffer[] = [];

  /** Text that goes with the next piece. @param view into the core; copied. */
  addText(view: Uint8Array): void {
    this.#bits = this.#copy(view) ? LARGE_TEXT : 0;
    this.#text = view.length;
  }

  /** @param view into the core; copied. @param ends see `Piece`. */
  add(id: number, view: Uint8Array, ends: readonly number[], done: boolean): void {
    const bits = this.#bits | (this.#copy(view) ? LARGE_BYTES : 0) | (done ? DONE : 0);
    this.#heads.push(id, bits, this.#text, view.length, ends.length);
    for (const end of ends) this.#heads.push(end);
    this.#text = 0;
    this.#bits = 0;
  }

  /** The answer ends with a failure. */
  fail(id: number, failure: Failure): void {
    this.#failures.push(failure);
    this.#bits |= FAILED;
    this.add(id, NOTHING, [], true);
  }

  /** Takes back the buffer of a large piece. @param limit buffers that are kept. */
  recycle(buffer: ArrayBuffer, limit: number): void {
    if (this.#spare.length < limit) this.#spare.push(buffer);
  }

  /** Copies a piece to where it is sent from. @returns whether that is a buffer of its own. */
  #copy(view: Uint8Array): boolean {
    const end = this.#smallLength + view.length;
    if (view.length > SMALL || end > SHARED) {
      const fits = isLarge(view.length) && view.length <= PIECE_BUFFER ? this.#spare.pop() : undefined;
      const buffer = fits ?? new ArrayBuffer(bufferSize(view.length));
      new Uint8Array(buffer).set(view);
      this.#large.push(buffer);
      return true;
    }
    this.#small.set(view, this.#smallLength);
    this.#smallLength = end;
    return false;
  }

  /** What was gathered, to be sent; undefined: nothing. */
  take(): { message: PiecesMessage; transfer: ArrayBuffer[] } | undefined {
    if (!this.#heads.length) return undefined;
    const small = this.#small.buffer.slice(0, this.#smallLength);
    const message: PiecesMessage = { kind: 'pieces', heads: this.#heads, small, large: this.#large };
    if (this.#failures.length) message.failures = this.#failures;
    const transfer = [small, ...this.#large];
    this.#heads = [];
    this.#large = [];
    this.#failures = [];
    this.#smallLength = 0;
    return { message, transfer };
  }
}

/** The main thread's end: the pieces of a message, in order. Their bytes are views of its buffers. */
export function unpackPieces({ heads, small, large, failures }: PiecesMessage): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let offset = 0;
  let nextLarge = 0;
  let nextFailure = 0;
  const next = (): number => heads[at++] as number;
  const view = (length: number, isLargeOne: boolean): Uint8Array<ArrayBuffer> => {
    if (isLargeOne) return new Uint8Array(large[nextLarge++] as ArrayBuffer, 0, length);
    if (!length) return NOTHING;
    const bytes = new Uint8Array(small, offset, length);
    offset += length;
    return bytes;
  };
  while (at < heads.length) {
    const id = next();
    const bits = next();
    const textLength = next();
    const length = next();
    const count = next();
    const ends = heads.slice(at, at + count);
    at += count;
    const text = view(textLength, (bits & LARGE_TEXT) !== 0);
    const bytes = view(length, (bits & LARGE_BYTES) !== 0);
    const failure = bits & FAILED ? failures?.[nextFailure++] : undefined;
    pieces.push({ id, bytes, ends, done: (bits & DONE) !== 0, text, failure });
  }
  return pieces;
}
