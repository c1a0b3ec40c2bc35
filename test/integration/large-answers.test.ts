/** Large answers use each other's buffers; each must be what it is alone, however slowly its client reads. */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, query, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const T0 = 1_700_000_000;
const FREQUENCY = 10;
const BINS = 2000;
const THREADS = 40;
const HOSTS = ['n1', 'n2', 'n3', 'n4'];

let server: ServerProcess;
const value = (host: number, thread: number, bin: number): number => host * 1e6 + thread * 1e4 + bin + 0.125;

beforeAll(async () => {
  server = await startServer({
    main: {},
    metrics: { m: { frequency: FREQUENCY, aggregation: 'sum' } },
    'metric-store': { 'retention-in-memory': '876000h', 'memory-cap': 8, 'num-workers': 2 },
  });
  for (const [h, host] of HOSTS.entries()) {
    for (let thread = 0; thread < THREADS; thread++) {
      let text = '';
      for (let bin = 0; bin < BINS; bin++) {
        text += `m,cluster=c,hostname=${host},type=hwthread,type-id=${thread} value=${value(h, thread, bin)} ${T0 + bin * FREQUENCY}\n`;
      }
      await write(server.port, text);
    }
  }
});
afterAll(() => server?.stop('SIGKILL'));

/** All threads of some hosts. */
function question(hosts: string[]): object {
  const ids = Array.from({ length: THREADS }, (_, i) => String(i));
  const queries = hosts.map((host) => ({ metric: 'm', host, type: 'hwthread', 'type-ids': ids }));
  return { cluster: 'c', from: T0, to: T0 + BINS * FREQUENCY, queries };
}

const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hashOf = async (hosts: string[]): Promise<string> =>
  hash((await ask(server.port, '/api/query', { body: JSON.stringify(question(hosts)) })).body);

/** Reads a part, waits, reads on; or leaves after a part. */
function askSlowly(hosts: string[], leave: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port: server.port, path: '/api/query', method: 'POST', agent: false },
      async (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of response) {
          chunks.push(chunk);
          bytes += chunk.length;
          if (leave && bytes > 300_000) break;
          if (bytes % 7 === 0) await sleep(3);
        }
        resolve(hash(Buffer.concat(chunks)));
      },
    );
    asking.on('error', reject);
    asking.end(JSON.stringify(question(hosts)));
  });
}

it('are the same alone, beside each other, beside slow clients and ones that leave', async () => {
  const { results } = await query(server.port, question(HOSTS));
  for (const [h, series] of results.entries()) {
    expect(series.length).toBe(THREADS);
    for (const [thread, { data }] of series.entries()) {
      expect(data).toEqual(Array.from({ length: BINS }, (_, bin) => value(h, thread, bin)));
    }
  }
  const groups = [HOSTS, [...HOSTS].reverse(), HOSTS.slice(1, 3), HOSTS.slice(3)];
  const alone = await Promise.all(groups.map(hashOf));
  for (let round = 0; round < 3; round++) {
    const slow = groups.map((hosts) => askSlowly(hosts, false));
    const leaving = groups.map((hosts) => askSlowly(hosts, true));
    const quick = await Promise.all([...groups, ...groups].map(hashOf));
    expect(quick).toEqual([...alone, ...alone]);
    expect(await Promise.all(slow)).toEqual(alone);
    await Promise.all(leaving);
  }
});
