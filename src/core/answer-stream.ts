/** The main thread's end of an answer that a worker makes in pieces. */
import { fromFailure } from './failure.js';
import type { Piece } from './protocol.js';

/** Pieces of one worker's answer, in order. */
export class AnswerStream {
  readonly #pull: () => void;
  readonly #cancel: () => void;
  readonly #pieces: Piece[] = [];
  #wake: (() => void) | undefined;
  #error: Error | undefined;
  #finished = false;
  /** The piece that is being read, and how far it has been. */
  #current: Piece | undefined;
  #at = 0;
  #end = 0;

  /** @param pull asks for one more piece. @param cancel tells the worker that no more is wanted. */
  constructor(pull: () => void, cancel: () => void) {
    this.#pull = pull;
    this.#cancel = cancel;
  }

  /** Called for each message of the worker. */
  receive(piece: Piece): void {
    if (piece.failure) this.#error = fromFailure(piece.failure);
    else this.#pieces.push(piece);
    if (piece.done) this.#finished = true;
    this.#wake?.();
  }

  /** The worker is gone. */
  fail(error: Error): void {
    this.#error = error;
    this.#finished = true;
    this.#wake?.();
  }

  /** Stops the worker when the answer is not wanted to its end. */
  close(): void {
    if (!this.#finished) this.#cancel();
    this.#finished = true;
  }

  /** Waits until a piece is there. Undefined: the answer has ended. */
  async #next(): Promise<Piece | undefined> {
    while (this.#pieces.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#finished) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#pieces[0];
  }

  /** The first piece, left in place: its `text`, or the error that the answer begins with. */
  peek(): Promise<Piece | undefined> {
    return this.#next();
  }

  /** Whether the first piece has come and is all of the answer. */
  get isWhole(): boolean {
    return this.#pieces[0]?.done === true;
  }

  /** Takes an answer that `isWhole`. */
  takeWhole(): Piece {
    const piece = this.#pieces.shift();
    if (!piece?.done) throw new Error('BUG: the answer is not there yet');
    return piece;
  }

  /** All bytes, piece by piece. */
  async *all(): AsyncGenerator<Uint8Array> {
    for (let piece = await this.#next(); piece; piece = await this.#next()) {
      this.#pieces.shift();
      if (piece.bytes.length) yield piece.bytes;
      if (!piece.done) this.#pull();
    }
  }

  /** The bytes of the next list of results, comma included, in one or more parts. */
  async *list(): AsyncGenerator<Uint8Array> {
    while (true) {
      if (!this.#current) {
        this.#current = await this.#next();
        if (!this.#current) throw new Error('BUG: the answer ended before its last list');
        this.#pieces.shift();
        this.#at = 0;
        this.#end = 0;
      }
      const { bytes, ends, done } = this.#current;
      const end = ends[this.#end];
      const part = bytes.subarray(this.#at, end ?? bytes.length);
      if (part.length) yield part;
      if (end !== undefined) {
        this.#at = end;
        this.#end++;
      }
      if (end === undefined || end === bytes.length) {
        this.#current = undefined;
        if (!done) this.#pull();
      }
      if (end !== undefined) return;
    }
  }
}
