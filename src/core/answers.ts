/**
 * Answers that are made in pieces: queries and dumps. A piece is made when the receiver has room for it (`pull`), so an
 * answer of any size takes a few pieces of memory; the first one is made at once, which is all of most answers.
 */
import { bufferSize, isLarge, PIECE_BUFFER } from './buffers.js';
import { toFailure } from './failure.js';
import type { Core } from './instance.js';
import type { Jobs } from './jobs.js';
import type { DumpMessage, Piece, PiecesMessage, PullMessage, QueryPart } from './protocol.js';
import { StoreError } from './store.js';

/** Bytes after which a piece ends, with the entry that it is in: most fit into PIECE_BUFFER. */
const PIECE = 200 << 10;
/** Bytes up to which pieces share a buffer: to transfer one costs more than to copy this. */
const SMALL = 16 << 10;
const SHARED = 64 << 10;
/** Pieces that may be under way to the receiver. */
export const WINDOW = 6;

interface Answer {
  id: number;
  /** Makes the next piece. */
  next(): Omit<Piece, 'id'>;
  end(): void;
  room: number;
  queued: boolean;
  cancelled: boolean;
}

export class Answers {
  readonly #jobs: Jobs;
  readonly #post: (message: PiecesMessage, transfer: ArrayBuffer[]) => void;
  readonly #open = new Map<number, Answer>();
  /** Pieces that are made, but not sent yet. */
  #made: Piece[] = [];
  /** Buffers of large pieces that were sent, to be used again. */
  readonly #spare: ArrayBuffer[] = [];
  /** Bytes of small pieces of `#made`. */
  readonly #shared = new Uint8Array(SHARED);
  #sharedLength = 0;

  constructor(jobs: Jobs, post: (message: PiecesMessage, transfer: ArrayBuffer[]) => void) {
    this.#jobs = jobs;
    this.#post = post;
  }

  /** Begins all parts of a query, and sends the first pieces together. */
  query(parts: QueryPart[], coreOf: (partition: number) => Core): void {
    for (const part of parts) this.#beginPart(part, coreOf(part.partition));
    this.#send();
  }

  #beginPart(part: QueryPart, core: Core): void {
    this.#begin(part.id, () => {
      let state: number;
      let text: Uint8Array<ArrayBuffer> | undefined;
      if (part.forAllNodes) {
        const all = core.queryAllBegin(part.request);
        state = all.state;
        text = this.#own(all.text);
      } else state = core.queryBegin(part.request);
      return {
        next: () => {
          const { bytes, ends, done } = core.queryStep(state, PIECE);
          const piece = { bytes: this.#own(bytes), ends, done };
          if (!text) return piece;
          const first = { ...piece, text };
          text = undefined;
          return first;
        },
        end: () => core.queryEnd(state),
      };
    });
  }

  dump(message: DumpMessage, core: Core): void {
    this.#begin(message.id, () => {
      const node = core.findNode(message.selector);
      if (!node) throw new StoreError('NOT_FOUND', `not found: ${message.selector.join(':')}`);
      core.dumpBegin(node);
      return {
        next: () => {
          const piece = core.dumpStep(PIECE);
          if (!piece) throw new StoreError('INTERNAL', 'the tree changed while it was dumped; ask again');
          return { bytes: this.#own(piece.bytes), ends: [], done: piece.done };
        },
        end: () => {},
      };
    });
    this.#send();
  }

  #begin(id: number, make: () => Pick<Answer, 'next' | 'end'>): void {
    let made: Pick<Answer, 'next' | 'end'>;
    try {
      made = make();
    } catch (error) {
      this.#fail(id, error);
      return;
    }
    const answer: Answer = { id, ...made, room: WINDOW, queued: false, cancelled: false };
    this.#open.set(id, answer);
    if (this.#step(answer)) this.#queue(answer);
  }

  #queue(answer: Answer): void {
    answer.queued = true;
    this.#jobs.add(() => {
      const more = this.#step(answer);
      this.#send();
      return more;
    });
  }

  /** Makes one piece. @returns whether to go on at once. */
  #step(answer: Answer): boolean {
    answer.queued = false;
    if (answer.cancelled) return false;
    try {
      const piece = answer.next();
      this.#made.push({ id: answer.id, ...piece });
      answer.room--;
      if (piece.done) this.#close(answer);
      answer.queued = !piece.done && answer.room > 0;
      return answer.queued;
    } catch (error) {
      this.#close(answer);
      this.#fail(answer.id, error);
      return false;
    }
  }

  #close(answer: Answer): void {
    answer.cancelled = true;
    this.#open.delete(answer.id);
    answer.end();
  }

  #fail(id: number, error: unknown): void {
    this.#made.push({ id, bytes: new Uint8Array(0), ends: [], done: true, failure: toFailure(error) });
  }

  /** A copy of a view into the core, to be sent. */
  #own(view: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = this.#sharedLength + view.length;
    if (view.length > SMALL || end > SHARED) {
      const fits = isLarge(view.length) && view.length <= PIECE_BUFFER ? this.#spare.pop() : undefined;
      const large = new Uint8Array(fits ?? new ArrayBuffer(bufferSize(view.length)), 0, view.length);
      large.set(view);
      return large;
    }
    const own = this.#shared.subarray(this.#sharedLength, end);
    own.set(view);
    this.#sharedLength = end;
    return own;
  }

  /** Sends the pieces that are made. */
  #send(): void {
    if (!this.#made.length) return;
    const shared = this.#shared.buffer.slice(0, this.#sharedLength);
    const transfer = new Set(this.#sharedLength ? [shared] : []);
    const sent = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
      if (bytes.buffer === this.#shared.buffer) return new Uint8Array(shared, bytes.byteOffset, bytes.length);
      transfer.add(bytes.buffer);
      return bytes;
    };
    const pieces = this.#made.map((piece) => ({
      ...piece,
      bytes: sent(piece.bytes),
      ...(piece.text && { text: sent(piece.text) }),
    }));
    this.#made = [];
    this.#sharedLength = 0;
    this.#post({ kind: 'pieces', pieces }, [...transfer]);
  }

  pull({ id, buffer }: PullMessage): void {
    if (buffer && this.#spare.length < WINDOW) this.#spare.push(buffer);
    const answer = this.#open.get(id);
    if (!answer) return;
    answer.room++;
    if (!answer.queued) this.#queue(answer);
  }

  cancel(id: number): void {
    const answer = this.#open.get(id);
    if (answer) this.#close(answer);
  }
}
