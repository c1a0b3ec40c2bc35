import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Engine, type QueryOptions, type QueryResult } from '../../src/promql/engine.js';
import type { Labels } from '../../src/promql/evaluate/labels.js';
import { isPresent, timeAt } from '../../src/promql/evaluate/rows.js';
import { MemorySource, type RecordedSeries, readValue } from './memory-source.js';

interface Answer {
  type?: string;
  result?: unknown;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

interface Case {
  query: string;
  start: number;
  end: number;
  step: number;
  expect: Answer;
}

const recorded: { series: RecordedSeries[]; groups: Record<string, Case[]> } = JSON.parse(
  readFileSync(new URL('../data/promql/evaluate.json', import.meta.url), 'utf8'),
);
const limits = {
  lookback: 300_000,
  lookbackAdapts: true,
  timeout: 600_000,
  maxSamples: 50_000_000,
  maxMemory: 256 * 2 ** 20,
};
const source = new MemorySource(recorded.series);

type Options = Omit<QueryOptions, 'signal'> & { signal?: AbortSignal };

async function run(engine: Engine, options: Options): Promise<QueryResult> {
  return engine.execute({ signal: new AbortController().signal, ...options });
}

/** A number that equals another one to the last digits that different libraries of mathematics may differ in. */
function about(value: number): unknown {
  if (!Number.isFinite(value) || value === 0) return value;
  return expect.toSatisfy(
    (other: unknown) => typeof other === 'number' && Math.abs(other - value) <= 1e-12 * Math.abs(value),
    `${value}`,
  );
}

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

function metricOf(labels: Labels): Record<string, string> {
  return Object.fromEntries(labels.entries());
}

function byMetric<T extends { metric: Record<string, string> }>(series: T[], ordered: boolean): T[] {
  const key = ({ metric }: T) => JSON.stringify(Object.entries(metric).sort());
  return ordered ? series : [...series].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The recorded answer with values that are compared as numbers. */
function expected({ expect: answer, query }: Case): unknown {
  if (answer.error !== undefined) return { error: answer.error };
  const { type, warnings = [], infos = [] } = answer;
  const said = { warnings: warnings.sort(), infos: infos.sort() };
  if (type === 'string') return { type, result: answer.result, ...said };
  if (type === 'scalar') {
    const [time, value] = answer.result as [number, string];
    return { type, result: [time, about(readValue(value))], ...said };
  }
  const series = (answer.result as Series[]).map(({ metric, value, values }) => ({
    metric,
    samples: (value === undefined ? (values ?? []) : [value]).map(([time, text]) => [time, about(readValue(text))]),
  }));
  return { type, result: byMetric(series, isOrdered(query)), ...said };
}

function isOrdered(query: string): boolean {
  return /^(?:sort|topk|bottomk)/.test(query);
}

async function answered(engine: Engine, one: Case): Promise<unknown> {
  let result: QueryResult;
  try {
    result = await run(engine, one);
  } catch (error) {
    return { error: (error as Error).message };
  }
  const { value, warnings, infos } = result;
  const said = { warnings: [...warnings].sort(), infos: [...infos].sort() };
  result.close();
  if (value.type === 'scalar' || value.type === 'string') {
    return { type: value.type, result: [value.time, value.value], ...said };
  }
  if (value.type === 'vector') {
    const series = value.rows.map((row) => ({ metric: metricOf(row.labels), samples: [[value.time, row.values[0]]] }));
    return { type: 'vector', result: byMetric(series, isOrdered(one.query)), ...said };
  }
  const series =
    value.type === 'samples'
      ? value.series.map(({ labels, times, values }) => ({
          metric: metricOf(labels),
          samples: Array.from(times, (time, index) => [time, values[index]]),
        }))
      : value.rows.map((row) => ({
          metric: metricOf(row.labels),
          samples: Array.from(row.values, (number, step) => [timeAt(value.grid, step), number]).filter((_, step) =>
            isPresent(row.present, step),
          ),
        }));
  return { type: 'matrix', result: byMetric(series, isOrdered(one.query)), ...said };
}

for (const [group, cases] of Object.entries(recorded.groups)) {
  describe(`PromQL: ${group}`, () => {
    it.each(cases.map((one) => [one.query, one.step === 0 ? 'at' : 'from', one.start / 1000, one] as const))(
      '%s %s %s',
      async (_query, _kind, _time, one) => {
        const engine = new Engine(source, limits);
        expect(await answered(engine, one)).toEqual(expected(one));
        expect(engine.memoryInUse).toBe(0);
      },
    );
  });
}

describe('look-back', () => {
  const tenMinutes: RecordedSeries = { labels: { __name__: 'slow' }, t: [0, 600_000], v: ['1', '2'] };
  const at = (time: number, lookback?: number) => ({ query: 'slow', start: time, end: time, step: 0, lookback });

  async function found(time: number, lookback?: number): Promise<number> {
    const { value, close } = await run(new Engine(new MemorySource([tenMinutes], 600_000), limits), at(time, lookback));
    close();
    return value.type === 'vector' ? value.rows.length : -1;
  }

  it('goes two frequencies back where a metric is slower than it is long', async () => {
    expect(await found(599_000)).toBe(1);
    expect(await found(1_799_999)).toBe(1);
    expect(await found(1_800_000)).toBe(0);
  });

  it('is as long as was configured, if it was', async () => {
    const engine = new Engine(new MemorySource([tenMinutes], 600_000), { ...limits, lookbackAdapts: false });
    const { value, close } = await run(engine, at(300_000));
    close();
    expect(value).toMatchObject({ type: 'vector', rows: [] });
  });

  it('is as long as the query says', async () => {
    expect(await found(300_000, 300_000)).toBe(0);
    expect(await found(299_999, 300_000)).toBe(1);
    expect(await found(599_999, 600_000)).toBe(1);
  });
});

describe('limits of a query', () => {
  const tooMany = 'query processing would load too many samples into memory in query execution';
  const hour = { start: 0, end: 3_600_000, step: 1000 };

  it('refuses rows for which there is no memory before it makes them', async () => {
    const engine = new Engine(source, { ...limits, maxMemory: 100_000 });
    await expect(run(engine, { query: 'flops_any', ...hour })).rejects.toThrow(tooMany);
    expect(engine.memoryInUse).toBe(0);
  });

  it.each([
    // Rows, results and up to three rows of state; rows and a result; times and values of one row beside them; all of them.
    ['avg without (x) (abs(cpu_load))', hour, 5],
    ['max_over_time(cpu_load[1h:1s])', { ...hour, start: hour.end, step: 0 }, 1.5],
    ['cpu_load[1h:1s]', { ...hour, start: hour.end, step: 0 }, 3],
  ])('counts what %s has to make beside the rows of its selector', async (query, times, factor) => {
    const engine = new Engine(source, limits);
    const { statistics, close } = await run(engine, { query, ...times });
    close();
    const all = recorded.series.filter(({ labels }) => labels.__name__ === 'cpu_load').length * 3600;
    expect(statistics.peakSamples).toBeGreaterThanOrEqual(factor * all);
    expect(engine.memoryInUse).toBe(0);
  });

  it('refuses a subquery of too many steps', async () => {
    const query = 'sum_over_time(vector(1)[100y:1ms])';
    await expect(run(new Engine(source, limits), { query, start: 0, end: 0, step: 0 })).rejects.toThrow(
      /subquery has \d+ steps, expected at most 1000000/,
    );
  });

  it('gives up at its deadline', async () => {
    const query = 'max_over_time((cpu_load + cpu_load)[1h:10ms])';
    const options = { query, start: 3_600_000, end: 3_600_000, step: 0, timeout: 1 };
    const engine = new Engine(source, limits);
    await expect(run(engine, options)).rejects.toThrow('query timed out in expression evaluation');
    expect(engine.memoryInUse).toBe(0);
  });

  it('ends when nobody waits for the answer', async () => {
    const controller = new AbortController();
    const engine = new Engine(source, limits);
    const query = 'max_over_time((cpu_load + cpu_load)[1h:5ms])';
    const pending = run(engine, { query, start: 3_600_000, end: 3_600_000, step: 0, signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toThrow('query was canceled in expression evaluation');
    expect(engine.memoryInUse).toBe(0);
  });
});

describe('a query', () => {
  it('reads a selector that occurs twice once', async () => {
    const counted = new MemorySource(recorded.series);
    const query =
      'rate(net_bytes_total[5m]) / rate(net_bytes_total[5m]) + on(hostname) cpu_load + on(hostname) cpu_load';
    (await run(new Engine(counted, limits), { query, start: 0, end: 600_000, step: 60_000 })).close();
    expect(counted.reads).toBe(2);
  });

  it('finds type errors before it touches data', async () => {
    const counted = new MemorySource(recorded.series);
    const query = 'cpu_load or absent(rate(cpu_load))';
    await expect(run(new Engine(counted, limits), { query, start: 0, end: 0, step: 0 })).rejects.toThrow(
      '1:25: parse error',
    );
    expect(counted.reads).toBe(0);
  });
});
