/**
 * LZ4 frames of bytes that are known to repeat: the writer says where, so that nothing is searched and runs of a million
 * bytes cost a few. The format is that of https://github.com/lz4/lz4/tree/dev/doc (frame 1.6.x, block), written anew.
 *
 *   frame     magic 4 │ flags 1 │ block size 1 │ header checksum 1 │ block length 4 │ block │ end mark 4
 *   sequence  token 1 │ more literals 0.. │ literals │ offset 2 │ more match 0..
 *
 * A block ends with literals, at least `TAIL` bytes of them here: the format wants 5, and 12 between the start of the last match and
 * the end.
 */

/** Magic, version 1 with independent blocks of at most 4 MiB, no checksums; the last byte is the header's checksum. */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73);
const LENGTH_AT = HEADER.length;
const BLOCK_AT = LENGTH_AT + 4;
const END_MARK = 4;

/** Bytes at the end that must be literals. */
export const TAIL = 16;
/** Bytes before, at most, that a match repeats. */
export const MOST_DISTANCE = 65_535;
/** Shorter ones are literals. */
export const LEAST_MATCH = 4;

export class Lz4Frame {
  #bytes = new Uint8Array(4096);
  #at = BLOCK_AT;
  /** Literals that no match follows yet. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  #reserve(bytes: number): void {
    const need = this.#at + bytes;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  /** Appends bytes as they are. They must not change until a match or the end follows. */
  literals(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  /** Repeats what was `distance` bytes before. @param length at least `LEAST_MATCH`. */
  match(distance: number, length: number): void {
    const rest = length - LEAST_MATCH;
    this.#sequence(Math.min(rest, 15));
    this.#reserve(2 + 1 + rest / 255);
    this.#bytes[this.#at++] = distance & 255;
    this.#bytes[this.#at++] = distance >> 8;
    if (rest >= 15) this.#more(rest - 15);
  }

  /** A token and the literals. */
  #sequence(match: number): void {
    const length = this.#pendingBytes;
    this.#reserve(2 + length / 255 + length);
    this.#bytes[this.#at++] = (Math.min(length, 15) << 4) | match;
    if (length >= 15) this.#more(length - 15);
    for (const part of this.#pending) {
      this.#bytes.set(part, this.#at);
      this.#at += part.length;
    }
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #more(length: number): void {
    let rest = length;
    for (; rest >= 255; rest -= 255) this.#bytes[this.#at++] = 255;
    this.#bytes[this.#at++] = rest;
  }

  /** The whole frame: a copy. Precondition: the last `TAIL` bytes, or all, were literals. The writer begins anew. */
  finish(): Uint8Array {
    this.#sequence(0);
    this.#reserve(END_MARK);
    this.#bytes.set(HEADER);
    const view = new DataView(this.#bytes.buffer);
    view.setUint32(LENGTH_AT, this.#at - BLOCK_AT, true);
    view.setUint32(this.#at, 0, true);
    const frame = this.#bytes.slice(0, this.#at + END_MARK);
    this.#at = BLOCK_AT;
    return frame;
  }
}
