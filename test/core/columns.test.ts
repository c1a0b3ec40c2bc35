/** Columns against cc-backend's JSON: the same requests, and every number of the text from the doubles of the columns. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Column, type ColumnError, readColumns } from '../../src/wasm/columns.js';
import type { Core } from '../../src/wasm/core.js';
import { encodeForAllNodes, encodeRequest, type SeriesQuery } from '../../src/wasm/request.js';
import { QueryError } from '../../src/wasm/tables/codes.js';
import type { Series } from '../support/client.js';
import { ask, coreModule, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';
import { printDecimals } from '../support/exact-decimals.js';
import { seeded } from '../support/random.js';
import type { Range } from './model.js';

const METRICS = new Map([
  ['flops', metric(60, 'sum')],
  ['clock', metric(60, 'avg')],
  ['load', metric(60)],
  ['fast', metric(1)],
]);
const MINUTES = 3000;
const END = T0 + 60 * MINUTES;
const RANGE: Range = { cluster: 'c', from: T0, to: END, withStats: true, withData: true, withPadding: false };

let core: Core;

beforeAll(() => {
  const random = seeded(12);
  core = startCore(METRICS, { module: coreModule('core.debug.wasm') });
  for (let minute = 0; minute < MINUTES; minute++) {
    const time = T0 + 60 * minute;
    let text = `load,cluster=c,hostname=a value=${random() * 100} ${time}\n`;
    for (let id = 0; id < 4; id++) {
      const socket = `cluster=c,hostname=a,type=socket,type-id=${id % 2}`;
      const tags = `${socket},stype=core,stype-id=${id}`;
      if (random() < 0.97) text += `flops,${tags} value=${random() * 1e6} ${time}\n`;
      text += `clock,${tags} value=${2000 + random()} ${time}\n`;
      if (minute >= 1500) text += `load,cluster=c,hostname=a,type=hwthread,type-id=${id} value=${-random()} ${time}\n`;
    }
    store(core, text);
    core.writes.logTaken();
  }
  store(core, `load,cluster=c,hostname=b value=1 ${T0}\nfast,cluster=c,hostname=a value=1 ${T0}\n`);
  store(core, `fast,cluster=c,hostname=a value=2 ${T0 + 2 ** 25}\n`);
});

/** All parts of an answer. */
function parts(state: number, budget: number): (Column | ColumnError)[] {
  const all: (Column | ColumnError)[] = [];
  for (let done = false; !done; ) {
    const piece = core.reads.columnsStep(state, budget);
    expect(piece.bytes.length).toBeLessThan(budget + 2048);
    all.push(...readColumns(new Uint8Array(piece.bytes)));
    done = piece.done;
  }
  core.reads.queryEnd(state);
  return all;
}

/** Columns with their parts put together. */
function columns(range: Range, queries: SeriesQuery[], budget = 1 << 18): (Column | ColumnError)[] {
  const whole: (Column | ColumnError)[] = [];
  for (const part of parts(core.reads.queryBegin(encodeRequest({ ...range, queries }, queries)), budget)) {
    const before = whole.at(-1);
    if ('error' in part || part.first === 0) {
      whole.push(part);
      continue;
    }
    if (!before || 'error' in before) throw new Error('a column begins in the middle');
    expect([part.query, part.entry, part.first, part.count, part.levels]).toEqual([
      before.query,
      before.entry,
      before.values.length,
      before.count,
      [],
    ]);
    before.values = Float64Array.of(...before.values, ...part.values);
  }
  return whole;
}

function rounded(value: number, decimals: number): number | null {
  return Number.isNaN(value) ? null : Number(printDecimals(value, decimals));
}

/** What the JSON says of a column. */
function asAnswer(column: Column | ColumnError, range: Range): Series {
  if ('error' in column) return { error: expect.any(String), from: 0, to: 0, resolution: 0, avg: 0, min: 0, max: 0 };
  const { from, to, step, samples, sum, least, greatest, values } = column;
  const statistic = (value: number): number | null => (range.withStats ? (samples ? rounded(value, 2) : null) : 0);
  return {
    ...(values.length > 0 && { data: Array.from(values, (value) => rounded(value, 3)) }),
    from,
    to,
    resolution: step,
    avg: statistic(sum / samples),
    min: statistic(least),
    max: statistic(greatest),
  };
}

/** Asks in both forms, and expects that they agree. */
function expectSame(range: Range, queries: SeriesQuery[], budget?: number): (Column | ColumnError)[] {
  const found = columns(range, queries, budget);
  const lists: Series[][] = queries.map(() => []);
  for (const column of found) lists[column.query]?.push(asAnswer(column, range));
  expect(lists).toEqual(ask(core, range, queries));
  return found;
}

function bits(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}

const query = (name: string, more: Partial<SeriesQuery> = {}): SeriesQuery =>
  seriesQuery({ metric: name, host: 'a', aggregate: true, ...more });

