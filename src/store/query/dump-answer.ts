/**
 * Puts the partitions' dumps of the tree together: `{"data":{...}}`. A cluster's hosts lie in several partitions, so its
 * object is made of theirs; below a host one partition has it all.
 */

import { StoreError } from '../store.js';
import { AnswerStream } from './answer-stream.js';

const encoder = new TextEncoder();

export interface DumpSource {
  /** All partitions. */
  partitions: number[];
  partitionOf(cluster: string, host: string): number;
  open(partition: number, selector: string[]): AnswerStream;
  /** Names of all clusters. */
  clusters(): Promise<string[]>;
}

/** The members of an object whose text comes in pieces: without its first and last byte. */
async function* members(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (held?.length) yield held;
    held = held === undefined ? piece.subarray(1) : piece;
  }
  if (held && held.length > 1) yield held.subarray(0, -1);
}

/** One object of all partitions' objects at the selector. @throws StoreError NOT_FOUND when none has it. */
async function* merged(selector: string[], source: DumpSource): AsyncGenerator<Uint8Array> {
  const streams = source.partitions.map((partition) => source.open(partition, selector));
  try {
    const found: AnswerStream[] = [];
    for (const stream of streams) {
      try {
        await AnswerStream.begun([stream]);
        if (stream.first) found.push(stream);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    if (!found.length) throw notFound(selector);
    let text = '{';
    let any = false;
    for (const stream of found) {
      for await (const part of members(stream.all())) {
        // A comma between two partitions' members, not inside one's.
        if (text) yield encoder.encode(text);
        text = '';
        any = true;
        yield part;
      }
      if (any) text = ',';
    }
    yield encoder.encode(any ? '}' : '{}');
  } finally {
    for (const stream of streams) stream.close();
  }
}

async function* tree(selector: string[], source: DumpSource): AsyncGenerator<Uint8Array> {
  const [cluster, host] = selector;
  if (cluster !== undefined && host !== undefined) {
    const stream = source.open(source.partitionOf(cluster, host), selector);
    try {
      yield* stream.all();
    } finally {
      stream.close();
    }
  } else if (cluster !== undefined) yield* merged(selector, source);
  else {
    yield encoder.encode('{');
    let comma = '';
    for (const name of await source.clusters()) {
      let key = `${comma}${JSON.stringify(name)}:`;
      try {
        for await (const part of merged([name], source)) {
          if (key) yield encoder.encode(key);
          key = '';
          comma = ',';
          yield part;
        }
      } catch (error) {
        // Retention may have taken the cluster out of the tree since it was listed.
        if (!isNotFound(error) || key === '') throw error;
      }
    }
    yield encoder.encode('}');
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'NOT_FOUND';
}

function notFound(selector: string[]): StoreError {
  return new StoreError('NOT_FOUND', `not found: ${JSON.stringify(selector)}`);
}

/** The tree below the selector as JSON text. */
export async function* answerDump(selector: string[], source: DumpSource): AsyncGenerator<Uint8Array> {
  let opened = false;
  for await (const part of tree(selector, source)) {
    if (!opened) yield encoder.encode('{"data":');
    opened = true;
    yield part;
  }
  yield encoder.encode('}\n');
}
