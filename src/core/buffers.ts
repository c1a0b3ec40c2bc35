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
}