describe('columns', () => {
  it('hold the doubles of a series, to the bit', () => {
    const [column] = expectSame(RANGE, [query('load')]) as [Column];
    const series = Array.from({ length: core.series.end }, (_, i) => core.series.exportRun(i, 0, END)).find(
      (one) => one?.metric === 'load' && one.levels.length === 2,
    );
    expect(bits(column.values)).toBe(bits(series?.values ?? Float64Array.of()));
    expect(column).toMatchObject({ levels: ['c', 'a'], from: T0, to: END, step: 60, count: MINUTES, samples: MINUTES });
  });

  it('are what cc-backend is told: roll-ups, ids, scale, resolution, statistics', () => {
    const sockets = { type: 'socket', typeIds: ['0', '1', '7'] };
    const cores = { ...sockets, subtype: 'core', subtypeIds: ['0', '1', '2', '3'] };
    const queries = [
      query('flops'),
      query('clock'),
      query('clock', { scaleBy: 0.001 }),
      query('flops', { scaleBy: -2, resolution: 600 }),
      query('load', { resolution: 240 }),
      query('flops', { ...sockets }),
      query('flops', { ...sockets, aggregate: false }),
      query('flops', { ...cores }),
      query('flops', { ...cores, aggregate: false }),
      query('load', { host: 'nobody' }),
      query('load', { host: 'b' }),
    ];
    for (const from of [T0 - 600, T0, T0 + 30, END - 7200, END + 600]) {
      for (const withData of [true, false]) {
        for (const withStats of [true, false]) {
          const found = expectSame({ ...RANGE, from, to: from + 200_000, withData, withStats }, queries);
          expect(found.length).toBeGreaterThan(10);
        }
      }
    }
  });

  it('are named after the level that was asked for, and numbered as the entries were', () => {
    const typeIds = ['7', '1', '0'];
    const byId = query('flops', { type: 'socket', typeIds, subtype: 'core', subtypeIds: ['1', '2'], aggregate: false });
    const found = columns(RANGE, [
      query('load', { host: 'nobody' }),
      byId,
      query('flops', { type: 'socket', typeIds }),
    ]);
    expect(found.map((column) => [column.query, column.entry, 'error' in column || column.levels])).toEqual([
      [1, 2, ['c', 'a', 'socket1', 'core1']],
      [1, 5, ['c', 'a', 'socket0', 'core2']],
      [2, 0, ['c', 'a']],
    ]);
  });

  it('say why there are none, with the numbers', () => {
    const queries = [query('no-such'), query('load', { resolution: 90 }), query('fast')];
    const found = expectSame({ ...RANGE, to: T0 + 2 ** 26 }, queries);
    expect(found).toEqual([
      { query: 0, entry: 0, error: QueryError.UnknownMetric, given: 0, limit: 0 },
      { query: 1, entry: 0, error: QueryError.BadResolution, given: 90, limit: 60 },
      { query: 2, entry: 0, error: QueryError.TooLong, given: 2 ** 25 + 1, limit: 2 ** 24 },
    ]);
    const several = [query('load', { type: 'hwthread', typeIds: ['0', '1'] }), query('load')];
    expect(expectSame(RANGE, several)[0]).toMatchObject({ error: QueryError.NoAggregation });
    expect(expectSame({ ...RANGE, from: END, to: T0 }, several)).toMatchObject([
      { error: QueryError.FromAfterTo },
      { error: QueryError.FromAfterTo },
    ]);
  });

  it('come in pieces of any size, whatever is written and freed between two of them', () => {
    const queries = [
      query('flops'),
      query('load'),
      query('clock', { type: 'socket', typeIds: ['0', '1'], aggregate: false }),
    ];
    const whole = columns(RANGE, queries);
    for (const budget of [1, 700, 4096, 33_333]) expect(expectSame(RANGE, queries, budget)).toEqual(whole);

    const own = startCore(METRICS);
    for (let i = 0; i < 2000; i++) store(own, `load,cluster=c,hostname=a value=${i} ${T0 + 60 * i}\n`);
    const state = own.reads.queryBegin(encodeRequest({ ...RANGE, queries }, [query('load')]));
    const values: number[] = [];
    for (let done = false; !done; ) {
      const piece = own.reads.columnsStep(state, 2048);
      for (const part of readColumns(new Uint8Array(piece.bytes))) if ('values' in part) values.push(...part.values);
      done = piece.done;
      store(own, `load,cluster=c,hostname=a value=-1 ${T0}\nload,cluster=c,hostname=a value=-1 ${T0 + 60_000}\n`);
      if (values.length > 500) own.writes.free([], END);
    }
    own.reads.queryEnd(state);
    expect(values).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    expect(own.figures.memory).toMatchObject({ openBlocks: 0, sealedBlocks: 0 });
  });

  it('of all nodes are those of its queries', () => {
    const request = { ...RANGE, queries: [] };
    const { state, text } = core.reads.queryAllBegin(encodeForAllNodes(request, ['load', 'flops']));
    const queries = JSON.parse(`[${Buffer.from(text).toString()}]`) as { metric: string; host: string }[];
    expect(queries.map(({ metric: name, host }) => `${host} ${name}`)).toEqual([
      'a load',
      'a flops',
      'b load',
      'b flops',
    ]);
    const found = parts(state, 1 << 20);
    expect(found.map((column) => [column.query, 'levels' in column && column.levels[1]])).toEqual([
      [0, 'a'],
      [1, 'a'],
      [2, 'b'],
    ]);
  });
});
