/** Parts of an answer, copied together into pieces that are worth sending. */

/** Bytes of a piece. */
const PIECE = 128 << 10;

export class Pieces {
  private piece = Buffer.allocUnsafeSlow(PIECE);
  private length = 0;

  /** Adds a part. @returns the piece before it, when there is no room in it; it belongs to the caller. */
  add(part: string | Uint8Array): Uint8Array | undefined {
    const size = typeof part === 'string' ? Buffer.byteLength(part) : part.length;
    let full: Uint8Array | undefined;
    if (this.length + size > this.piece.length) {
      full = this.length > 0 ? this.take() : undefined;
      this.piece = Buffer.allocUnsafeSlow(Math.max(PIECE, size));
    }
    if (typeof part === 'string') this.piece.write(part, this.length);
    else this.piece.set(part, this.length);
    this.length += size;
    return full;
  }

  /** What was added since the last piece. Nothing may be added after it but by way of a new piece. */
  take(): Uint8Array {
    const taken = this.piece.subarray(0, this.length);
    this.length = 0;
    return taken;
  }
}
