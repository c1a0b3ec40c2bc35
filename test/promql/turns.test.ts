/**
 * Nothing holds the main thread: whoever works through a list asks at each of its items whether it is time to pause. These tests count
 * how often that is asked, not how long it takes.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Patience } from '../../src/base/patience.js';
import { sortInTurns, Turns } from '../../src/base/turns.js';
import { parseForm } from '../../src/http/routes/prometheus/form.js';
import { Engine, type QueryResult } from '../../src/promql/engine.js';
import { Labels } from '../../src/promql/evaluate/labels.js';
import { Selection } from '../../src/promql/evaluate/select.js';
import { printList, printResult } from '../../src/promql/print/json.js';
import { arrowStream } from '../../src/table/arrow.js';
import { csvText } from '../../src/table/csv.js';
import { parquetOf } from '../../src/table/parquet.js';
import { resultTable } from '../../src/table/result-table.js';
import type { Run, Table } from '../../src/table/table.js';
import { SamplePrinter } from '../../src/wasm/sample-printer.js';
import { coreModule } from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { MemorySource } from './memory-source.js';

const NOW = 600_000;
const limits = { lookback: 300_000, lookbackAdapts: true, timeout: 6e5, maxSamples: 5e7, maxMemory: 2 ** 28 };

/** So many series `m`, no two with the same label `i` or the same value. */
function engineOf(series: number): Engine {
  const all = Array.from({ length: series }, (_, i) => ({
    labels: { __name__: 'm', i: String((i * 7919) % series), le: String(i) },
    t: [NOW - 120_000, NOW - 60_000, NOW],
    v: ['0', '1', String((i * 104_729) % series)],
  }));
  return new Engine(new MemorySource(all), limits);
}

function ask(engine: Engine, query: string): Promise<QueryResult> {
  const isRange = query.includes('@');
  const times = isRange ? { start: NOW, end: NOW + 60_000, step: 60_000 } : { start: NOW, end: NOW, step: 0 };
  return engine.execute({ query, ...times, signal: new AbortController().signal });
}

/** Queries, and how often each of their series is looked at: where it is read, computed, paired, joined, sorted. */
const QUERIES: [query: string, looks: number][] = [
  ['m', 3],
  ['m[5m]', 3],
  ['m @ 500', 4],
  ['-m', 5],
  ['abs(m)', 5],
  ['clamp(m, 0, 9)', 5],
  ['m + 1', 5],
  ['m + m', 11],
  ['m and m', 9],
  ['m unless m', 6],
  ['m or m', 10],
  ['sort(m)', 4],
  ['sort_by_label(m, "i")', 3],
  ['topk(100000, m)', 6],
  ['limitk(5, m)', 3],
  ['limit_ratio(1, m)', 7],
  ['quantile by (i) (0.5, m)', 5],
  ['sum by (i) (m + 0)', 10],
  ['count_values("v", m)', 5],
  ['label_replace(m, "j", "$1", "i", "(.*)")', 5],
  ['label_join(m, "j", "-", "i")', 5],
  ['histogram_quantile(0.5, m)', 5],
  ['rate(m[5m])', 6],
  ['quantile_over_time(2, m[5m])', 7],
  ['timestamp(m)', 5],
  ['timestamp(m + 1)', 7],
  ['scalar(m)', 2],
  ['absent(m)', 2],
  ['absent_over_time(m[5m])', 3],
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a query', () => {
  const SERIES = 520;
  const engine = engineOf(SERIES);

  it.each(QUERIES)('%s asks at each look at a series whether it is time to pause', async (query, looks) => {
    const due = vi.spyOn(Turns.prototype, 'due');
    (await ask(engine, query)).close();
    expect(due.mock.calls.length).toBeGreaterThanOrEqual(looks * SERIES);
  });

  it('asks at every 256th of the candidates at a step, once to gather and once to choose them', async () => {
    const rows = Array.from({ length: 2560 }, (_, i) => ({
      labels: Labels.none,
      values: Float64Array.of(i % 777),
      present: Uint8Array.of(1),
    }));
    const turns = new Turns();
    const due = vi.spyOn(turns, 'due');
    const chosen = await new Selection('topk', rows, turns).choose([...rows.keys()], 0, 3);
    expect(chosen.map((row) => row % 777)).toEqual([776, 776, 776]);
    expect(due.mock.calls.length).toBeGreaterThanOrEqual(20);
  });

  it('comes to the same when it pauses each time', async () => {
    const small = engineOf(5);
    const results = async (): Promise<unknown[]> => {
      const values: unknown[] = [];
      for (const [query] of QUERIES) {
        const { value, close } = await ask(small, query);
        values.push([query, value]);
        close();
      }
      return values;
    };
    const expected = await results();
    const pause = vi.spyOn(Turns.prototype, 'pause');
    vi.spyOn(Turns.prototype, 'due').mockReturnValue(true);
    expect(await results()).toEqual(expected);
    expect(pause.mock.calls.length).toBeGreaterThan(5 * QUERIES.length);
  });
});

