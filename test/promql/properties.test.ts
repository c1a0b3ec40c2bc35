/** What holds of any query: the same bits again, nearly the same with other partitions, and the samples that /api/query has. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type QueryAnswer } from '../support/client.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { type ApiAnswer, difference } from './beside/compare.js';
import { generateQueries } from './beside/generate.js';
import { asLineProtocol, frequencies, makeSeries } from './beside/samples.js';

const HOUR = 3600;
const start = Math.floor(Date.now() / 1000 / 7200) * 7200 - 6 * HOUR;
const series = makeSeries(start);
const metrics = Object.fromEntries(
  Object.entries(frequencies).map(([name, frequency]) => [name, { frequency, aggregation: null }]),
);

const storeOf = (workers: number) => ({
  'retention-in-memory': '48h',
  'memory-cap': workers === 0 ? 14 : 0,
  'num-workers': workers,
});

/** With 0, 1 and 2 workers; the last has as many partitions. */
let servers: ServerProcess[];

beforeAll(async () => {
  servers = await Promise.all([0, 1, 2].map((workers) => startServer({ metrics, 'metric-store': storeOf(workers) })));
  const body = asLineProtocol(series);
  for (const { port } of servers) expect((await ask(port, '/api/write', { body })).status).toBe(200);
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

async function texts(path: string): Promise<string[]> {
  return Promise.all(servers.map(async ({ port }) => (await ask(port, path)).body));
}

const random = seeded(4);
const paths = generateQueries(120, 912).map((query, number) => {
  const time = start + 5 * Math.floor((random() * 3 * HOUR) / 5);
  if (number % 2 === 0) return `/api/v1/query?${new URLSearchParams({ query, time: String(time) })}`;
  const end = String(time + 1800);
  return `/api/v1/query_range?${new URLSearchParams({ query, start: String(time), end, step: '75' })}`;
});

describe('any query', () => {
  it('has the same bits when it is asked again', async () => {
    for (const path of paths) expect(await texts(path), path).toEqual(await texts(path));
  });

  it('has the same answer to 1e-12, however many partitions there are', async () => {
    const different: string[] = [];
    for (const path of paths) {
      const [first, ...others] = (await texts(path)).map((text) => JSON.parse(text) as ApiAnswer);
      if (first === undefined) continue;
      for (const other of others) {
        const what = difference(other, first, false, 1e-12);
        if (what !== undefined) different.push(`${decodeURIComponent(path)}: ${what}`);
      }
    }
    expect(different).toEqual([]);
  });
});

describe('a server that was restarted', () => {
  it('gives the same bits from a checkpoint and a log as one that ran on', async () => {
    const [, , running] = servers;
    if (running === undefined) throw new Error('no server with two workers');
    const half = start + 1.5 * HOUR;
    const part = (isKept: (time: number) => boolean) =>
      asLineProtocol(series.map((one) => ({ ...one, samples: one.samples.filter(([time]) => isKept(time)) })));
    const write = async (server: ServerProcess, body: string) =>
      expect((await ask(server.port, '/api/write', { body })).status).toBe(200);

    let restarted = await startServer({ metrics, 'metric-store': storeOf(2) });
    await write(
      restarted,
      part((time) => time < half),
    );
    // The stop leaves a checkpoint of the first half, the kill a log of the second.
    restarted = await restarted.restart();
    await write(
      restarted,
      part((time) => time >= half),
    );
    restarted = await restarted.restart('SIGKILL');
    for (const path of paths) {
      const [found, expected] = await Promise.all([restarted, running].map(({ port }) => ask(port, path)));
      expect(found?.body, path).toBe(expected?.body);
    }
    await restarted.stop();
  });
});

describe('a selector', () => {
  it('has the samples that /api/query has', async () => {
    const own = series.filter(({ type }) => type === 'node');
    expect(own.length).toBeGreaterThan(10);
    for (const { metric, cluster, hostname, samples } of own) {
      const to = start + 3 * HOUR;
      const query = `${metric}{cluster="${cluster}",hostname="${hostname}"}[4h]`;
      const queries = [{ metric, host: hostname }];
      const body = JSON.stringify({ cluster, from: start, to, queries, 'with-padding': false });
      for (const { port } of servers) {
        const found = await ask(port, `/api/v1/query?${new URLSearchParams({ query, time: String(to) })}`);
        const [one] = (JSON.parse(found.body) as { data: { result: { values: [number, string][] }[] } }).data.result;
        expect(one?.values.map(([, value]) => Number(value))).toEqual(samples.map(([, value]) => value));
        const { results } = JSON.parse((await ask(port, '/api/query', { body })).body) as QueryAnswer;
        const kept = (results[0]?.[0]?.data ?? []).filter((value) => value !== null);
        expect(kept).toEqual(samples.map(([, value]) => value));
      }
    }
  });
});
