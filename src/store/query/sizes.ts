/**
 * How answers are cut on their way from the core to the client: the one place that says so.
 *
 *   worker   a first piece has at most its share of WHOLE bytes, further ones PIECE, each a little more; small pieces of one
 *            message share a buffer
 *   main     an answer of up to WHOLE bytes is put together and sent with its length; of a longer one parts of CHUNK bytes and
 *            more are passed on as they are, and smaller ones are gathered
 *
 * Answers on their way hold at most ANSWER_BYTES. While these are used up nothing is made ahead, first pieces are empty, and
 * whoever waits for a piece gets one of LEAST_PIECE: everybody gets on, however many do not read what they have asked for.
 */

export const WHOLE = 64 << 10;
export const PIECE = 200 << 10;
export const LEAST_PIECE = 32 << 10;
export const CHUNK = 16 << 10;
export const ANSWER_BYTES = 16 << 20;

/** Pieces of an answer that are being made, on their way, or being read. */
export const WINDOW = 4;

/** Bytes by which a piece may go beyond its size in a buffer of `pieceBuffer`. */
const SLACK = 8 << 10;
/** Bytes up to which first pieces share a buffer: to transfer one costs more than to copy this. */
export const SMALL_PIECE = 16 << 10;

/** Bytes of the buffer of a further piece of the given size, which is used again. */
export function pieceBuffer(size: number): number {
  return size + SLACK;
}
