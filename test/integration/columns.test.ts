/**
 * Answers in columns, read by what notebooks read them with: pyarrow, polars, pandas and DuckDB, which scripts/test-tools.sh
 * installs. All of them must see what the JSON answer says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type QueryAnswer } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { python } from '../support/python.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const READER = resolve(import.meta.dirname, 'read-columns.py');
const HOSTS = ['a0001', 'a0002', 'bü 1,'];
const THREADS = 3;
const MINUTES = 50;

const config = {
  metrics: {
    flops_any: { frequency: 60, aggregation: 'sum' },
    cpu_load: { frequency: 60, aggregation: null },
    gaps: { frequency: 60, aggregation: 'avg' },
  },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 1, 'num-workers': 2 },
};

/** Of each host flops_any of its threads, cpu_load of its own, and a metric with gaps. */
function lines(): string {
  let text = '';
  for (const [number, host] of HOSTS.entries()) {
    const tags = `cluster=alex,hostname=${host.replace(/[ ,"]/g, '\\$&')}`;
    for (let minute = 0; minute < MINUTES; minute++) {
      const time = TIME + 60 * minute;
      for (let thread = 0; thread < THREADS; thread++) {
        text += `flops_any,${tags},type=hwthread,type-id=${thread} value=${(number + 1) * minute + thread / 3} ${time}\n`;
      }
      text += `cpu_load,${tags},type=node value=${minute === 7 ? '-0' : Math.sqrt(minute * (number + 1))} ${time}\n`;
      if ((minute * 7 + number) % 5 < 3) {
        text += `gaps,${tags},type=socket,type-id=${number},stype=channel,stype-id=${number} value=${1e-9 * minute} ${time}\n`;
      }
    }
  }
  return text;
}

let server: ServerProcess;
let directory: string;

beforeAll(async () => {
  server = await startServer(config);
  directory = temporaryDirectory();
  expect((await ask(server.port, '/api/write', { body: lines() })).status).toBe(200);
});
afterAll(() => server.stop());

interface Seen {
  names: string[];
  rows: unknown[][];
}
interface Read {
  schema: Record<string, string>;
  notes: Record<string, string>;
  batches: number[];
  parquetSchema: Record<string, string>;
  groups: number;
  tables: Record<string, Seen>;
}

/** Gets a path in all three formats, and what the libraries read. */
async function read(path: string, body?: string): Promise<Read> {
  for (const format of ['arrow', 'parquet', 'csv']) {
    const answer = await ask(
      server.port,
      `${path}${path.includes('?') ? '&' : '?'}format=${format}`,
      body ? { body } : {},
    );
    expect(answer.status, answer.body).toBe(200);
    writeFileSync(join(directory, `x.${format}`), answer.bytes);
  }
  await python([READER, directory]);
  return JSON.parse(readFileSync(join(directory, 'seen.json'), 'utf8')) as Read;
}

