/**
 * Main thread. The partitions' answers become one: `{"queries":[...],"results":[[entry,...],...]}`. Lists come with a comma
 * before each; the first one is left out. A short answer is put together at once, a longer one while it is read.
 */
import type { Answer } from '../store.js';
import { Chunks } from './chunks.js';
import type { PieceStream } from './piece-stream.js';
import type { Order } from './scatter.js';
import { WHOLE } from './sizes.js';

const encoder = new TextEncoder();
const HEAD = encoder.encode('{"results":[');
const QUERIES = encoder.encode('{"queries":[');
const RESULTS = encoder.encode('],"results":[');
const COMMA = encoder.encode(',');
const BRACKET = 0x5b;
const TAIL = encoder.encode(']}\n');

/**
 * Puts the answer together.
 * @param streams one a question; they are left once the answer is read, or left itself.
 */
export function gather(order: Order, streams: readonly PieceStream[]): Answer {
  let length = QUERIES.length + RESULTS.length + TAIL.length + streams.length;
  let isWhole = true;
  for (const { current } of streams) {
    length += current.bytes.length;
    isWhole &&= current.done;
  }
  if (!isWhole || length > WHOLE) return streamed(order, streams);
  const text = joined(order, streams, length);
  for (const stream of streams) stream.leave();
  return text;
}

/** Consecutive lists of one answer. */
interface Span {
  stream: PieceStream;
  count: number;
}

/** Which lists the queries are answered with. */
function spansOf({ questions }: Order, streams: readonly PieceStream[]): Span[] {
  const spans: Span[] = [];
  let last = -1;
  for (const question of questions) {
    const span = spans.at(-1);
    if (span && question === last) span.count++;
    else spans.push({ stream: streams[question] as PieceStream, count: 1 });
    last = question;
  }
  return spans;
}

/** Bytes of the queries that an answer for all nodes begins with. To be asked for before it is read. */
function queriesLength({ current: { marks } }: PieceStream): number {
  return marks[0] ?? 0;
}

/** What stands before the first list. @param forAll answers for all nodes. */
function* head(forAll: readonly PieceStream[]): Generator<Uint8Array> {
  let before = QUERIES;
  for (const stream of forAll) {
    const length = queriesLength(stream);
    if (!length) continue;
    yield before;
    yield stream.current.bytes.subarray(0, length);
    before = COMMA;
  }
  yield before === COMMA ? RESULTS : HEAD;
}

/** A whole answer. @param room bytes that suffice. */
function joined(order: Order, streams: readonly PieceStream[], room: number): Uint8Array {
  // Every byte that is given away is written below.
  const out = Buffer.allocUnsafeSlow(room);
  const forAll = streams.slice(order.firstForAll);
  let at = 0;
  const add = (part: Uint8Array): void => {
    out.set(part, at);
    at += part.length;
  };
  for (const part of head(forAll)) add(part);
  // The comma before the first list takes the bracket's place, and gives it back.
  const start = --at;
  const read = new Map<PieceStream, number>();
  for (const { stream, count } of spansOf(order, streams)) {
    const { bytes, marks } = stream.current;
    const lists = read.get(stream) ?? 0;
    add(bytes.subarray(lists ? marks[lists - 1] : 0, marks[lists + count - 1]));
    read.set(stream, lists + count);
  }
  for (const stream of forAll) add(stream.current.bytes.subarray(queriesLength(stream)));
  out[start] = BRACKET;
  at = Math.max(at, start + 1);
  add(TAIL);
  return out.subarray(0, at);
}

/** How far an answer has been read: bytes and lists of its current piece. */
interface Place {
  byte: number;
  list: number;
}

/** The lists of a span in as few parts as their pieces allow. Each part must be used before the next is asked for. */
async function* listsOf({ stream, count }: Span, place: Place): AsyncGenerator<Uint8Array> {
  stream.prefetch();
  for (let left = count; ; ) {
    const { bytes, marks } = stream.current;
    const ending = Math.min(left, marks.length - place.list);
    place.list += ending;
    left -= ending;
    // What is behind the last mark belongs to a list that is wanted too.
    const to = left ? bytes.length : (marks[place.list - 1] ?? 0);
    if (to > place.byte) yield bytes.subarray(place.byte, to);
    place.byte = to;
    if (!left) return;
    if (!(await stream.next())) throw new Error('BUG: the answer ended before its last list');
    place.byte = 0;
    place.list = 0;
  }
}

/** An answer for all nodes, without its queries. */
async function* restOf(stream: PieceStream, from: number): AsyncGenerator<Uint8Array> {
  stream.prefetch();
  const first = stream.current.bytes.subarray(from);
  if (first.length) yield first;
  while (await stream.next()) yield stream.current.bytes;
}

async function* lists(order: Order, streams: readonly PieceStream[]): AsyncGenerator<Uint8Array> {
  const places = new Map<PieceStream, Place>();
  for (const span of spansOf(order, streams)) {
    const place = places.get(span.stream) ?? { byte: 0, list: 0 };
    places.set(span.stream, place);
    yield* listsOf(span, place);
  }
  for (const stream of streams.slice(order.firstForAll)) yield* restOf(stream, queriesLength(stream));
}

/** A long answer in chunks, each of which must be used before the next is asked for. */
async function* streamed(order: Order, streams: readonly PieceStream[]): AsyncGenerator<Uint8Array> {
  const chunks = new Chunks();
  try {
    for (const part of head(streams.slice(order.firstForAll))) yield* chunks.add(part);
    let isFirst = true;
    for await (const part of lists(order, streams)) {
      // Without the comma before the first list.
      yield* chunks.add(isFirst ? part.subarray(1) : part);
      isFirst = false;
    }
    yield* chunks.add(TAIL);
    yield* chunks.end();
    // All was used: nobody reads the last pieces any more.
    for (const stream of streams) if (stream.current.done) await stream.next();
  } finally {
    for (const stream of streams) stream.leave();
  }
}
