/** What answers take of the server's memory: of PromQL a little more than they are, in columns less, for they are made while a slow client reads. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { seeded } from '../support/random.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const MEGABYTE = 1e6;
const THREADS = 40;
const MINUTES = 2400;
/** Series that have one sample: with a long look back they have one at each step. */
const WIDE = 800;
const FIRST = TIME - 12_000;
const STEPS = 10_900;
/** Bytes that the process may grow by: pieces on their way, a batch or a row group, and what V8 has not collected yet. */
const MOST = 60 * MEGABYTE;

const config = {
  metrics: { flops_any: { frequency: 60, aggregation: 'sum' }, wide: { frequency: 60, aggregation: 'sum' } },
  'metric-store': { 'retention-in-memory': '480h', 'memory-cap': 0, 'num-workers': 1 },
};

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(config);
  const random = seeded(5);
  let text = '';
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let thread = 0; thread < THREADS; thread++) {
      text += `flops_any,cluster=c,hostname=h,type=hwthread,type-id=${thread} value=${random()} ${TIME + 60 * (minute - MINUTES)}\n`;
    }
  }
  for (let id = 0; id < WIDE; id++)
    text += `wide,cluster=c,hostname=h,type=hwthread,type-id=${id} value=${random()} ${FIRST}\n`;
  expect((await ask(server.port, '/api/write', { body: text })).status).toBe(200);
});
afterAll(() => server.stop());

/** Of /proc/PID/status, in bytes. */
function memory(name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}

/** An answer that asks for the same series over and over. */
function answer(format: string, times: number): Promise<IncomingMessage> {
  const ids = Array.from({ length: THREADS }, (_, id) => String(id));
  const query = { metric: 'flops_any', host: 'h', type: 'hwthread', 'type-ids': ids };
  const queries = Array.from({ length: times }, () => query);
  const body = JSON.stringify({ cluster: 'c', from: TIME - 60 * MINUTES, to: TIME, queries });
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port: server.port, path: `/api/query?format=${format}`, method: 'POST', agent: false },
      resolve,
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Forgets the most memory that the server has had. @returns bytes that it has. */
function measured(): number {
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  return memory('VmRSS');
}

// First: memory that other answers have left is used again.
describe('a PromQL query', () => {
  const asked = async (query: string): Promise<number> => {
    const times = { start: String(FIRST), end: String(FIRST + STEPS), step: '1', lookback_delta: '1d' };
    const { status, bytes } = await ask(server.port, `/api/v1/query_range?${new URLSearchParams({ query, ...times })}`);
    expect(status).toBe(200);
    return bytes.length;
  };

  it.each([
    // Rows of all its series would be 70 MB.
    ['sum by (hostname) (wide)', 0.2],
    ['wide{type_id=~"1."}', 3],
    ['avg_over_time(wide{type_id=~"[12]."}[1h])', 1],
  ])('%s takes three times its answer and 32 MB at most', async (query, least) => {
    await asked('vector(1)');
    const before = measured();
    const size = await asked(query);
    expect(size).toBeGreaterThan(least * MEGABYTE);
    expect(memory('VmHWM') - before).toBeLessThan(3 * size + 32 * MEGABYTE);
  });
});

describe('a large answer', () => {
  it.each([
    ['arrow', 110],
    ['parquet', 180],
    ['csv', 14],
  ])('as %s takes a few pieces of memory, whoever reads it', async (format, times) => {
    // The writer's modules, and what it keeps.
    await once((await answer(format, 2)).resume(), 'end');
    const before = measured();
    const reading = await answer(format, times);
    // A server that does not wait for its reader has time to make all of it.
    for (let i = 0; i < 300; i++) await ask(server.port, '/healthz');
    let bytes = 0;
    for await (const piece of reading) bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan(1.5 * MOST);
    expect(memory('VmHWM') - before).toBeLessThan(MOST);
  });
});
