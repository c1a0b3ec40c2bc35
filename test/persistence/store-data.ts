/** Samples for tests of real processes: posted to a server, and looked for in what it leaves on disk. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ask } from '../support/client.js';
import { type Finished, finished, startProcess } from '../support/processes.js';

import { seeded } from '../support/random.js';

/** cluster/host/level/metric/time → value. */
export type Rows = Map<string, number>;

export const METRICS = {
  load: { frequency: 1, aggregation: 'avg' },
  power: { frequency: 10, aggregation: 'sum' },
  flops: { frequency: 1, aggregation: 'sum' },
} as const;

export function storeConfig(change: Record<string, unknown> = {}, metrics: object = METRICS): object {
  return {
    main: {},
    metrics,
    'metric-store': {
      checkpoints: { directory: './var/checkpoints' },
      'memory-cap': 1,
      'retention-in-memory': '1h',
      'num-workers': 1,
      ...change,
    },
  };
}

/** Adds samples of two clusters at [from, to), and returns them as lines. Values are full doubles, some awkward. */
export function makeSamples(rows: Rows, from: number, to: number, seed: number, hosts = 3): string {
  const random = seeded(seed);
  const lines: string[] = [];
  const put = (cluster: string, host: string, level: string, metric: string, time: number, value: number) => {
    const [, type, id] = /^([a-z]+)(\d+)$/i.exec(level) ?? [];
    const tags = type ? `type=${type},type-id=${id}` : 'type=node';
    rows.set([cluster, host, level, metric, time].join('/'), value);
    lines.push(`${metric},cluster=${cluster},hostname=${host},${tags} value=${value} ${time}`);
  };
  const awkward = [0, 1e-300, 1.7976931348623157e308, 5e-324, -1e21, 0.1];
  for (let time = Math.ceil(from); time < to; time++) {
    for (let h = 0; h < hosts; h++) {
      const cluster = h % 2 ? 'beta' : 'alpha';
      if (random() < 0.05) continue;
      put(cluster, `h${h}`, '', 'load', time, awkward[Math.floor(random() * 60)] ?? random() * 1000);
      put(cluster, `h${h}`, 'hwthread7', 'flops', time, Math.round(random() * 1e6) / 1000);
      if (time % 10 === 0) put(cluster, `h${h}`, 'socket0', 'power', time, Math.round(random() * 300));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Posts lines; rejects if they are not all stored. */
export async function post(port: number, lines: string): Promise<void> {
  const { status, body } = await ask(port, '/api/write', { body: lines });
  if (status !== 200) throw new Error(`${status}: ${body}`);
}

/** What DuckDB reads from all archives below a directory; throws when a sample is there twice. */
export async function archivedRows(directory: string): Promise<Rows> {
  const rows: Rows = new Map();
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  for (const path of archives(directory)) {
    const reader = await connection.runAndReadAll(
      `select cluster, hostname, scope, scope_id, metric, "timestamp"::double as t, value from read_parquet('${path}')`,
    );
    for (const { cluster, hostname, scope, scope_id, metric, t, value } of reader.getRowObjects()) {
      const level = scope === 'node' ? '' : `${scope}${scope_id}`;
      const key = [cluster, hostname, level, metric, t].join('/');
      if (rows.has(key)) throw new Error(`${key} is archived twice`);
      rows.set(key, value as number);
    }
  }
  connection.closeSync();
  return rows;
}

export function archives(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(directory, name))
    .sort();
}

/** Rows whose time lies in [from, to). */
export function between(rows: Rows, from: number, to: number): Rows {
  return new Map(
    [...rows].filter(([key]) => {
      const time = Number(key.slice(key.lastIndexOf('/') + 1));
      return time >= from && time < to;
    }),
  );
}

export interface RunOptions {
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds after which it is killed; undefined: it may run to its end. */
  killAfter?: number | undefined;
}

/** Runs `dist/<script>`. */
export function run(
  script: string,
  args: string[],
  cwd: string,
  { env, killAfter }: RunOptions = {},
): Promise<Finished> {
  const path = resolve(import.meta.dirname, '../../dist', script);
  const program = startProcess(process.execPath, [path, ...args], { cwd, ...(env && { env }) });
  if (killAfter !== undefined) setTimeout(() => program.stop('SIGKILL'), killAfter);
  return finished(program);
}

/** Everything that a server serves of the metrics, bit for bit: answers are rounded, so values are asked for scaled. */
export async function serves(port: number, rows: Rows): Promise<string[]> {
  const wrong: string[] = [];
  const series = new Map<string, Map<number, number>>();
  for (const [key, value] of rows) {
    const at = key.lastIndexOf('/');
    const of = series.get(key.slice(0, at)) ?? new Map<number, number>();
    series.set(key.slice(0, at), of.set(Number(key.slice(at + 1)), value));
  }
  for (const [name, samples] of series) {
    const [cluster, host, level = '', metric = ''] = name.split('/');
    const [, type, id] = /^([a-z]+)(\d+)$/i.exec(level) ?? [];
    const frequency = METRICS[metric as keyof typeof METRICS].frequency;
    const times = [...samples.keys()].sort((a, b) => a - b);
    const from = times[0] ?? 0;
    const body = JSON.stringify({
      cluster,
      from,
      to: (times.at(-1) ?? 0) + frequency,
      queries: [{ metric, host, ...(type && { type, 'type-ids': [id] }) }],
    });
    const answer = await ask(port, '/api/query', { method: 'GET', body });
    const entry = (JSON.parse(answer.body) as { results: { data: (number | null)[]; from: number }[][] })
      .results[0]?.[0];
    for (const [time, value] of samples) {
      const got = entry?.data[Math.floor((time - from + Math.floor(frequency / 2)) / frequency)];
      const close = typeof got === 'number' && Math.abs(got - value) <= 0.00051 + Math.abs(value) * 1e-15;
      if (!close) wrong.push(`${name}/${time}: ${got} instead of ${value}`);
    }
  }
  return wrong.slice(0, 10);
}
