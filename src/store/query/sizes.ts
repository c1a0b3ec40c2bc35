/**
 * How answers are cut on their way from the core to the client: the one place that says so.
 *
 *   worker   a piece has PIECE bytes and a little more at most; while the budget has no room for that, each first piece has
 *            its share of WHOLE. Small pieces of one message share a buffer
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

/** Bytes that the open answers of a worker hold in linear memory. Questions beyond that wait, as many bytes of them again. */
export const OPEN_BYTES = 32 << 20;
/** Bytes of questions that never wait. */
export const SMALL_REQUEST = 4 << 10;
/** Seconds after which a reader who takes nothing makes room for questions that wait. */
export const IDLE_SECONDS = 10;

/** Pieces of an answer that are being made, on their way, or being read. */
export const WINDOW = 4;

/** Bytes of the buffer of a large piece, which is used again: a piece may go a little beyond its size. */
export const PIECE_BUFFER = PIECE + (8 << 10);
/** The same of a piece for one who waits. */
export const LEAST_BUFFER = LEAST_PIECE + (8 << 10);
/** Buffers of each size that a worker keeps for further pieces, 4 MB. */
export const SPARE_BUFFERS = 16;
/** Bytes up to which the pieces of a message share a buffer: to transfer one costs more than to copy this. */
export const SMALL_PIECE = 16 << 10;
