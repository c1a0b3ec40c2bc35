import { expect, test } from 'vitest';
import { Buffers } from '../../src/store/buffers.js';
import type { Piece, QueryPart } from '../../src/store/protocol.js';
import { AnswerStream } from '../../src/store/query/answer-stream.js';
import { answerQuery, type QuerySource } from '../../src/store/query/query-answer.js';
import { type QueryRequest, type SeriesQuery, StoreError } from '../../src/store/store.js';
import { textOf } from '../core/answer-text.js';

const encoder = new TextEncoder();
const PARTITIONS = 3;

function seriesQuery(host: string): SeriesQuery {
  return { metric: 'm', host, typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 1 };
}

function request(hosts: string[], forAllNodes: string[]): QueryRequest {
  const queries = hosts.map(seriesQuery);
  return { cluster: 'c', from: 0, to: 60, queries, forAllNodes, withStats: true, withData: true, withPadding: true };
}

/** A source that remembers what it was asked. */
interface Recorded extends QuerySource {
  opened: number[][];
  all: number;
  pulled: number[];
  cancelled: number[];
}

interface Behaviour {
  /** Bytes of a piece; the whole answer when it is left out. */
  pieceBytes?: number;
  /** The partition without hosts. */
  empty?: number;
  /** The partition whose answer for all nodes is an error. */
  failing?: number;
}

/** Host `h<n>` is in partition n. A list names its partition and its number there. */
function source({ pieceBytes = Number.POSITIVE_INFINITY, empty, failing }: Behaviour = {}): Recorded {
  const recorded: Recorded = {
    opened: [],
    all: 0,
    pulled: [],
    cancelled: [],
    buffers: new Buffers(),
    partitionOf: (host) => Number(host.slice(1)),
    open: (parts: Omit<QueryPart, 'id'>[]) => {
      recorded.opened.push(parts.map(({ partition }) => partition));
      return parts.map(({ partition, request: bytes }) => {
        const count = new DataView(bytes.buffer).getUint32(20, true);
        return stream(
          partition,
          Array.from({ length: count }, (_, i) => `["own ${partition}.${i}"],`),
          '',
        );
      });
    },
    openAll: () => {
      recorded.all++;
      return Array.from({ length: PARTITIONS }, (_, partition) =>
        partition === empty
          ? stream(partition, [], '')
          : stream(partition, [`["all ${partition}"],`], `"q${partition}"`),
      );
    },
  };
  function stream(partition: number, lists: string[], text: string): AnswerStream {
    const bytes = encoder.encode(lists.join(''));
    const ends = lists.map((_, i) => lists.slice(0, i + 1).join('').length);
    const pieces: Piece[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += pieceBytes) {
      const end = Math.min(bytes.length, at + pieceBytes);
      pieces.push({
        id: partition,
        bytes: bytes.slice(at, end),
        ends: ends.filter((e) => e > at && e <= end).map((e) => e - at),
        done: end === bytes.length,
        text: encoder.encode(at ? '' : text),
        failure: partition === failing && text ? { code: 'OUT_OF_MEMORY', message: 'full' } : undefined,
      });
    }
    const give = (): void => {
      const piece = pieces.shift();
      if (piece) setImmediate(() => made.receive(piece));
    };
    const made = new AnswerStream(partition, partition, {
      pull: ({ id }) => {
        recorded.pulled.push(id);
        give();
      },
      cancel: ({ id }) => recorded.cancelled.push(id),
    });
    give();
    return made;
  }
  return recorded;
}

test('all partitions of a request are asked once, in one go', async () => {
  const asked = source();
  await textOf(await answerQuery(request(['h2', 'h0', 'h2'], ['m']), asked));
  expect(asked.opened).toEqual([[2, 0]]);
  expect(asked.all).toBe(1);
});

test.each([
  ['whole answers', Number.POSITIVE_INFINITY],
  ['one byte a piece', 1],
  ['seven bytes a piece', 7],
])('lists come in the order of their queries, those for all nodes behind them: %s', async (_what, pieceBytes) => {
  const asked = source({ pieceBytes });
  const answer = await answerQuery(request(['h2', 'h0', 'h2'], ['m']), asked);
  expect(answer instanceof Uint8Array).toBe(pieceBytes > 1000);
  const text = await textOf(answer);
  expect(text).toBe(
    '{"queries":["q0","q1","q2"],' + '"results":[["own 2.0"],["own 0.0"],["own 2.1"],["all 0"],["all 1"],["all 2"]]}\n',
  );
  expect(asked.cancelled).toEqual([]);
});

