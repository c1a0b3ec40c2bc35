/** The queries of docs/promql.md, of the dashboards and of the rules find something on a cluster that sends what they ask for. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');

/** Samples end here: the hour before, one of the day before, and a node that fell silent half an hour ago. */
const END = Math.floor(Date.now() / 60_000) * 60;
const MINUTES = 60;
const DAY = 86_400;
const SILENT = 'a0604';

const sum = ['flops_any', 'mem_bw', 'cpu_power', 'acc_power'];
const other = ['cpu_load', 'cpu_user', 'mem_used', 'mem_total', 'net_bytes_in', 'net_bw', 'ipc', 'acc_utilization'];

function lines(): string {
  let text = '';
  const add = (metric: string, tags: string, value: number, time: number) => {
    text += `${metric},cluster=alex,${tags} value=${value} ${time}\n`;
  };
  for (const [number, host] of ['a0601', 'a0602', 'a0603', SILENT].entries()) {
    for (const end of [END - DAY, END]) {
      for (let minute = 0; minute < MINUTES; minute++) {
        if (host === SILENT && minute > 30) continue;
        const time = end - (MINUTES - 1 - minute) * 60;
        const node = `hostname=${host},type=node`;
        add('cpu_load', node, 3 + number * 10 + (minute % 3), time);
        add('mem_used', node, 200 + 18 * number, time);
        add('mem_total', node, 256, time);
        add('net_bytes_in', node, minute * 6000 * (number + 1), time);
        add('net_bw', node, 100 * number, time);
        for (const socket of [0, 1]) {
          const tags = `hostname=${host},type=socket,type-id=${socket}`;
          add('mem_bw', tags, 80 + socket, time);
          add('cpu_power', tags, 180 + number, time);
        }
        for (const gpu of [0, 1]) {
          const tags = `hostname=${host},type=accelerator,type-id=00000000:4${gpu}:00.0`;
          add('acc_utilization', tags, 2 + number + gpu, time);
          add('acc_power', tags, 250, time);
        }
        for (const thread of [0, 1, 2, 3]) {
          const tags = `hostname=${host},type=hwthread,type-id=${thread}`;
          add('flops_any', tags, 1e9 * (thread + 1), time);
          add('ipc', tags, 1 + thread / 4, time);
          add('cpu_user', tags, 90, time);
        }
      }
    }
  }
  return text;
}

let server: ServerProcess;

beforeAll(async () => {
  const metrics = [...sum.map((name) => [name, 'sum']), ...other.map((name) => [name, 'avg'])];
  server = await startServer({
    metrics: Object.fromEntries(metrics.map(([name, aggregation]) => [name, { frequency: 60, aggregation }])),
    'metric-store': { 'retention-in-memory': '72h', 'memory-cap': 1, 'num-workers': 2 },
  });
  expect((await ask(server.port, '/api/write', { body: lines() })).status).toBe(200);
});
afterAll(() => server.stop());

interface Found {
  metric: Record<string, string>;
  value: [number, string];
}

async function instant(query: string): Promise<Found[]> {
  const answer = await ask(server.port, `/api/v1/query?${new URLSearchParams({ query, time: String(END) })}`);
  expect(answer.status, `${query}: ${answer.body}`).toBe(200);
  return (JSON.parse(answer.body) as { data: { result: Found[] } }).data.result;
}

describe('docs/promql.md', () => {
  const queries = [...read('docs/promql.md').matchAll(/```promql\n(.*?)\n```/gs)].map(([, query]) => query ?? '');

  it('has at least ten questions', () => expect(queries.length).toBeGreaterThanOrEqual(10));
  for (const query of queries) {
    it(`finds something: ${query}`, async () => expect(await instant(query)).not.toEqual([]));
  }

  it('says which node fell silent, and what a machine needs', async () => {
    expect(await instant(queries[0] ?? '')).toMatchObject([{ metric: { cluster: 'alex', hostname: SILENT } }]);
    expect(await instant(queries[1] ?? '')).toMatchObject([{ metric: { hostname: SILENT }, value: [END, '1740'] }]);
    expect(await instant(queries[2] ?? '')).toMatchObject([{ value: [END, '1.086'] }]);
    expect(await instant(queries[4] ?? '')).toMatchObject([{ value: [END, '161'] }, { value: [END, '161'] }]);
    expect(await instant(queries[9] ?? '')).toMatchObject([{ value: [END, '1'] }]);
  });
});

interface Dashboard {
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  panels: { title: string; targets?: { expr: string }[]; gridPos: { x: number; y: number; w: number; h: number } }[];
}

/** A query with the values that the dashboard's variables have. */
const used = (query: string) => query.replaceAll('$cluster', 'alex').replaceAll('$hostname', '(a0601|a0602)');

describe.each(['grafana-cluster', 'grafana-node'])('configs/%s.json', (name) => {
  const { panels, templating } = JSON.parse(read(`configs/${name}.json`)) as Dashboard;
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));

  it.each(queries)('%s finds something: %s', async (_, expr) => {
    expect(await instant(used(expr))).not.toEqual([]);
  });

  const variables = templating.list.flatMap(({ name: variable, query }) =>
    typeof query === 'string' ? [] : [[variable, query.query] as const],
  );

  it.each(variables)('the variable %s has values: %s', async (variable, query) => {
    // As Grafana asks for them.
    const [, selector, label] = /^label_values\((?:(.*), )?(\w+)\)$/.exec(query) ?? [];
    const match = selector === undefined ? '' : `?${new URLSearchParams({ 'match[]': used(selector) })}`;
    const answer = await ask(server.port, `/api/v1/label/${label}/values${match}`);
    const values = { cluster: ['alex'], hostname: ['a0601', 'a0602', 'a0603', SILENT] };
    expect(JSON.parse(answer.body)).toEqual({ status: 'success', data: values[variable as keyof typeof values] });
  });

  it('lays its panels out without overlaps', () => {
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          expect(x).toBeLessThan(24);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});

describe('configs/grafana-datasource.yml', () => {
  it('asks with POST, and knows the slowest frequency: without it rates are empty', () => {
    const text = read('configs/grafana-datasource.yml');
    const { metrics } = JSON.parse(read('configs/config.json')) as { metrics: Record<string, { frequency: number }> };
    const slowest = Math.max(...Object.values(metrics).map(({ frequency }) => frequency));
    expect(/^ {6}httpMethod: (.*)$/m.exec(text)?.[1]).toBe('POST');
    expect(/^ {6}timeInterval: (.*)$/m.exec(text)?.[1]).toBe(`${slowest}s`);
  });
});

describe('configs/metric-rules.yml', () => {
  it('is what promtool takes, and its expressions are answered', async () => {
    const run = spawnSync('promtool', ['check', 'rules', resolve('configs/metric-rules.yml')], { encoding: 'utf8' });
    expect(`${run.status}\n${run.stdout}${run.stderr}`).toMatch(/^0\n/);
    const expressions = [...read('configs/metric-rules.yml').matchAll(/expr: (?:>\n((?: {10,}.*\n)+)|(.*))/g)].map(
      ([, folded = '', plain = '']) => folded.replaceAll('\n', ' ') || plain,
    );
    expect(expressions).toHaveLength(5);
    for (const expression of expressions) await instant(expression);
    expect(await instant(expressions[0] ?? '')).toHaveLength(1);
    expect(await instant((expressions[1] ?? '').replace('0.95', '0.9'))).toHaveLength(1);
  });
});
