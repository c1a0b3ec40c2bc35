/**
 * Main thread. The partitions' dumps of the tree become one: `{"data":{...}}`. A cluster's hosts lie in several partitions, so
 * its object is made of theirs; below a host one partition has it all.
 */
import type { Placement } from '../placement.js';
import { type Answer, StoreError } from '../store.js';
import { answerOf, Chunks } from './chunks.js';
import type { PieceStream } from './piece-stream.js';

const encoder = new TextEncoder();

/** Asks a partition for the object at the selector. Rejects NOT_FOUND when it does not have it. */
async function open(placement: Placement, partition: number, selector: string[]): Promise<PieceStream> {
  const request = encoder.encode(JSON.stringify(selector)) as Uint8Array<ArrayBuffer>;
  const [stream] = await placement.clientOf(partition).ask([{ partition, kind: 'dump', request }]);
  if (!stream) throw new Error('BUG: a question without an answer');
  return stream;
}

/** The pieces of an object; @param brackets whether its first and last byte are wanted. */
async function* read(stream: PieceStream, brackets: boolean): AsyncGenerator<Uint8Array> {
  const margin = brackets ? 0 : 1;
  stream.prefetch();
  for (let from = margin; ; ) {
    const { bytes, done } = stream.current;
    const part = bytes.subarray(from, done ? bytes.length - margin : bytes.length);
    if (part.length) yield part;
    if (bytes.length) from = 0;
    if (!(await stream.next())) return;
  }
}

/** One object of all partitions' objects at the selector. @throws StoreError NOT_FOUND when none has it. */
async function* merged(selector: string[], placement: Placement): AsyncGenerator<Uint8Array> {
  const asked = await Promise.allSettled(placement.partitions.map((partition) => open(placement, partition, selector)));
  const streams = asked.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  try {
    for (const one of asked) if (one.status === 'rejected' && !isNotFound(one.reason)) throw one.reason;
    if (!streams.length) throw notFound(selector);
    let text = '{';
    let any = false;
    for (const stream of streams) {
      for await (const part of read(stream, false)) {
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
    for (const stream of streams) stream.leave();
  }
}

async function* tree(selector: string[], placement: Placement, clusters: () => Promise<string[]>) {
  const [cluster, host] = selector;
  if (cluster !== undefined && host !== undefined) {
    const stream = await open(placement, placement.partitionOf(cluster, host), selector);
    try {
      yield* read(stream, true);
    } finally {
      stream.leave();
    }
  } else if (cluster !== undefined) yield* merged(selector, placement);
  else {
    yield encoder.encode('{');
    let comma = '';
    for (const name of await clusters()) {
      let key = `${comma}${JSON.stringify(name)}:`;
      try {
        for await (const part of merged([name], placement)) {
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

async function* text(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = new Chunks();
  yield* chunks.add(encoder.encode('{"data":'));
  for await (const part of parts) yield* chunks.add(part);
  yield* chunks.add(encoder.encode('}\n'));
  yield* chunks.end();
}

/** The tree below the selector as JSON text. Rejects NOT_FOUND. @param clusters names of all clusters. */
export async function dump(
  selector: string[],
  placement: Placement,
  clusters: () => Promise<string[]>,
): Promise<Answer> {
  return answerOf(text(tree(selector, placement, clusters)));
}
