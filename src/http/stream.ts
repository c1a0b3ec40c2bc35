import type { ServerResponse } from 'node:http';
import { JSON_TYPE, send, startJson } from './answer.js';
import type { Exchange } from './exchange.js';

/** Bytes that are gathered before they are written. An answer that is shorter goes out whole, with its length. */
const BATCH_BYTES = 64 << 10;

/** Pieces below this are joined: a chunk of its own costs more than the copy. */
const SMALL_BYTES = 16 << 10;

/** Resolves when the socket has taken what was written, or is gone. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });
}

/** Ends the connection so that the client cannot take what it has for the whole answer, not even over HTTP/1.0. */
function breakOff(outgoing: ServerResponse): void {
  const socket = outgoing.socket;
  if (socket !== null && !('encrypted' in socket)) socket.resetAndDestroy();
  else outgoing.destroy();
}

interface Batch {
  parts: Uint8Array[];
  /** The source has ended; nothing follows. */
  last: boolean;
}

function joined(parts: Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

/** The next pieces of the source, at least BATCH_BYTES unless it ends before; small ones joined. */
async function nextBatch(source: AsyncIterator<Uint8Array>, sent: (part: Uint8Array) => void): Promise<Batch> {
  const parts: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (small.length > 0) parts.push(joined(small));
    if (small.length > 1) small.forEach(sent);
    small = [];
  };
  while (bytes < BATCH_BYTES) {
    const piece = await source.next();
    if (piece.done) {
      flush();
      return { parts, last: true };
    }
    bytes += piece.value.length;
    if (piece.value.length < SMALL_BYTES) small.push(piece.value);
    else {
      flush();
      parts.push(piece.value);
    }
  }
  flush();
  return { parts, last: false };
}

/** False: the socket has enough for now. */
function write({ outgoing }: Exchange, { parts }: Batch, sent: (part: Uint8Array) => void): boolean {
  let more = true;
  for (const part of parts) more = outgoing.write(part, () => sent(part));
  return more;
}

function bytesOf({ parts }: Batch): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/**
 * Answers 200 with JSON text that comes in pieces. Short: with Content-Length. Long: chunked, the next batch is asked
 * for while the socket takes the last one, and a client that reads slowly slows the source down.
 *
 * A source that fails within the first batch rejects here and can still be answered; one that fails later breaks the
 * connection and rejects. When the client leaves, the source's `return` is called at once.
 * @param sent told of each part that nobody reads any more: the socket has it, or it was copied.
 */
export async function streamJson(
  exchange: Exchange,
  pieces: AsyncIterable<Uint8Array>,
  sent: (part: Uint8Array) => void,
): Promise<void> {
  const { outgoing } = exchange;
  const source = pieces[Symbol.asyncIterator]();
  let gone = false;
  const onClose = (): void => {
    gone = true;
    // The loop below reports a source that fails; a failing clean-up has no one to tell.
    source.return?.().catch(() => {});
  };
  outgoing.on('close', onClose);
  try {
    const first = nextBatch(source, sent);
    // The client may have left before this function was called; a source can be left once it has been asked.
    if (outgoing.destroyed) onClose();
    let batch = await first;
    if (gone) return;
    if (batch.last) return send(exchange, 200, JSON_TYPE, joined(batch.parts));
    startJson(exchange);
    try {
      while (!gone) {
        const more = write(exchange, batch, sent);
        exchange.sent += bytesOf(batch);
        if (batch.last) {
          outgoing.end();
          return;
        }
        const following = nextBatch(source, sent);
        // Handled by the await below; without this a failure while the socket drains would count as unhandled.
        following.catch(() => {});
        if (!more) await drained(outgoing);
        batch = await following;
      }
    } catch (error) {
      breakOff(outgoing);
      throw error;
    }
  } finally {
    outgoing.off('close', onClose);
  }
}
