/**
 * Puts the partitions' answers to a query together: `{"queries":[...],"results":[[entry,...],...]}`. Lists come with a comma
 * behind each; the last one is taken off. Most answers come in one piece a partition and are joined at once; of others
 * small parts are joined, so that many queries do not make many tiny chunks.
 */

import { encodeForAllNodes, encodeRequest } from '../../wasm/request.js';
import type { Buffers } from '../buffers.js';
import type { QueryPart } from '../protocol.js';
import type { Answer, QueryRequest, SeriesQuery } from '../store.js';
import { AnswerStream } from './answer-stream.js';

export interface QuerySource {
  partitionOf(host: string): number;
  /** Starts the parts; their streams in the same order. */
  open(parts: Omit<QueryPart, 'id'>[]): AnswerStream[];
  /** Starts a request for all nodes in all partitions; their streams in the order of the partitions. */
  openAll(request: Uint8Array<ArrayBuffer>): AnswerStream[];
  /** Where the answer's memory comes from and goes to. */
  buffers: Buffers;
}

const JOIN = 64 << 10;
const encoder = new TextEncoder();
const HEAD = encoder.encode('{"results":[');
const QUERIES = encoder.encode('{"queries":[');
const RESULTS = encoder.encode('],"results":[');
const COMMA = encoder.encode(',');
const TAIL = encoder.encode(']}\n');

interface Opened {
  /** The stream that answers each query. */
  order: AnswerStream[];
  /** One a partition that has queries. */
  own: AnswerStream[];
  /** One a partition, for the metrics that were asked for on all nodes. */
  all: AnswerStream[];
}

/** Opens all streams that the request needs. */
function openStreams(request: QueryRequest, source: QuerySource): Opened {
  const all = request.forAllNodes?.length ? source.openAll(encodeForAllNodes(request, request.forAllNodes)) : [];
  if (!request.queries.length) return { order: [], own: [], all };
  const groups = new Map<number, SeriesQuery[]>();
  const partitions = request.queries.map((query) => {
    const partition = source.partitionOf(query.host);
    const group = groups.get(partition);
    if (group) group.push(query);
    else groups.set(partition, [query]);
    return partition;
  });
  const own = source.open(
    [...groups].map(([partition, queries]) => ({ partition, request: encodeRequest(request, queries) })),
  );
  const places = new Map(own.map((stream) => [stream.partition, stream]));
  const order = partitions.map((partition) => places.get(partition)).filter((stream) => stream !== undefined);
  return { order, own, all };
}

/** Bytes that are put one behind the other, copied once. */
class Joiner {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  add(part: Uint8Array): void {
    if (!part.length) return;
    this.#parts.push(part);
    this.#length += part.length;
  }

  get length(): number {
    return this.#length;
  }

  /** All parts, the last byte left out if it is a list's comma, and the end of the answer. The parts are given back. */
  close(trim: boolean, buffers: Buffers): Uint8Array {
    const size = this.#length - (trim ? 1 : 0);
    // Every byte is written below.
    const out = Buffer.allocUnsafeSlow(this.#length + TAIL.length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
      buffers.recycle(part);
    }
    out.set(TAIL, size);
    return out.subarray(0, size + TAIL.length);
  }
}

/** Adds the lists of whole answers in the order of their queries. */
function addOwn({ order, own }: Opened, joiner: Joiner): void {
  const pieces = new Map(own.map((stream) => [stream, { piece: stream.takeWhole(), place: 0 }]));
  const [only] = pieces.values();
  if (only && pieces.size === 1) {
    joiner.add(only.piece.bytes);
    return;
  }
  for (const stream of order) {
    const taken = pieces.get(stream);
    if (!taken) continue;
    const { bytes, ends } = taken.piece;
    joiner.add(bytes.subarray(taken.place ? ends[taken.place - 1] : 0, ends[taken.place]));
    taken.place++;
  }
}

/** The answer, when each stream has come in one piece. */
function joinWhole(opened: Opened, buffers: Buffers): Uint8Array {
  const joiner = new Joiner();
  const all = opened.all.map((stream) => stream.takeWhole());
  let head = QUERIES;
  for (const { text } of all) {
    if (!text.length) continue;
    joiner.add(head);
    joiner.add(text);
    head = COMMA;
  }
  joiner.add(joiner.length ? RESULTS : HEAD);
  const start = joiner.length;
  addOwn(opened, joiner);
  for (const { bytes } of all) joiner.add(bytes);
  return joiner.close(joiner.length > start, buffers);
}

/** Joins small parts into chunks; large ones are passed on as they are. */
async function* joined(parts: AsyncIterable<Uint8Array>, buffers: Buffers): AsyncGenerator<Uint8Array> {
  let chunk: Uint8Array<ArrayBuffer> | undefined;
  let length = 0;
  for await (const part of parts) {
    if (chunk && length + part.length > JOIN) {
      yield buffers.lend(chunk.buffer, length);
      chunk = undefined;
      length = 0;
    }
    if (part.length >= JOIN) {
      yield part;
      continue;
    }
    chunk ??= new Uint8Array(buffers.take(JOIN));
    chunk.set(part, length);
    length += part.length;
    buffers.recycle(part);
  }
  if (chunk) yield buffers.lend(chunk.buffer, length);
}

/** Everything but the last byte, which is the comma behind the last list. */
async function* withoutLastByte(parts: AsyncIterable<Uint8Array>, buffers: Buffers): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    if (held) yield held;
    held = part;
  }
  if (!held) return;
  buffers.recycle(held.subarray(-1));
  if (held.length > 1) yield held.subarray(0, -1);
}

async function* lists({ order, all }: Opened): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < order.length; ) {
    const stream = order[at] as AnswerStream;
    let end = at + 1;
    while (order[end] === stream) end++;
    yield* stream.lists(end - at);
    at = end;
  }
  for (const stream of all) yield* stream.all();
}

async function* inPieces(opened: Opened, buffers: Buffers): AsyncGenerator<Uint8Array> {
  let head = QUERIES;
  for (const { first } of opened.all) {
    if (!first?.text.length) continue;
    yield head;
    yield first.text;
    head = COMMA;
  }
  yield head === COMMA ? RESULTS : HEAD;
  yield* withoutLastByte(lists(opened), buffers);
  yield TAIL;
}

function close({ own, all }: Opened): void {
  for (const stream of own) stream.close();
  for (const stream of all) stream.close();
}

/** The answer in pieces; its streams are closed when it is read to its end or left. */
async function* streamed(opened: Opened, buffers: Buffers): AsyncGenerator<Uint8Array> {
  try {
    yield* joined(inPieces(opened, buffers), buffers);
  } finally {
    close(opened);
  }
}

/**
 * Answers the request's queries in their order, then its metrics for every node of the cluster, and says which queries those
 * were. Rejects when one of the streams begins with an error.
 */
export async function answerQuery(request: QueryRequest, source: QuerySource): Promise<Answer> {
  const opened = openStreams(request, source);
  const streams = [...opened.own, ...opened.all];
  try {
    await AnswerStream.begun(streams);
    // All of them: any may begin with an error.
    const firsts = streams.map(({ first }) => first);
    if (firsts.every((piece) => piece?.done)) return joinWhole(opened, source.buffers);
  } catch (error) {
    close(opened);
    throw error;
  }
  return streamed(opened, source.buffers);
}
