import type { ServerResponse } from 'node:http';
import type { Answer } from '../store/store.js';
import { JSON_TYPE, send, startAnswer } from './answer.js';
import type { Exchange } from './exchange.js';

/** Writes a part. Resolves when the socket has taken it, so that nobody reads it any more, or is gone. */
function write(outgoing: ServerResponse, part: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('close', done);
    outgoing.write(part, done);
  });
}

/** Ends the connection so that the client cannot take what it has for the whole answer, not even over HTTP/1.0. */
function breakOff(outgoing: ServerResponse): void {
  const socket = outgoing.socket;
  if (socket !== null && !('encrypted' in socket)) socket.resetAndDestroy();
  else outgoing.destroy();
}

/**
 * Answers 200, with JSON text unless another type is given. What comes in pieces is sent chunked; the next piece is asked for when the socket has taken the
 * last one, so a client that reads slowly slows the source down.
 *
 * A source that fails before its first piece rejects here and can still be answered; one that fails later breaks the
 * connection and rejects. When the client leaves, the source's `return` is called at once.
 */
export async function sendAnswer(exchange: Exchange, answer: Answer): Promise<void> {
  if (answer instanceof Uint8Array) send(exchange, 200, JSON_TYPE, answer);
  else await sendPieces(exchange, answer[Symbol.asyncIterator](), JSON_TYPE);
}

/** The same for an answer of another type, in pieces. @param headers flat list of further names and values. */
export async function sendPieces(
  exchange: Exchange,
  source: AsyncIterator<Uint8Array>,
  contentType: string,
  headers: readonly string[] = [],
): Promise<void> {
  const { outgoing } = exchange;
  let gone = false;
  const onClose = (): void => {
    gone = true;
    // The loop below reports a source that fails; a failing clean-up has no one to tell.
    source.return?.().catch(() => {});
  };
  outgoing.on('close', onClose);
  try {
    const first = source.next();
    // The client may have left before this function was called; a source can be left once it has been asked.
    if (outgoing.destroyed) onClose();
    let piece = await first;
    if (gone) return;
    startAnswer(exchange, contentType, headers);
    try {
      while (!piece.done && !gone) {
        exchange.sent += piece.value.length;
        await write(outgoing, piece.value);
        piece = await source.next();
      }
      if (!gone) outgoing.end();
    } catch (error) {
      breakOff(outgoing);
      throw error;
    }
  } finally {
    outgoing.off('close', onClose);
  }
}
