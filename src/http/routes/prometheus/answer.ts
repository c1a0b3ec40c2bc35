/** Answers of Prometheus's API: JSON, compressed with gzip where the client takes it, and with nothing else. */

import { pipeline, Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import { JSON_TYPE, send } from '../../answer.js';
import type { Exchange } from '../../exchange.js';
import { sendAnswer } from '../../stream.js';

/** Fast: the answer is read once, by somebody who waits. */
const LEVEL = { level: 1 };

function takesGzip({ incoming }: Exchange): boolean {
  const accepted = String(incoming.headers['accept-encoding'] ?? '');
  return accepted.split(',').some((offer) => {
    const [coding = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

/** A short answer. */
export function sendText(exchange: Exchange, text: string | Uint8Array): void {
  const vary = ['Vary', 'Accept-Encoding'];
  if (takesGzip(exchange)) {
    send(exchange, 200, JSON_TYPE, gzipSync(text, LEVEL), ['Content-Encoding', 'gzip', ...vary]);
  } else {
    send(exchange, 200, JSON_TYPE, text, vary);
  }
}

async function* gzipped(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip(LEVEL);
  // A failing source destroys the compressor, which fails the loop below.
  pipeline(Readable.from(pieces), gzip, () => {});
  for await (const piece of gzip) yield piece as Uint8Array;
}

/** An answer in pieces, as fast as the client reads; a short one goes out whole. */
export async function streamText(exchange: Exchange, pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  const first = await pieces.next();
  const second = first.done ? first : await pieces.next();
  if (second.done) return sendText(exchange, first.value ?? '');
  const all = resumed([first.value ?? new Uint8Array(0), second.value], pieces);
  exchange.outgoing.setHeader('Vary', 'Accept-Encoding');
  if (!takesGzip(exchange)) return sendAnswer(exchange, all);
  exchange.outgoing.setHeader('Content-Encoding', 'gzip');
  return sendAnswer(exchange, gzipped(all));
}

/** Pieces that were read already, and those that follow. */
async function* resumed(read: Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* read;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
