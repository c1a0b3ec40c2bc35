/**
 * A minute of a real Telegraf (test/data/real, recorded), sent as its outputs influxdb and influxdb_v2 send it, and over NATS:
 * each of its numbers comes back. The configurations of docs/telegraf.md are the ones that this is done with.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ask, figure, query } from '../support/client.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const text = gunzipSync(readFileSync(join(import.meta.dirname, '../data/real/telegraf.lp.gz'))).toString();
const page = readFileSync(join(import.meta.dirname, '../../docs/telegraf.md'), 'utf8');
const INTERVAL = 5;

interface Expected {
  metric: string;
  type: string;
  id: string;
  /** The last value of each time, unix seconds. */
  values: Map<number, number>;
}

/** What the recorded lines say, by a parser that knows nothing of the server. */
function expectedSeries(): Map<string, Expected> {
  const all = new Map<string, Expected>();
  for (const line of text.trimEnd().split('\n')) {
    const [, measurement = '', tags = '', fields = '', time = ''] =
      /^([^, ]+)((?:,[^ ]+)?) (.+) (\d+)$/.exec(line) ?? [];
    const tag = new Map(tags.split(',').map((each) => each.split('=', 2) as [string, string]));
    expect(tag.get('host')).toBe('tnode01');
    let [type, id] = ['', ''];
    const cpu = tag.get('cpu');
    if (cpu !== undefined && cpu !== 'cpu-total') [type, id] = ['hwthread', cpu.replace('cpu', '')];
    for (const name of ['interface', 'name', 'path']) {
      const value = tag.get(name);
      if (value !== undefined) [type, id] = [name, value.replaceAll('/', '%2F')];
    }
    for (const [, field = '', value = ''] of fields.matchAll(/([^=,]+)=("[^"]*"|[^,]+)/g)) {
      if (value.startsWith('"')) continue;
      const metric = `${measurement}_${field}`;
      const key = [metric, type, id].join(' ');
      const series = all.get(key) ?? { metric, type, id, values: new Map() };
      series.values.set(Number(time.slice(0, 10)), Number(value.replace(/i$/, '')));
      all.set(key, series);
    }
  }
  return all;
}

const expected = [...expectedSeries().values()];
const metrics = Object.fromEntries(expected.map(({ metric }) => [metric, { frequency: INTERVAL, aggregation: 'sum' }]));
// The record's times are old by now.
const store = { 'retention-in-memory': '500000h', 'memory-cap': 0, 'num-workers': 2 };

async function expectAll(port: number, cluster: string): Promise<void> {
  const times = expected.flatMap(({ values }) => [...values.keys()]);
  const [from, to] = [Math.min(...times), Math.max(...times) + INTERVAL];
  const queries = expected.map(({ metric, type, id }) => ({
    metric,
    host: 'tnode01',
    ...(type && { type, 'type-ids': [id] }),
    aggreg: false,
  }));
  const { results } = await query(port, { cluster, from, to, queries, 'with-padding': false });
  let numbers = 0;
  expected.forEach(({ metric, type, id, values }, i) => {
    const answer = results[i]?.[0];
    const name = `${metric} ${type} ${id}`;
    expect([name, answer?.resolution]).toEqual([name, INTERVAL]);
    for (const [time, value] of values) {
      const got = answer?.data?.[Math.round((time - (answer?.from ?? 0)) / INTERVAL)];
      expect(typeof got, `${name} at ${time}`).toBe('number');
      // Answers have three decimals.
      expect(Math.abs((got ?? 0) - value), `${name} at ${time}: ${got}`).toBeLessThanOrEqual(0.000501);
      numbers++;
    }
  });
  // Two lines of the record say the same of one disk at the same time.
  expect(numbers).toBeGreaterThan(1700);
}

/** Values of keys in the page's block of an output. */
function output(name: string): Record<string, string> {
  const block = new RegExp(`\\[\\[outputs\\.${name}\\]\\]\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '';
  return Object.fromEntries(
    [...block.matchAll(/^ *(\w+) = \[?"([^"]*)"\]?/gm)].map(([, key = '', value = '']) => [key, value]),
  );
}

describe('a real Telegraf', () => {
  it('writes with its output influxdb, which creates its database first', async () => {
    const server = await startServer({ metrics, 'metric-store': store });
    const { database = '', urls } = output('influxdb');
    expect([database, urls]).toEqual(['alex', 'http://localhost:8082']);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const create = new URLSearchParams({ q: `CREATE DATABASE "${database}"` }).toString();
    const created = await ask(server.port, '/query', { body: create, headers: form });
    expect([created.status, JSON.parse(created.body)]).toEqual([200, { results: [{ statement_id: 0 }] }]);
    const headers = { 'content-encoding': 'gzip', 'content-type': 'text/plain; charset=utf-8' };
    const written = await ask(server.port, `/write?db=${database}`, { body: gzipSync(text), headers });
    expect([written.status, written.body]).toEqual([204, '']);
    await expectAll(server.port, database);
    const shown = await ask(server.port, '/query?q=SHOW%20DATABASES');
    expect(JSON.parse(shown.body)).toEqual({
      results: [{ statement_id: 0, series: [{ name: 'databases', columns: ['name'], values: [[database]] }] }],
    });
    expect(await figure(server.port, 'ccms_fields_left_out_total')).toBe(0);
    expect(await figure(server.port, 'ccms_lines_skipped_total')).toBe(13);
    await server.stop();
  });

  it('writes with its output influxdb_v2, in bodies of some lines', async () => {
    const server = await startServer({ metrics, 'metric-store': store });
    const { bucket = '', organization = '' } = output('influxdb_v2');
    const lines = text.trimEnd().split('\n');
    for (let at = 0; at < lines.length; at += 50) {
      const path = `/api/v2/write?bucket=${bucket}&org=${organization}&precision=ns`;
      const body = `${lines.slice(at, at + 50).join('\n')}\n`;
      expect((await ask(server.port, path, { body })).status).toBe(204);
    }
    await expectAll(server.port, bucket);
    // What has been logged is read again as it was.
    const again = await server.restart('SIGKILL');
    await expectAll(again.port, bucket);
    await again.stop();
  });

  it('writes over NATS and /api/write where they are asked to take all fields', async () => {
    const nats = new NatsServer();
    await nats.start();
    const subscriptions = [{ 'subscribe-to': 'telegraf', 'cluster-tag': 'alex', fields: 'all' }];
    const server = await startServer({
      metrics,
      'metric-store': { ...store, 'nats-subscriptions': subscriptions },
      nats: { address: nats.url },
    });
    await until(
      async () => (await figure(server.port, 'ccms_nats_connected')) === 1,
      () => server.log(),
    );
    await publishRaw(nats.port, 'telegraf', text.trimEnd().split('\n'));
    await until(
      async () => (await figure(server.port, 'ccms_samples_stored_total')) === 1967,
      () => server.log(),
    );
    await expectAll(server.port, 'alex');
    expect((await ask(server.port, '/api/write?cluster=own&fields=all', { body: text })).status).toBe(200);
    await expectAll(server.port, 'own');
    const wrong = await ask(server.port, '/api/write?fields=some', { body: text });
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringContaining('fields: expected value or all')]);
    await server.stop();
    await nats.stop();
  });

  it('is told which tag has no rule, and which statements are known', async () => {
    const server = await startServer({ metrics, 'metric-store': store, influx: { tags: { rack: null } } });
    const good = 'mem,host=h,rack=1 used=1i';
    const answer = await ask(server.port, '/write?db=alex', { body: `${good}\nmem,host=h,room=1 used=1i\n${good}` });
    expect([answer.status, JSON.parse(answer.body).error]).toEqual([
      400,
      'partial write: 1 line refused: line 2: tag "room": unknown tag: expected a rule for it in influx.tags of the ' +
        'configuration, or null there to ignore it',
    ]);
    expect(await figure(server.port, 'ccms_samples_stored_total')).toBe(2);
    for (const [q, status] of [
      ['create database x with duration 1d; show databases', 200],
      ['SELECT * FROM mem', 400],
      ['', 400],
    ] as const) {
      const { status: got, body } = await ask(server.port, `/query?q=${encodeURIComponent(q)}`, { method: 'POST' });
      expect([q, got, Object.keys(JSON.parse(body) as object)]).toEqual([
        q,
        status,
        [status === 200 ? 'results' : 'error'],
      ]);
    }
    await server.stop();
  });
});
