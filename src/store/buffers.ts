/** Buffers of bodies, used again and again: allocating 64 KiB a request is what a garbage collector notices most. */

const SMALLEST_BITS = 14;
const LARGEST_BITS = 21;
/** Bytes of unused buffers that are kept. */
const KEEP = 16 << 20;

/**
 * Bytes of the buffer for `bytes`: one of four sizes an octave, unless that is extraordinarily much. A fleet's bodies are received
 * side by side, and powers of two alone would nearly double what those of 70 KB take.
 */
export function bufferSize(bytes: number): number {
  const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1));
  if (bits > LARGEST_BITS) return bytes;
  const step = 1 << (bits - 3);
  return Math.max(1 << SMALLEST_BITS, Math.ceil(bytes / step) * step);
}

export class Buffers {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #kept = 0;

  /** A buffer of at least `bytes`, with garbage in it. */
  take(bytes: number): ArrayBuffer {
    const size = bufferSize(bytes);
    const buffer = this.#free.get(size)?.pop();
    if (!buffer) return new ArrayBuffer(size);
    this.#kept -= size;
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
