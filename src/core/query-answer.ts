/**
 * Puts the partitions' answers to a query together: `{"queries":[...],"results":[[entry,...],...]}`. Lists come with a comma
 * behind each; the last one is taken off. Small parts are joined, so that many queries do not make many tiny chunks.
 */
import type { AnswerStream } from './answer-stream.js';
import type { Piece, QueryPart } from './protocol.js';
import { encodeForAllNodes, encodeRequest } from './request.js';
import type { QueryRequest, SeriesQuery } from './store.js';

export interface QuerySource {
  partitions: number;
  partitionOf(host: string): number;
  /** Starts the parts; their streams in the same order. */
  open(parts: Omit<QueryPart, 'id'>[]): AnswerStream[];
}

const JOIN = 64 << 10;
const encoder = new TextEncoder();
const HEAD = encoder.encode('{"results":[');
const QUERIES = encoder.encode('{"queries":[');
const RESULTS = encoder.encode('],"results":[');
const COMMA = encoder.encode(',');
const TAIL = encoder.encode(']}\n');

/** Joins small parts into chunks; large ones are passed on as they are. */
async function* joined(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(JOIN);
  let length = 0;
  for await (const part of parts) {
    if (length + part.length > JOIN && length) {
      yield buffer.subarray(0, length);
      buffer = new Uint8Array(JOIN);
      length = 0;
    }
    if (part.length >= JOIN) {
      yield part;
      continue;
    }
    buffer.set(part, length);
    length += part.length;
  }
  if (length) yield buffer.subarray(0, length);
}

/** Everything but the last byte, which is the comma behind the last list. */
async function* withoutLastByte(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    if (held) yield held;
    held = part;
  }
  if (held && held.length > 1) yield held.subarray(0, -1);
}

async function* around(open: string, parts: AsyncIterable<Uint8Array>, close: string): AsyncGenerator<Uint8Array> {
  yield encoder.encode(open);
  yield* parts;
  yield encoder.encode(close);
}

interface Opened {
  /** The stream that answers each query. */
  order: AnswerStream[];
  /** One a partition that has queries. */
  streams: AnswerStream[];
  /** One a partition, for the metrics that were asked for on all nodes. */
  all: AnswerStream[];
}

/** Opens all streams that the request needs, in one go. */
function openStreams(request: QueryRequest, source: QuerySource): Opened {
  const groups = new Map<number, SeriesQuery[]>();
  const partitions = request.queries.map((query) => {
    const partition = source.partitionOf(query.host);
    const group = groups.get(partition);
    if (group) group.push(query);
    else groups.set(partition, [query]);
    return partition;
  });
  const parts: Omit<QueryPart, 'id'>[] = [...groups].map(([partition, queries]) => ({
    partition,
    request: encodeRequest(request, queries),
    forAllNodes: false,
  }));
  if (request.forAllNodes?.length) {
    const bytes = encodeForAllNodes(request, request.forAllNodes);
    for (let partition = 0; partition < source.partitions; partition++) {
      parts.push({ partition, request: bytes, forAllNodes: true });
    }
  }
  const opened = source.open(parts);
  const streams = opened.slice(0, groups.size);
  const places = new Map([...groups.keys()].map((partition, i) => [partition, streams[i]]));
  const order = partitions.map((p) => places.get(p)).filter((stream) => stream !== undefined);
  return { order, streams, all: opened.slice(groups.size) };
}

async function* inOrder(order: AnswerStream[], streams: AnswerStream[]): AsyncGenerator<Uint8Array> {
  const [only] = streams;
  if (only && streams.length === 1) yield* only.all();
  else for (const stream of order) yield* stream.list();
}

/** Takes all streams' answers if each has come in one piece, which most do. */
function takeWhole(streams: AnswerStream[]): Map<AnswerStream, Piece> | undefined {
  if (!streams.every((stream) => stream.isWhole)) return undefined;
  return new Map(streams.map((stream) => [stream, stream.takeWhole()]));
}

