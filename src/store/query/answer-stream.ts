/** The main thread's end of an answer that a worker makes in pieces. */
import { fromFailure } from '../failure.js';
import type { Piece } from '../protocol.js';

/** The way back to the worker. */
export interface StreamLink {
  /** Asks for one more piece. */
  pull(stream: AnswerStream): void;
  /** No more is wanted. */
  cancel(stream: AnswerStream): void;
}

/** Pieces of one partition's answer, in order. */
export class AnswerStream {
  readonly #link: StreamLink;
  readonly #pieces: Piece[] = [];
  #wake: (() => void) | undefined;
  #error: Error | undefined;
  #finished = false;
  /** The piece that is being read, and how far it has been. */
  #current: Piece | undefined;
  #at = 0;
  #end = 0;

  constructor(
    readonly id: number,
    readonly partition: number,
    link: StreamLink,
  ) {
    this.#link = link;
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
    if (!this.#finished) this.#link.cancel(this);
    this.#finished = true;
  }

  /** Whether there is something to read, be it an error or the end. */
  get #isReady(): boolean {
    return this.#pieces.length > 0 || this.#error !== undefined || this.#finished;
  }

  /** Waits until a piece is there. Undefined: the answer has ended. */
  async #next(): Promise<Piece | undefined> {
    if (!this.#isReady) await AnswerStream.begun([this]);
    return this.first;
  }

  /** Waits until all streams have begun: `first` says how. One promise for all, for most answers are nothing but this. */
  static begun(streams: readonly AnswerStream[]): Promise<void> {
    return new Promise((resolve) => {
      let waiting = 1;
      const arrived = (): void => {
        if (--waiting === 0) resolve();
      };
      for (const stream of streams) {
        if (stream.#isReady) continue;
        waiting++;
        stream.#wake = () => {
          stream.#wake = undefined;
          arrived();
        };
      }
      arrived();
    });
  }

  /** The first of the pieces that are there, left in place. @throws the error that comes instead. */
  get first(): Piece | undefined {
    const piece = this.#pieces[0];
    if (!piece && this.#error) throw this.#error;
    return piece;
  }

  /** Takes an answer whose `first` piece is all of it. */
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
      if (!piece.done) this.#link.pull(this);
    }
  }

  /** The bytes of the next `count` lists of results, commas included, in as few parts as their pieces allow. */
  async *lists(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    while (left) {
      if (!this.#current) {
        this.#current = await this.#next();
        if (!this.#current) throw new Error('BUG: the answer ended before its last list');
        this.#pieces.shift();
        this.#at = 0;
        this.#end = 0;
      }
      const { bytes, ends, done } = this.#current;
      const ending = Math.min(left, ends.length - this.#end);
      this.#end += ending;
      left -= ending;
      // What is behind the last end belongs to a list that is wanted too.
      const to = left ? bytes.length : (ends[this.#end - 1] as number);
      const part = bytes.subarray(this.#at, to);
      this.#at = to;
      if (part.length) yield part;
      if (to === bytes.length) {
        this.#current = undefined;
        if (!done) this.#link.pull(this);
      }
    }
  }
}
