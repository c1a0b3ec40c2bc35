/** Buffers of bodies and pieces, used again and again: allocating 64 KiB a request is what a garbage collector notices most. */

const SMALLEST_BITS = 14;
const LARGEST_BITS = 21;
/** Bytes of unused buffers that are kept. */
const KEEP = 16 << 20;

/** Bytes of the buffer for `bytes`: a power of two, unless that is extraordinarily much. */
export function bufferSize(bytes: number): number {
  const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1));
  return bits > LARGEST_BITS ? bytes : 1 << bits;
}

/** Bytes of the buffer of a usual large piece. */
export const PIECE_BUFFER = 256 << 10;

/** Whether a piece of so many bytes is worth giving its buffer back for. */
export function isLarge(bytes: number): boolean {
  return bytes > PIECE_BUFFER >> 1;
}

export class Buffers {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #kept = 0;
  /** Bytes of lent buffers that are still to be read. What nobody reads to its end is the garbage collector's. */
  readonly #lent = new WeakMap<ArrayBuffer, number>();

  /** A buffer of at least `bytes`, with garbage in it. */
  take(bytes: number): ArrayBuffer {
    return this.spare(bytes) ?? new ArrayBuffer(bufferSize(bytes));
  }

  /** The same if there is one; none is made. */
  spare(bytes: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(bufferSize(bytes))?.pop();
    if (buffer) this.#kept -= buffer.byteLength;
    return buffer;
  }

  /** Takes a buffer back; odd or superfluous ones are left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (size > 1 << LARGEST_BITS || size !== bufferSize(size) || this.#kept + size > KEEP) return;
    const list = this.#free.get(size);
    if (list) list.push(buffer);
    else this.#free.set(size, [buffer]);
    this.#kept += size;
  }
  /** Remembers that a buffer is to be given back once all of its first `length` bytes were recycled. @returns these. */
  lend(buffer: ArrayBuffer, length: number): Uint8Array<ArrayBuffer> {
    this.#lent.set(buffer, length);
    return new Uint8Array(buffer, 0, length);
  }

  /** Takes bytes back that nobody reads any more, each byte once. Those of buffers that were not lent are ignored. */
  recycle(part: Uint8Array): void {
    const { buffer, length } = part;
    const lent = buffer instanceof ArrayBuffer ? this.#lent.get(buffer) : undefined;
    if (lent === undefined) return;
    if (length < lent) {
      this.#lent.set(buffer as ArrayBuffer, lent - length);
      return;
    }
    this.#lent.delete(buffer as ArrayBuffer);
    this.give(buffer as ArrayBuffer);
  }
}