it('a list is sorted in turns as it is at once, equal items in their order', async () => {
  const random = seeded(3);
  for (const length of [0, 1, 511, 512, 513, 1024, 2600]) {
    const items = Array.from({ length }, (_, at) => ({ key: Math.floor(random() * 40), at }));
    const due = vi.spyOn(Turns.prototype, 'due');
    const sorted = await sortInTurns(items, (a, b) => a.key - b.key, new Turns());
    expect(sorted).toEqual(items.toSorted((a, b) => a.key - b.key));
    expect(due.mock.calls.length).toBeGreaterThanOrEqual(length > 512 ? length : 0);
    due.mockRestore();
  }
});

it('a form is read in turns', async () => {
  const due = vi.spyOn(Turns.prototype, 'due');
  const form = Array.from({ length: 5000 }, (_, i) => `p${i % 4000}=%41+${i}`).join('&');
  const values = await parseForm(Buffer.from(form), new Turns());
  expect([values.size, values.get('p7')]).toEqual([4000, ['A 7', 'A 4007']]);
  expect(due.mock.calls.length).toBeGreaterThanOrEqual(5000);
});

describe('a long answer', () => {
  const LEAST_PIECE = 64 << 10;
  const GREATEST_PIECE = 128 << 10;

  /** Its bytes, and the turns that it was made in. */
  async function read(pieces: AsyncIterable<Uint8Array>): Promise<{ bytes: number; turns: number }> {
    const worked = vi.spyOn(Patience.prototype, 'worked');
    let bytes = 0;
    for await (const piece of pieces) bytes += piece.length;
    // Each turn has itself counted, and the job that begins the next one.
    return { bytes, turns: worked.mock.calls.length / 2 };
  }

  /** Rows in runs of 1000, of values that do not repeat. */
  function table(rows: number): Table {
    async function* runs(): AsyncGenerator<Run> {
      const random = seeded(11);
      for (let at = 0; at < rows; at += 1000) {
        const values = Float64Array.from({ length: 1000 }, random);
        yield { query: 0, texts: Int32Array.of(0), values, times: { start: at, step: 1 } };
      }
    }
    return { hasQueries: false, columns: [{ name: 'l', texts: ['x'] }], notes: new Map(), runs: runs() };
  }

  it('as a list is made in as many turns as it has pieces', async () => {
    const items = Array.from({ length: 40_000 }, (_, i) => `value number ${i}`);
    const { bytes, turns } = await read(printList(items, 0, JSON.stringify));
    expect(turns).toBeGreaterThanOrEqual(Math.floor(bytes / GREATEST_PIECE));
  });

  it('of one series of raw samples too', async () => {
    const times = Array.from({ length: 40_000 }, (_, i) => i * 1000);
    const source = new MemorySource([{ labels: { __name__: 'm' }, t: times, v: times.map(String) }]);
    const signal = new AbortController().signal;
    const query = { query: 'm[1y]', start: 4e7, end: 4e7, step: 0, signal };
    const result = await new Engine(source, limits).execute(query);
    const printer = new SamplePrinter(coreModule());
    const { bytes, turns } = await read(printResult(result, printer, { limit: 0, statistics: false, warnings: [] }));
    expect(bytes).toBeGreaterThan(5 * GREATEST_PIECE);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(bytes / GREATEST_PIECE) - 1);
  });

  it('in columns asks twice for each series before it begins, and for each that is written', async () => {
    const series = 100;
    const range = { start: NOW, end: NOW + 60_000, step: 60_000, signal: new AbortController().signal };
    const result = await engineOf(series).execute({ query: 'm', ...range });
    const due = vi.spyOn(Turns.prototype, 'due');
    const made = await resultTable(result, 0);
    expect(made.columns).toHaveLength(3);
    expect(due.mock.calls.length).toBeGreaterThanOrEqual(2 * series);
    due.mockClear();
    let rows = 0;
    for await (const run of made.runs) rows += run.values.length;
    expect(rows).toBe(2 * series);
    expect(due.mock.calls.length).toBeGreaterThanOrEqual(series);
  });

  it('as CSV has a turn a piece, and makes pauses for writes', async () => {
    const { bytes, turns } = await read(csvText(table(15_000)));
    expect(turns).toBeGreaterThanOrEqual(Math.floor(bytes / (LEAST_PIECE + 16_384)));
  });

  it('as an Arrow stream has a turn for each 64 Ki rows', async () => {
    const { turns } = await read(arrowStream(table(200_000)));
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('as Parquet has a turn for each 64 Ki rows, and makes pauses for writes', async () => {
    vi.spyOn(Turns.prototype, 'due').mockReturnValue(false);
    const { turns } = await read(await parquetOf(table(140_000)));
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
