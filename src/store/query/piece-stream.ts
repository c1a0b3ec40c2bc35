/** Main thread. One partition's answer: its first piece is there, more are asked for while the reader reads. */
import type { AnswerBudget } from './budget.js';
import type { Piece } from './question.js';
import { LEAST_PIECE, PIECE, WINDOW } from './sizes.js';

/** The way back to whoever makes the answer. */
export interface PieceSource {
  /** Asks for one more piece of about so many bytes. */
  more(id: number, bytes: number): void;
  /** Takes the buffer of a piece back, to be used again. Absent: they are left to the garbage collector. */
  recycle?(buffer: ArrayBuffer): void;
  /** No more is wanted. */
  leave(id: number): void;
}

/** Bytes that a piece keeps from being freed. */
function sizeOf({ bytes, buffer }: Piece): number {
  return buffer?.byteLength ?? bytes.length;
}

/** The piece of a reader who waits for one. */
const NONE: Piece = { bytes: new Uint8Array(0), marks: [], buffer: undefined, done: false };
/** The piece of one who has read all. */
const LAST: Piece = { ...NONE, done: true };

export class PieceStream {
  readonly #id: number;
  readonly #source: PieceSource;
  readonly #budget: AnswerBudget;
  #current: Piece;
  readonly #arrived: Piece[] = [];
  /** Bytes that the budget holds for each piece that was asked for and is not there yet. */
  readonly #asked: number[] = [];
  /** Bytes that the budget holds for this answer. */
  #held = 0;
  /** The last piece has come, or nothing more is wanted. */
  #ended: boolean;
  #error: Error | undefined;
  #isLeft = false;
  #wake: (() => void) | undefined;

  /** @param id for the source. */
  constructor(id: number, first: Piece, source: PieceSource, budget: AnswerBudget) {
    this.#id = id;
    this.#current = first;
    this.#source = source;
    this.#budget = budget;
    this.#ended = first.done;
    this.#hold(sizeOf(first));
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    this.#budget.take(bytes);
  }

  #release(bytes: number): void {
    this.#held -= bytes;
    this.#budget.release(bytes);
  }

  /** The piece that is being read. */
  get current(): Piece {
    return this.#current;
  }

  /** Has pieces made while the current one is read, as far as the budget goes. */
  prefetch(): void {
    while (!this.#ended && this.#asked.length + this.#arrived.length < WINDOW - 1) {
      if (!this.#budget.tryTake(PIECE)) return;
      this.#ask(PIECE);
    }
  }

  /** @param bytes that were taken from the budget. */
  #ask(bytes: number): void {
    this.#held += bytes;
    this.#asked.push(bytes);
    this.#source.more(this.#id, bytes);
  }

  /**
   * Goes on to the next piece. Nothing of the current one may be read any more: its memory is used again.
   * @returns false: the current one was the last. @throws the error that comes instead.
   */
  async next(): Promise<boolean> {
    const read = this.#current;
    this.#release(sizeOf(read));
    this.#current = read.done ? LAST : NONE;
    if (read.buffer) this.#source.recycle?.(read.buffer);
    if (read.done) return false;
    const piece = this.#arrived.shift();
    this.prefetch();
    this.#current = piece ?? (await this.#arrival());
    return true;
  }

  /** Waits for a piece. */
  async #arrival(): Promise<Piece> {
    if (!this.#ended && !this.#asked.length) {
      // Beyond the budget, but small: everybody gets on, however many others do not read what they have asked for.
      this.#budget.take(LEAST_PIECE);
      this.#ask(LEAST_PIECE);
    }
    if (!this.#error && !this.#isLeft) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#arrived.shift();
    if (!piece)
      throw (
        this.#error ??
        new Error(`BUG: ${this.#isLeft ? 'an answer that was left is read' : 'a reader was woken for nothing'}`)
      );
    return piece;
  }

  /** A piece that was asked for is there. */
  receive(piece: Piece): void {
    if (this.#error || this.#isLeft) return;
    this.#release(this.#asked.shift() ?? 0);
    this.#hold(sizeOf(piece));
    this.#arrived.push(piece);
    if (piece.done) this.#ended = true;
    this.#wakeUp();
  }

  /** No more will come. */
  fail(error: Error): void {
    this.#error = error;
    this.#ended = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** The reader is done with the answer, read or not. */
  leave(): void {
    if (!this.#ended) this.#source.leave(this.#id);
    this.#ended = true;
    // No error is made yet: every answer is left, and the stack of one takes longer than a small question.
    this.#isLeft = true;
    this.#release(this.#held);
    this.#current = NONE;
    this.#wakeUp();
  }
}
