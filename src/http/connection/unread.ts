/**
 * What to do with the rest of a body that nobody will read, when its request is answered early (413, 401, 404). Closing
 * at once would reset the connection and the client, still sending, might never see the answer; reading for ever would
 * let it keep us busy. So: read and forget a bounded amount, then close.
 */

import type { IncomingMessage } from 'node:http';

/** Bodies up to this are simply read to the end, and the connection lives on. */
const KEEP_ALIVE_BYTES = 256 << 10;
const DISCARD_BYTES = 64 << 20;
const DISCARD_MILLISECONDS = 2000;

export type Unread = 'none' | 'little' | 'much';

/** How much of the body is still to come. A client that waits for `100 Continue` may or may not send it: `much`. */
export function unreadBody(incoming: IncomingMessage): Unread {
  const { 'content-length': length, 'transfer-encoding': encoding, expect } = incoming.headers;
  // `complete` alone is not enough: Node sets it only after the request was handed out, also when there is no body.
  if (incoming.complete || (encoding === undefined && (length === undefined || length === '0'))) return 'none';
  return encoding === undefined && expect === undefined && Number(length) <= KEEP_ALIVE_BYTES ? 'little' : 'much';
}

/** Reads and forgets. Resolves when the body ended or the client had its share; the connection is to be closed then. */
export function discard(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(stop, DISCARD_MILLISECONDS);
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARD_BYTES) stop();
    });
    incoming.on('end', stop);
    incoming.on('error', stop);
    incoming.on('close', stop);
    incoming.resume();
  });
}
