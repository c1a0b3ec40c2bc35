import type { ServerResponse } from 'node:http';
import { JSON_TYPE, send, startJson } from './answer.js';
import type { Exchange } from './route.js';

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

/**
 * Answers 200 with JSON text that comes in pieces. One piece: Content-Length. Several: chunked, the next is asked for
 * while the socket takes the last one, and a client that reads slowly slows the source down.
 *
 * A source that fails before its second piece rejects here and can still be answered; one that fails later breaks the
 * connection and rejects. When the client leaves, the source's `return` is called at once.
 */
export async function streamJson(exchange: Exchange, pieces: AsyncIterable<Uint8Array>): Promise<void> {
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
    const first = await source.next();
    if (first.done) return send(exchange, 200, JSON_TYPE, '');
    let next = await source.next();
    if (gone) return;
    if (next.done) return send(exchange, 200, JSON_TYPE, first.value);
    startJson(exchange);
    try {
      write(exchange, first.value);
      while (!next.done && !gone) {
        const following = source.next();
        // Handled by the await below; without this a failure while the socket drains would count as unhandled.
        following.catch(() => {});
        if (!write(exchange, next.value) && !gone) await drained(outgoing);
        next = await following;
      }
    } catch (error) {
      breakOff(outgoing);
      throw error;
    }
    if (!gone) outgoing.end();
  } finally {
    outgoing.off('close', onClose);
  }
}

/** False: the socket has enough for now. */
function write(exchange: Exchange, piece: Uint8Array): boolean {
  exchange.sent += piece.length;
  return exchange.outgoing.write(piece);
}
