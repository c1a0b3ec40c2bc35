/**
 * Answers that are made in pieces: queries and dumps. A piece is made when the receiver has room for it (`pull`), so an
 * answer of any size takes a few pieces of memory; the first one is made at once, which is all of most answers.
 */

import type { Jobs } from '../../partition/jobs.js';
import type { Reads } from '../../wasm/reads.js';
import { toFailure } from '../failure.js';
import type { DumpMessage, PiecesMessage, PullMessage, QueryAllMessage, QueryMessage } from '../protocol.js';
import { StoreError } from '../store.js';
import { PiecePacker } from './pieces.js';

/** Bytes after which a piece ends, with the entry that it is in: most fit into PIECE_BUFFER. */
const PIECE = 200 << 10;
/** Pieces that may be under way to the receiver. */
export const WINDOW = 6;
/** Where the lists of an answer end is of no use to the receiver, which wants them all. */
const NO_ENDS: readonly number[] = [];

interface Source {
  /** Makes the next piece. @returns whether it was the last. */
  next(): boolean;
  end(): void;
}

interface OpenAnswer {
  id: number;
  source: Source;
  room: number;
  queued: boolean;
  /** Nothing more is to be made. */
  closed: boolean;
}

export class Answers {
  readonly #jobs: Jobs;
  readonly #post: (message: PiecesMessage, transfer: ArrayBuffer[]) => void;
  readonly #open = new Map<number, OpenAnswer>();
  readonly #pieces = new PiecePacker();

  constructor(jobs: Jobs, post: (message: PiecesMessage, transfer: ArrayBuffer[]) => void) {
    this.#jobs = jobs;
    this.#post = post;
  }

  /** Begins all parts of a query, and sends the first pieces. */
  query({ parts }: QueryMessage, readsOf: (partition: number) => Reads): void {
    this.#inHalves(parts, ({ id, partition, request }) => {
      const reads = readsOf(partition);
      this.#begin(id, () => this.#steps(id, reads, reads.queryBegin(request), () => reads.queryEnds));
    });
  }

  /** The same for a query for all nodes. */
  queryAll({ id: firstId, request, partitions }: QueryAllMessage, readsOf: (partition: number) => Reads): void {
    this.#inHalves(partitions, (partition) => {
      const reads = readsOf(partition);
      const id = firstId + partition;
      this.#begin(id, () => {
        const { state, text } = reads.queryAllBegin(request);
        this.#pieces.addText(text);
        return this.#steps(id, reads, state, () => NO_ENDS);
      });
    });
  }

  /** The steps of a query that has begun. */
  #steps(id: number, reads: Reads, state: number, ends: () => readonly number[]): Source {
    return {
      next: () => {
        const { bytes, done } = reads.queryStep(state, PIECE);
        this.#pieces.add(id, bytes, ends(), done);
        return done;
      },
      end: () => reads.queryEnd(state),
    };
  }

  /**
   * Begins all parts and sends their first pieces in two messages: each costs something, but while the main thread is being
   * woken by the first, the second is made.
   */
  #inHalves<T>(parts: T[], begin: (part: T) => void): void {
    const half = parts.length >> 1;
    for (let i = 0; i < half; i++) begin(parts[i] as T);
    this.#send();
    for (let i = half; i < parts.length; i++) begin(parts[i] as T);
    this.#send();
  }

  dump({ id, selector }: DumpMessage, reads: Reads): void {
    this.#begin(id, () => {
      if (!reads.dumpBegin(selector)) throw new StoreError('NOT_FOUND', `not found: ${selector.join(':')}`);
      return {
        next: () => {
          const piece = reads.dumpStep(PIECE);
          if (!piece) throw new StoreError('INTERNAL', 'the tree changed while it was dumped; ask again');
          this.#pieces.add(id, piece.bytes, NO_ENDS, piece.done);
          return piece.done;
        },
        end: () => {},
      };
    });
    this.#send();
  }

  #begin(id: number, open: () => Source): void {
    let source: Source;
    try {
      source = open();
    } catch (error) {
      this.#pieces.fail(id, toFailure(error));
      return;
    }
    const answer: OpenAnswer = { id, source, room: WINDOW, queued: false, closed: false };
    const more = this.#step(answer);
    // Most answers are whole now.
    if (!answer.closed) this.#open.set(id, answer);
    if (more) this.#queue(answer);
  }

  #queue(answer: OpenAnswer): void {
    answer.queued = true;
    this.#jobs.add(() => {
      const more = this.#step(answer);
      this.#send();
      return more;
    });
  }

  /** Makes one piece. @returns whether to go on at once. */
  #step(answer: OpenAnswer): boolean {
    answer.queued = false;
    if (answer.closed) return false;
    try {
      const done = answer.source.next();
      answer.room--;
      if (done) this.#close(answer);
      answer.queued = !done && answer.room > 0;
      return answer.queued;
    } catch (error) {
      this.#close(answer);
      this.#pieces.fail(answer.id, toFailure(error));
      return false;
    }
  }

  #close(answer: OpenAnswer): void {
    answer.closed = true;
    this.#open.delete(answer.id);
    answer.source.end();
  }

  /** Sends the pieces that are made. */
  #send(): void {
    const packed = this.#pieces.take();
    if (packed) this.#post(packed.message, packed.transfer);
  }

  pull({ id, buffer }: PullMessage): void {
    if (buffer) this.#pieces.recycle(buffer, WINDOW);
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
