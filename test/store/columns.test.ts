/** Columns of a whole store are what its JSON says, whatever partition they come from. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Pool } from '../../src/store/pool.js';
import type { AnswerColumn, QueryRequest, SeriesQuery } from '../../src/store/store.js';
import { QueryError } from '../../src/wasm/tables/codes.js';
import { textOf } from '../support/answer-text.js';
import { seriesQuery, T0 } from '../support/core-driver.js';
import { startPool, writeTo } from './running-pool.js';

const BINS = 20_000;
const HOSTS = ['h0', 'h1', 'h2', 'h3', 'h4'];

let pool: Pool | undefined;
afterEach(() => pool?.stop());

async function started(memoryCapBytes: number): Promise<Pool> {
  pool = await startPool(memoryCapBytes);
  for (const [i, host] of HOSTS.entries()) {
    let text = '';
    // Some bins are missing, and the longest columns take several pieces.
    for (let bin = 0; bin < BINS; bin++) {
      if (bin % 7) text += `flops,hostname=${host},type=socket,type-id=${bin & 1} value=${bin + i / 8} ${T0 + bin}\n`;
      if (bin % 60 === 0) text += `load,hostname=${host} value=${bin * i} ${T0 + bin}\n`;
    }
    await writeTo(pool, text);
  }
  return pool;
}

function request(queries: SeriesQuery[], forAllNodes: string[] = []): QueryRequest {
  const range = { cluster: 'c', from: T0, to: T0 + BINS };
  return { ...range, queries, forAllNodes, withStats: true, withData: true, withPadding: false };
}

/** An entry of the JSON answer, of which the columns must say the same. */
interface Entry {
  error?: string;
  data: (number | null)[];
  from: number;
  to: number;
  resolution: number;
}

interface Whole {
  metric: string;
  levels: string[];
  from: number;
  to: number;
  resolution: number;
  data: (number | null)[];
}

/** The columns put together, by query and entry. */
async function columnsBy(store: Pool, wanted: QueryRequest): Promise<Map<number, Map<number, Whole | QueryError>>> {
  const byQuery = new Map<number, Map<number, Whole | QueryError>>();
  const add = (column: AnswerColumn): void => {
    const entries = byQuery.get(column.query) ?? new Map<number, Whole | QueryError>();
    byQuery.set(column.query, entries);
    if ('error' in column) {
      entries.set(column.entry, column.error);
      return;
    }
    const { metric, levels, from, to, step, first, values } = column;
    const whole = entries.get(column.entry) ?? { metric, levels, from, to, resolution: step, data: [] };
    if (typeof whole === 'number') throw new Error('an error and values');
    expect(whole.data).toHaveLength(first);
    // Missing is null, and the JSON has three decimals.
    whole.data.push(...[...values].map((v) => (Number.isNaN(v) ? null : Number(v.toFixed(3)))));
    entries.set(column.entry, whole);
  };
  for await (const piece of await store.columns(wanted)) piece.forEach(add);
  return byQuery;
}

describe('columns', () => {
  for (const [partitions, cap] of [
    [1, 0],
    [5, 16e9],
  ] as const) {
    it(`are what the JSON says, query by query and node by node, ${partitions} partition(s)`, async () => {
      const store = await started(cap);
      const queries = [
        seriesQuery({ metric: 'flops', host: 'h3' }),
        seriesQuery({ metric: 'no such metric', host: 'h1' }),
        seriesQuery({ metric: 'load', host: 'h1' }),
        seriesQuery({ metric: 'load', host: 'nobody' }),
        seriesQuery({ metric: 'flops', host: 'h3', type: 'socket', typeIds: ['0', '1'] }),
        seriesQuery({ metric: 'flops', host: 'h0' }),
      ];
      const wanted = request(queries, ['load', 'flops']);
      const json = JSON.parse(await textOf(await store.query(wanted))) as {
        queries: { host: string; metric: string }[];
        results: Entry[][];
      };
      const columns = await columnsBy(store, wanted);
      for (const [i, query] of queries.entries()) {
        const own = [...(columns.get(i)?.values() ?? [])];
        if (query.metric === 'no such metric') {
          expect(own).toEqual([QueryError.UnknownMetric]);
          continue;
        }
        const entries = (json.results[i] ?? []).map(({ data, from, to, resolution }) => ({
          data,
          from,
          to,
          resolution,
        }));
        expect(own).toMatchObject(entries);
        for (const column of own) {
          expect(column).toMatchObject({ metric: query.metric, levels: expect.arrayContaining(['c', query.host]) });
        }
      }
      // Those of all nodes, by host; the JSON says which.
      for (const [number, metric] of ['load', 'flops'].entries()) {
        const own = [...(columns.get(queries.length + number)?.values() ?? [])];
        const byHost = new Map(own.map((column) => [typeof column === 'object' ? column.levels[1] : '', column]));
        expect([...byHost.keys()].sort()).toEqual(HOSTS);
        for (const [i, made] of json.queries.entries()) {
          if (made.metric !== metric) continue;
          const [entry] = json.results[queries.length + i] ?? [];
          const { data, from, to, resolution } = entry ?? {};
          expect(byHost.get(made.host)).toMatchObject({ metric, data, from, to, resolution });
        }
      }
    });
  }

  it('come in bounded pieces, and may be left', async () => {
    const store = await started(16e9);
    const wanted = request([], ['flops', 'flops', 'flops', 'flops']);
    let largest = 0;
    let all = 0;
    let expected = 0;
    for await (const piece of await store.columns(wanted)) {
      const bytes = piece.reduce((sum, column) => sum + ('values' in column ? column.values.byteLength : 0), 0);
      largest = Math.max(largest, bytes);
      all += bytes;
      for (const column of piece) if ('values' in column && !column.first) expected += column.count * 8;
    }
    expect(all).toBe(expected);
    expect(all).toBeGreaterThan(4 * HOSTS.length * (BINS - 10) * 8);
    expect(largest).toBeLessThan(300 << 10);
    for await (const _ of await store.columns(wanted)) break;
    // What is open would keep the store from answering the same again.
    expect((await columnsBy(store, wanted)).size).toBe(4);
  });

  it('of nothing are none', async () => {
    const store = await started(0);
    expect((await columnsBy(store, request([]))).size).toBe(0);
    expect((await columnsBy(store, request([], []))).size).toBe(0);
  });
});
