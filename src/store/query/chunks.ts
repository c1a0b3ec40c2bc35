/**
 * Main thread. Parts of an answer as chunks that are worth sending: small parts are copied together, large ones are passed on
 * as they are. The one place where bytes of answers are regrouped.
 */
import type { Answer } from '../store.js';
import { CHUNK } from './sizes.js';

export class Chunks {
  /** Used again for each chunk. */
  readonly #chunk = new Uint8Array(CHUNK);
  #length = 0;

  /** Adds a part. @returns what is to be sent now; each is to be used before the next one is taken, and the last before `add`. */
  *add(part: Uint8Array): Generator<Uint8Array> {
    let rest = part;
    if (this.#length + rest.length > CHUNK && this.#length) {
      const room = CHUNK - this.#length;
      this.#chunk.set(rest.subarray(0, room), this.#length);
      rest = rest.subarray(room);
      this.#length = 0;
      yield this.#chunk;
    }
    if (rest.length >= CHUNK) {
      yield rest;
      return;
    }
    this.#chunk.set(rest, this.#length);
    this.#length += rest.length;
  }

  /** The rest. */
  *end(): Generator<Uint8Array> {
    if (this.#length) yield this.#chunk.subarray(0, this.#length);
    this.#length = 0;
  }
}

/** Chunks as an answer: whole if it is short. Rejects when the first chunk can't be had, before anything was answered. */
export async function answerOf(chunks: AsyncGenerator<Uint8Array>): Promise<Answer> {
  const first = await chunks.next();
  if (first.done) return new Uint8Array(0);
  // A chunk that is not full is the last.
  if (first.value.length >= CHUNK) return continued(first.value, chunks);
  await chunks.return(undefined);
  return first.value;
}

async function* continued(first: Uint8Array, chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* chunks;
  } finally {
    await chunks.return(undefined);
  }
}
