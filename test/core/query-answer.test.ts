import { expect, test } from 'vitest';
import { AnswerStream } from '../../src/core/answer-stream.js';
import type { QueryPart } from '../../src/core/protocol.js';
import { answerForAllNodes, answerQueries, type QuerySource } from '../../src/core/query-answer.js';
import type { QueryRequest, SeriesQuery } from '../../src/core/store.js';

const encoder = new TextEncoder();
const PARTITIONS = 3;

function seriesQuery(host: string): SeriesQuery {
  return { metric: 'm', host, typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 1 };
}

function request(hosts: string[], forAllNodes: string[]): QueryRequest {
  const queries = hosts.map(seriesQuery);
  return {
    cluster: 'c',
    from: 0,
    to: 60,
    queries,
    forAllNodes,
    withStats: true,
    withData: true,
    withPadding: true,
  };
}

/** Host `h<n>` is in partition n. Each part is answered with one list a query, at once; `opened` gets what was asked. */
function source(opened: Omit<QueryPart, 'id'>[][]): QuerySource {
  return {
    partitions: PARTITIONS,
    partitionOf: (host) => Number(host.slice(1)),
    open: (parts) => {
      opened.push(parts);
      return parts.map(({ partition, request: bytes, forAllNodes }, id) => {
        const stream = new AnswerStream(
          () => {},
          () => {},
        );
        const count = forAllNodes ? 1 : new DataView(bytes.buffer).getUint32(20, true);
        const lists = Array.from({ length: count }, (_, i) => `["${forAllNodes ? 'all' : 'own'} ${partition}.${i}"],`);
        const ends = lists.map((_, i) => lists.slice(0, i + 1).join('').length);
        const piece = { id, bytes: encoder.encode(lists.join('')), ends, done: true };
        stream.receive(forAllNodes ? { ...piece, text: encoder.encode(`"q${partition}"`) } : piece);
        return stream;
      });
    },
  };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece.slice());
  return Buffer.concat(parts).toString();
}

test('all partitions of a request are asked in one go, each once', async () => {
  const opened: Omit<QueryPart, 'id'>[][] = [];
  await text(answerForAllNodes(request(['h2', 'h0', 'h2'], ['m']), source(opened)));
  expect(opened.map((parts) => parts.map(({ partition, forAllNodes }) => [partition, forAllNodes]))).toEqual([
    [
      [2, false],
      [0, false],
      [0, true],
      [1, true],
      [2, true],
    ],
  ]);
});

test('lists come in the order of their queries, those for all nodes behind them', async () => {
  const answer = await text(answerForAllNodes(request(['h2', 'h0', 'h2'], ['m']), source([])));
  expect(JSON.parse(answer)).toEqual({
    queries: ['q0', 'q1', 'q2'],
    results: [['own 2.0'], ['own 0.0'], ['own 2.1'], ['all 0.0'], ['all 1.0'], ['all 2.0']],
  });
  expect(answer.endsWith(']}\n')).toBe(true);
});

test('without metrics for all nodes there is one part a partition that has queries', async () => {
  const opened: Omit<QueryPart, 'id'>[][] = [];
  const answer = await text(answerQueries(request(['h1', 'h1', 'h0'], []), source(opened)));
  expect(JSON.parse(answer)).toEqual({ results: [['own 1.0'], ['own 1.1'], ['own 0.0']] });
  expect(opened.map((parts) => parts.map(({ partition }) => partition))).toEqual([[1, 0]]);
});
