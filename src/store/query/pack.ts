/**
 * Pieces in a message between threads. What such a message costs is its objects, so this one has few: a list of numbers, a
 * buffer that small pieces share, and the buffers of large ones. `Packer` is the worker's end, `unpack` the main thread's.
 *
 *   heads    ┌──────┬───────┬────────┬─────────┐
 *            │ bits │ bytes │ #marks │ mark... │ ...       one a piece
 *            └──────┴───────┴────────┴─────────┘
 *   shared   the bytes of small pieces, each at a multiple of 8
 *   own      a buffer for each of the others, in order
 *
 * Buffers of large pieces go round: new ones would have V8 collect garbage for every few answers.
 */
import type { Piece } from './question.js';
import { LEAST_BUFFER, PIECE_BUFFER, SMALL_PIECE, SPARE_BUFFERS, WHOLE } from './sizes.js';

export interface PackedPieces {
  heads: number[];
  shared: ArrayBuffer;
  own: ArrayBuffer[];
}

const DONE = 1;
const OWN = 2;

/** Where the piece behind one that ends at `end` begins in the shared buffer. */
function aligned(end: number): number {
  return (end + 7) & ~7;
}

/** Buffers of pieces that were read, of the two sizes that are used again. */
export class Spares {
  readonly #bySize = new Map<number, ArrayBuffer[]>([
    [LEAST_BUFFER, []],
    [PIECE_BUFFER, []],
  ]);

  /** @returns false: it is of another size, or there are enough. */
  give(buffer: ArrayBuffer): boolean {
    const list = this.#bySize.get(buffer.byteLength);
    if (!list || list.length >= SPARE_BUFFERS) return false;
    list.push(buffer);
    return true;
  }

  take(size: number): ArrayBuffer | undefined {
    return this.#bySize.get(size)?.pop();
  }

  takeAll(): ArrayBuffer[] {
    const all: ArrayBuffer[] = [];
    // Small questions feel each object.
    for (const list of this.#bySize.values()) if (list.length) all.push(...list.splice(0));
    return all;
  }
}

/** Gathers pieces until they are sent together. */
export class Packer {
  #heads: number[] = [];
  #own: ArrayBuffer[] = [];
  readonly #shared = new Uint8Array(WHOLE);
  #sharedLength = 0;
  readonly #spares = new Spares();

  /** Takes buffers of pieces over, with garbage in them. */
  keep(spares: readonly ArrayBuffer[]): void {
    for (const spare of spares) this.#spares.give(spare);
  }

  /** @param view into the core; copied. @param marks see `Piece`. */
  add(view: Uint8Array, marks: readonly number[], done: boolean): void {
    const bits = (this.#copy(view) ? OWN : 0) | (done ? DONE : 0);
    this.#heads.push(bits, view.length, marks.length);
    for (const mark of marks) this.#heads.push(mark);
  }

  /** Copies a piece to where it is sent from. @returns whether that is a buffer of its own. */
  #copy(view: Uint8Array): boolean {
    const end = this.#sharedLength + view.length;
    if (view.length <= SMALL_PIECE && end <= WHOLE) {
      this.#shared.set(view, this.#sharedLength);
      this.#sharedLength = aligned(end);
      return false;
    }
    const own = this.#bufferFor(view.length);
    new Uint8Array(own).set(view);
    this.#own.push(own);
    return true;
  }

  #bufferFor(bytes: number): ArrayBuffer {
    // Unused room counts as bytes on their way.
    const size = [LEAST_BUFFER, PIECE_BUFFER].find((size) => bytes <= size && bytes >= size / 2);
    return size === undefined ? new ArrayBuffer(bytes) : (this.#spares.take(size) ?? new ArrayBuffer(size));
  }

  /** What was gathered, to be sent with all of its buffers transferred. */
  take(): PackedPieces {
    const packed = { heads: this.#heads, shared: this.#shared.buffer.slice(0, this.#sharedLength), own: this.#own };
    this.drop();
    return packed;
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.#heads = [];
    this.#own = [];
    this.#sharedLength = 0;
  }
}

/** The pieces of a message, in order. Their bytes are views of its buffers. */
export function unpack({ heads, shared, own }: PackedPieces): Piece[] {
  const pieces: Piece[] = [];
  let offset = 0;
  let nextOwn = 0;
  for (let at = 0; at < heads.length; ) {
    const bits = heads[at++] as number;
    const length = heads[at++] as number;
    const count = heads[at++] as number;
    const marks = heads.slice(at, at + count);
    at += count;
    const done = (bits & DONE) !== 0;
    if (bits & OWN) {
      const buffer = own[nextOwn++] as ArrayBuffer;
      pieces.push({ bytes: new Uint8Array(buffer, 0, length), marks, buffer, done });
      continue;
    }
    pieces.push({ bytes: new Uint8Array(shared, offset, length), marks, buffer: undefined, done });
    offset = aligned(offset + length);
  }
  return pieces;
}
