/** A request is spread over the partitions, and their answers become one. */
import { expect, test } from 'vitest';
import { gather } from '../../src/store/query/gather.js';
import type { Question } from '../../src/store/query/question.js';
import { ask, plan } from '../../src/store/query/scatter.js';
import { WHOLE } from '../../src/store/query/sizes.js';
import { type Answer, type QueryRequest, type SeriesQuery, StoreError } from '../../src/store/store.js';
import { textOf } from '../support/answer-text.js';
import { FakeClient, type MadeUp, placementOf } from './fake-client.js';

const PARTITIONS = 3;
/** So long that an answer of several such lists is not whole. */
const LONG = 'x'.repeat(WHOLE / 4);

function seriesQuery(host: string): SeriesQuery {
  return { metric: 'm', host, typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 1 };
}

function request(hosts: string[], forAllNodes: string[] = []): QueryRequest {
  const queries = hosts.map(seriesQuery);
  return { cluster: 'c', from: 0, to: 60, queries, forAllNodes, withStats: true, withData: true, withPadding: true };
}

interface Behaviour {
  pieceBytes?: number;
  /** The partition without hosts. */
  empty?: number;
  /** The partition whose answer for all nodes is an error. */
  failing?: number;
  /** What is in each list besides its name. */
  more?: string;
}

/** A list names its partition and its number there. */
function client({ pieceBytes, empty, failing, more = '' }: Behaviour = {}): FakeClient {
  return new FakeClient(({ partition, kind, request: bytes }: Question): MadeUp => {
    if (kind === 'query-all') {
      if (partition === failing) throw new StoreError('OUT_OF_MEMORY', 'full');
      if (partition === empty) return { text: '', marks: [0] };
      const queries = `"q${partition}"`;
      return { text: `${queries},["all ${partition}${more}"]`, marks: [queries.length] };
    }
    const lists = Array.from({ length: new DataView(bytes.buffer).getUint32(20, true) }, (_, i) => {
      return `,["own ${partition}.${i}${more}"]`;
    });
    return { text: lists.join(''), marks: lists.map((_, i) => lists.slice(0, i + 1).join('').length) };
  }, pieceBytes);
}

async function answer(wanted: QueryRequest, ...clients: FakeClient[]): Promise<Answer> {
  const placement = placementOf(PARTITIONS, ...clients);
  const { questions, order } = plan(wanted, placement, 'query');
  return gather(order, await ask(questions, placement));
}

test('a client is asked once, each of its partitions at most once for its hosts', async () => {
  const one = client();
  await textOf(await answer(request(['h2', 'h0', 'h2'], ['m']), one));
  const asked = one.asked.map((questions) => questions.map(({ kind, partition }) => `${kind} ${partition}`));
  expect(asked).toEqual([['query 2', 'query 0', 'query-all 0', 'query-all 1', 'query-all 2']]);
});

const CASES: [string, Behaviour][] = [
  ['whole', {}],
  ['long and whole', { more: LONG }],
  // A first piece for all nodes holds all of its queries, so it has at least as many bytes as these.
  ['in pieces of 4 bytes', { pieceBytes: 4 }],
  ['in pieces of 7 bytes', { pieceBytes: 7 }],
  ['long and in pieces', { pieceBytes: 30_000, more: LONG }],
];

test.each(CASES)('lists come in the order of their queries, those for all nodes behind them: %s', async (_, how) => {
  for (const clients of [[client(how)], [client(how), client(how)]]) {
    const made = await answer(request(['h2', 'h0', 'h2', 'h2'], ['m']), ...clients);
    expect(made instanceof Uint8Array).toBe(!how.pieceBytes && !how.more);
    const list = (name: string): string => `["${name}${how.more ?? ''}"]`;
    const results = ['own 2.0', 'own 0.0', 'own 2.1', 'own 2.2', 'all 0', 'all 1', 'all 2'].map(list).join(',');
    expect(await textOf(made)).toBe(`{"queries":["q0","q1","q2"],"results":[${results}]}\n`);
    for (const { left, budget } of clients) expect([left, budget.used]).toEqual([[], 0]);
  }
});

test.each(CASES)('without metrics for all nodes nothing is said about queries: %s', async (_, how) => {
  const one = client(how);
  const list = (name: string): string => `["${name}${how.more ?? ''}"]`;
  expect(await textOf(await answer(request(['h1', 'h1', 'h0']), one))).toBe(
    `{"results":[${list('own 1.0')},${list('own 1.1')},${list('own 0.0')}]}\n`,
  );
  expect(one.asked).toHaveLength(1);
});

test('a request of nothing is answered with nothing, and nobody is asked', async () => {
  const one = client();
  expect(await textOf(await answer(request([]), one))).toBe('{"results":[]}\n');
  expect(one.asked).toEqual([]);
});

test.each(CASES)('a partition without hosts leaves no trace: %s', async (_, how) => {
  const list = (name: string): string => `["${name}${how.more ?? ''}"]`;
  for (const empty of [0, 1, 2]) {
    const others = [0, 1, 2].filter((partition) => partition !== empty);
    const made = await answer(request([], ['m']), client({ ...how, empty }));
    expect(await textOf(made)).toBe(
      `{"queries":[${others.map((n) => `"q${n}"`)}],"results":[${others.map((n) => list(`all ${n}`))}]}\n`,
    );
  }
});

test('an error of one client rejects, and what others have begun is left', async () => {
  const good = client({ pieceBytes: 4 });
  const bad = client({ failing: 1 });
  const made = answer(request(['h0'], ['m']), good, bad);
  await expect(made).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  await expect(made).rejects.toBeInstanceOf(StoreError);
  // One of host h0, two about all nodes.
  expect(good.left).toEqual([0, 1, 2]);
  expect(good.budget.used).toBe(0);
});

test('an answer that is left half read stops its streams', async () => {
  const one = client({ pieceBytes: 30_000, more: LONG.repeat(10) });
  const made = await answer(request(['h0', 'h1'], ['m']), one);
  if (made instanceof Uint8Array) throw new Error('expected pieces');
  const chunks = made[Symbol.asyncIterator]();
  await chunks.next();
  await chunks.next();
  expect(one.budget.used).toBeGreaterThan(0);
  await chunks.return?.();
  expect(one.left.sort()).toEqual([0, 1, 2, 3, 4]);
  expect(one.budget.used).toBe(0);
});