describe('the columns of /api/query', () => {
  const from = TIME + 120;
  const to = TIME + 60 * MINUTES;
  const threads = { type: 'hwthread', 'type-ids': ['0', '1', '2'] };
  const request = {
    cluster: 'alex',
    from,
    to,
    'with-padding': false,
    queries: [
      { metric: 'flops_any', host: 'a0002', ...threads },
      { metric: 'nothing', host: 'a0001' },
      { metric: 'flops_any', host: 'a0001' },
      { metric: 'flops_any', host: 'a0001', ...threads, aggreg: true },
      { metric: 'cpu_load', host: 'nobody' },
      { metric: 'gaps', host: 'bü 1,', type: 'socket', 'type-ids': ['2'] },
    ],
    'for-all-nodes': ['cpu_load', 'gaps'],
  };

  it('are what its JSON says, unrounded, for every library', async () => {
    const seen = await read('/api/query', JSON.stringify(request));
    expect(seen.schema).toEqual({
      query: 'int32',
      ...Object.fromEntries(
        ['cluster', 'hostname', 'metric', 'type', 'type_id', 'stype', 'stype_id'].map((name) => [
          name,
          'dictionary<values=string, indices=int32, ordered=0>',
        ]),
      ),
      timestamp: 'timestamp[ms, tz=UTC]',
      value: 'double',
    });
    expect(JSON.parse(seen.notes['cc.errors'] ?? '')).toEqual([
      { query: 1, entry: 0, error: 'unknown metric: nothing' },
    ]);

    const first = seen.tables['pyarrow, Arrow'];
    const rows: unknown[][] = [];
    const grid = Array.from({ length: MINUTES - 2 }, (_, i) => i + 2);
    const at = (minute: number) => (TIME + 60 * minute) * 1000;
    for (const thread of [0, 1, 2]) {
      for (const m of grid) {
        rows.push([0, 'alex', 'a0002', 'flops_any', 'hwthread', String(thread), null, null, at(m), 2 * m + thread / 3]);
      }
    }
    const sum = (m: number) => m + (m + 1 / 3) + (m + 2 / 3);
    for (const query of [2, 3]) {
      for (const m of grid) rows.push([query, 'alex', 'a0001', 'flops_any', null, null, null, null, at(m), sum(m)]);
    }
    const gapsOf = (number: number) => grid.filter((m) => (m * 7 + number) % 5 < 3);
    const gapLevel = ['socket', '2', null, null];
    for (const m of gapsOf(2)) rows.push([5, 'alex', 'bü 1,', 'gaps', ...gapLevel, at(m), 1e-9 * m]);
    for (const [number, host] of HOSTS.entries()) {
      for (const m of grid) {
        const value = m === 7 ? -0 : Math.sqrt(m * (number + 1));
        rows.push([6, 'alex', host, 'cpu_load', 'node', null, null, null, at(m), value]);
      }
    }
    for (const [number, host] of HOSTS.entries()) {
      for (const m of gapsOf(number)) {
        rows.push([7, 'alex', host, 'gaps', null, null, null, null, at(m), 1e-9 * m]);
      }
    }
    expect(first?.rows).toEqual(rows);
    for (const [reader, table] of Object.entries(seen.tables)) {
      expect(table.names, reader).toEqual(first?.names);
      expect(numbersAsText(table.rows), reader).toEqual(numbersAsText(rows));
    }

    const json = JSON.parse(
      (await ask(server.port, '/api/query', { body: JSON.stringify(request) })).body,
    ) as QueryAnswer;
    const data = rows.filter(([query]) => query === 2).map((row) => Number((row[9] as number).toFixed(3)));
    expect(json.results[2]?.[0]?.data).toEqual(data);
    expect(json.results[2]?.[0]?.from).toBe(from);
    expect(json.results[1]?.[0]?.error).toBe('unknown metric: nothing');
  });

  it('say errors in a header where they are CSV', async () => {
    const answer = await ask(server.port, '/api/query', {
      body: JSON.stringify({ cluster: 'alex', from, to, queries: [{ metric: 'ä', host: 'a0001' }] }),
      headers: { accept: 'text/csv' },
    });
    expect(answer.headers['content-type']).toBe('text/csv');
    expect(answer.headers['x-cc-errors']).toBe('[{"query":0,"entry":0,"error":"unknown metric: \\u00e4"}]');
    expect(answer.body).toBe('query,cluster,hostname,metric,type,type_id,stype,stype_id,timestamp,value\r\n');
  });

  it('are read when they are empty', async () => {
    const seen = await read('/api/query', JSON.stringify({ cluster: 'nowhere', from, to, queries: [] }));
    for (const [reader, { rows }] of Object.entries(seen.tables)) expect(rows, reader).toEqual([]);
  });

  it('are asked for by media type as well, and refused in others', async () => {
    const body = JSON.stringify(request);
    const typeOf = async (accept: string, path = '/api/query') =>
      (await ask(server.port, path, { body, headers: { accept } })).headers['content-type'];
    expect(await typeOf('application/vnd.apache.arrow.stream')).toBe('application/vnd.apache.arrow.stream');
    expect(await typeOf('text/html, application/vnd.apache.parquet;q=0.5, application/json;q=0.4')).toBe(
      'application/vnd.apache.parquet',
    );
    expect(await typeOf('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')).toBe('application/json');
    expect(await typeOf('text/csv', '/api/query?format=json')).toBe('application/json');
    const refused = await ask(server.port, '/api/query', { body, headers: { accept: 'application/xml' } });
    expect(refused.status).toBe(406);
    expect(refused.body).toContain('Accept \\"application/xml\\": expected one of application/json');
    const range = await ask(server.port, `/api/v1/query_range?query=1&start=0&end=1&step=1&format=xml`);
    expect(range.status).toBe(406);
    expect(JSON.parse(range.body)).toEqual({
      status: 'error',
      errorType: 'not_acceptable',
      error: 'format "xml": expected one of json, arrow, parquet, csv',
    });
  });
});

describe('the columns of /api/v1/query_range', () => {
  const range = (query: string) =>
    `/api/v1/query_range?${new URLSearchParams({ query, start: String(TIME), end: String(TIME + 600), step: '60' })}`;

  it('have a column a label, and rows where there are samples', async () => {
    const seen = await read(range('label_replace(gaps{hostname="a0001"} / 0, "value", "x", "", "")'));
    const kept = Array.from({ length: 11 }, (_, m) => m).filter((m) => (m * 7) % 5 < 3);
    const labels = ['alex', 'a0001', 'channel', '0', 'socket', '0', 'x'];
    const rows = kept.map((m) => [...labels, (TIME + 60 * m) * 1000, m === 0 ? 'nan' : 'inf']);
    const names = [
      'cluster',
      'hostname',
      'stype',
      'stype_id',
      'type',
      'type_id',
      'exported_value',
      'timestamp',
      'value',
    ];
    // The look-back fills what is missing.
    const first = seen.tables['pyarrow, Arrow'];
    expect(first?.names).toEqual(names);
    expect(first?.rows.length).toBeGreaterThanOrEqual(rows.length);
    expect(first?.rows[0]).toEqual(rows[0]);
    for (const [reader, table] of Object.entries(seen.tables)) {
      expect(table.names, reader).toEqual(names);
      expect(numbersAsText(table.rows), reader).toEqual(numbersAsText(first?.rows ?? []));
    }
  });

  it('have warnings and infos as notes', async () => {
    const seen = await read(range('rate(cpu_load{hostname="a0001"}[5m])'));
    expect(seen.notes['cc.infos']).toContain('metric might not be a counter');
    const answer = await ask(server.port, `${range('rate(cpu_load[5m])')}&format=csv`);
    expect(answer.headers['x-cc-infos']).toContain('metric might not be a counter');
  });
});

/** Ids are numbers for who reads CSV without types. */
function numbersAsText(rows: unknown[][]): unknown[][] {
  return rows.map((row) => row.map((value, at) => (value === null || at === row.length - 1 ? value : String(value))));
}
