/** Bodies' buffers, used again and again: allocating 64 KiB a request is what a garbage collector notices most. */

const SMALLEST_BITS = 14;
const LARGEST_BITS = 21;
/** Bytes of unused buffers that are kept. */
const KEEP = 16 << 20;

export class Buffers {
  readonly #free: ArrayBuffer[][] = [];
  #kept = 0;

  /** A buffer of at least `bytes`, with garbage in it. */
  take(bytes: number): ArrayBuffer {
    const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1));
    if (bits > LARGEST_BITS) return new ArrayBuffer(bytes);
    const buffer = this.#free[bits]?.pop();
    if (!buffer) return new ArrayBuffer(1 << bits);
    this.#kept -= buffer.byteLength;
    return buffer;
  }

  /** Takes a buffer back; odd or superfluous ones are left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    const bits = 31 - Math.clz32(size);
    if (bits < SMALLEST_BITS || bits > LARGEST_BITS || size !== 1 << bits || this.#kept + size > KEEP) return;
    let list = this.#free[bits];
    if (!list) {
      list = [];
      this.#free[bits] = list;
    }
    list.push(buffer);
    this.#kept += size;
  }
}