/** The lists of whole answers in the order of their queries, as one buffer, without the comma behind the last. */
function joinWhole(order: AnswerStream[], pieces: Map<AnswerStream, Piece>, head: Uint8Array[]): Uint8Array {
  const parts = [...head];
  const places = new Map<AnswerStream, number>();
  for (const stream of order) {
    const piece = pieces.get(stream);
    if (!piece) continue;
    const place = places.get(stream) ?? 0;
    parts.push(piece.bytes.subarray(place ? piece.ends[place - 1] : 0, piece.ends[place]));
    places.set(stream, place + 1);
  }
  return closed(parts, order.length > 0);
}

/** All parts and the end of the answer. @param trim the last byte is a comma. */
function closed(parts: Uint8Array[], trim: boolean): Uint8Array {
  const size = parts.reduce((n, part) => n + part.length, 0) - (trim ? 1 : 0);
  const out = new Uint8Array(size + TAIL.length);
  let at = 0;
  for (const part of parts) {
    out.set(at + part.length > size ? part.subarray(0, size - at) : part, at);
    at += part.length;
  }
  out.set(TAIL, size);
  return out;
}

/** Answers the request's queries in their order. */
export async function* answerQueries(request: QueryRequest, source: QuerySource): AsyncGenerator<Uint8Array> {
  const { order, streams } = openStreams(request, source);
  try {
    await Promise.all(streams.map((stream) => stream.peek()));
    const whole = takeWhole(streams);
    if (whole) {
      yield joinWhole(order, whole, [HEAD]);
      return;
    }
    yield* joined(around('{"results":[', withoutLastByte(inOrder(order, streams)), ']}\n'));
  } finally {
    for (const stream of streams) stream.close();
  }
}

/** `joinWhole` for an answer for all nodes: with the queries that were made, and their lists behind the others'. */
function joinAll(
  order: AnswerStream[],
  pieces: Map<AnswerStream, Piece>,
  texts: Uint8Array[],
  lists: Uint8Array[],
): Uint8Array {
  const head = texts.flatMap((text, i) => [i ? COMMA : QUERIES, text]);
  const own = joinWhole(order, pieces, []).subarray(0, -TAIL.length);
  const parts = [...head, texts.length ? RESULTS : HEAD, own, ...(own.length ? [COMMA] : []), ...lists];
  return closed(parts, own.length > 0 || lists.some((list) => list.length > 0));
}

/** Answers the request's queries, then its metrics for every node of the cluster, and says which queries those were. */
export async function* answerForAllNodes(request: QueryRequest, source: QuerySource): AsyncGenerator<Uint8Array> {
  const { order, streams, all } = openStreams(request, source);
  try {
    await Promise.all(streams.map((stream) => stream.peek()));
    const first = await Promise.all(all.map((stream) => stream.peek()));
    const texts = first.flatMap((piece) => (piece?.text?.length ? [piece.text] : []));
    const whole = takeWhole([...streams, ...all]);
    if (whole) {
      const lists = all.map((stream) => whole.get(stream)?.bytes ?? new Uint8Array(0));
      yield joinAll(order, whole, texts, lists);
      return;
    }
    async function* echo(): AsyncGenerator<Uint8Array> {
      for (const [i, text] of texts.entries()) {
        if (i) yield encoder.encode(',');
        yield text;
      }
    }
    async function* lists(): AsyncGenerator<Uint8Array> {
      yield* inOrder(order, streams);
      for (const stream of all) yield* stream.all();
    }
    async function* parts(): AsyncGenerator<Uint8Array> {
      if (texts.length) yield* around('{"queries":[', echo(), '],"results":[');
      else yield encoder.encode('{"results":[');
      yield* around('', withoutLastByte(lists()), ']}\n');
    }
    yield* joined(parts());
  } finally {
    for (const stream of [...streams, ...all]) stream.close();
  }
}
