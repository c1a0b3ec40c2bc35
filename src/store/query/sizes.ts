/**
 * How answers are cut on their way from the core to the client: the one place that says so.
 *
 *   worker   a piece ends behind the entry that takes it beyond PIECE bytes, or LEAST_PIECE when memory is short; small
 *            pieces of one message share a buffer
 *   main     an answer of up to WHOLE bytes is put together and sent with its length; of a longer one large pieces are passed
 *            on as they are, and small parts are gathered in chunks of WHOLE bytes
 */

/** Bytes of a usual large piece; its buffer is used again. */
export const PIECE_BUFFER = 256 << 10;
/** The rest of the buffer is for the entry that a piece ends with. */
export const PIECE = 200 << 10;
/** Of a piece when the answers on their way have used up their budget. */
export const LEAST_PIECE = 16 << 10;
/** Pieces of an answer that are being made, on their way, or being read. */
export const WINDOW = 4;
export const WHOLE = 64 << 10;

/** Bytes up to which pieces of one message share a buffer: to transfer one costs more than to copy this. */
export const SMALL_PIECE = 16 << 10;

/** Bytes of all answers that are on their way at once; beyond, each still has one small piece. */
export const ANSWER_BYTES = 64 << 20;