test.each([Number.POSITIVE_INFINITY, 5])(
  'without metrics for all nodes there is one part a partition that has queries (%s)',
  async (pieceBytes) => {
    const asked = source({ pieceBytes });
    const answer = await textOf(await answerQuery(request(['h1', 'h1', 'h0'], []), asked));
    expect(answer).toBe('{"results":[["own 1.0"],["own 1.1"],["own 0.0"]]}\n');
    expect(asked.opened).toEqual([[1, 0]]);
    expect(asked.all).toBe(0);
  },
);

test.each([Number.POSITIVE_INFINITY, 5])('queries of one partition, and none at all (%s)', async (pieceBytes) => {
  const one = await answerQuery(request(['h1', 'h1'], []), source({ pieceBytes }));
  expect(await textOf(one)).toBe('{"results":[["own 1.0"],["own 1.1"]]}\n');
  expect(await textOf(await answerQuery(request([], []), source({ pieceBytes })))).toBe('{"results":[]}\n');
});

test('a partition without hosts leaves no trace', async () => {
  const answer = await answerQuery(request([], ['m']), source({ empty: 1 }));
  expect(await textOf(answer)).toBe('{"queries":["q0","q2"],"results":[["all 0"],["all 2"]]}\n');
});

test('an error of one partition rejects, and the others are told to stop', async () => {
  const asked = source({ pieceBytes: 3, failing: 1 });
  const answer = answerQuery(request(['h0'], ['m']), asked);
  await expect(answer).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  await expect(answer).rejects.toBeInstanceOf(StoreError);
  expect(asked.cancelled.sort()).toEqual([0, 0, 1, 2]);
});

test('an answer that is left half read stops its streams', async () => {
  const asked = source({ pieceBytes: 3 });
  const answer = await answerQuery(request(['h0'], ['m']), asked);
  if (answer instanceof Uint8Array) throw new Error('expected pieces');
  const pieces = answer[Symbol.asyncIterator]();
  const leaving = pieces.next();
  await pieces.return?.();
  await leaving;
  expect(asked.cancelled.length + asked.pulled.length).toBeGreaterThan(0);
});

test('buffers are given back when all that they hold was read, and never before', async () => {
  const buffers = new Buffers();
  const given: ArrayBuffer[] = [];
  const lists = Array.from({ length: 40 }, (_, i) => `["${String(i).repeat(20_000)}"],`);
  const bytes = encoder.encode(lists.join(''));
  const ends = lists.map((_, i) => lists.slice(0, i + 1).join('').length);
  const pieceBytes = 150_000;
  const queue: Piece[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const length = Math.min(pieceBytes, bytes.length - at);
    const buffer = buffers.take(pieceBytes);
    new Uint8Array(buffer).set(bytes.subarray(at, at + length));
    given.push(buffer);
    const done = at + length === bytes.length;
    const inside = ends.filter((end) => end > at && end <= at + length).map((end) => end - at);
    const text = new Uint8Array(0);
    queue.push({ id: 1, bytes: buffers.lend(buffer, length), ends: inside, done, text, failure: undefined });
  }
  // Two streams in turn, so that pieces are cut into single lists; the other one's lists are nothing.
  const link = { pull: () => {}, cancel: () => {} };
  const streams = [new AnswerStream(1, 0, link), new AnswerStream(2, 1, link)] as const;
  for (const piece of queue) streams[0].receive(piece);
  const nothing = encoder.encode('[],'.repeat(lists.length));
  const text = new Uint8Array(0);
  const everyThird = lists.map((_, i) => 3 * (i + 1));
  streams[1].receive({ id: 2, bytes: nothing, ends: everyThird, done: true, text, failure: undefined });
  const hosts = lists.flatMap(() => ['h1', 'h0']);
  const answer = await answerQuery(request(hosts, []), {
    partitionOf: (host) => Number(host.slice(1)),
    open: () => [...streams],
    openAll: () => [],
    buffers,
  });
  if (answer instanceof Uint8Array) throw new Error('expected pieces');
  let read = '';
  for await (const part of answer) {
    read += Buffer.from(part).toString();
    buffers.recycle(part);
    // What is given back is overwritten at once: nobody may be reading it.
    for (let free = buffers.spare(pieceBytes); free; free = buffers.spare(pieceBytes)) {
      new Uint8Array(free).fill(0xee);
      given.splice(given.indexOf(free), 1);
    }
  }
  expect(read).toBe(
    `{"results":[${lists
      .map((list) => `[],${list}`)
      .join('')
      .slice(0, -1)}]}\n`,
  );
  expect(given).toEqual([]);
});
