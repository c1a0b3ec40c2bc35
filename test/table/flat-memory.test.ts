/** Answers in columns that are many times larger than what the server may hold: they are made while a slow client reads them. */
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
/** Bytes that the process may grow by: pieces on their way, a batch or a row group, and what V8 has not collected yet. */
const MOST = 60 * MEGABYTE;

const config = {
  metrics: { flops_any: { frequency: 60, aggregation: 'sum' } },
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

describe('a large answer', () => {
  it.each([
    ['arrow', 110],
    ['parquet', 180],
    ['csv', 14],
  ])('as %s takes a few pieces of memory, whoever reads it', async (format, times) => {
    // The writer's modules, and what it keeps.
    await once((await answer(format, 2)).resume(), 'end');
    const before = memory('VmRSS');
    writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
    const reading = await answer(format, times);
    // A server that does not wait for its reader has time to make all of it.
    for (let i = 0; i < 300; i++) await ask(server.port, '/healthz');
    let bytes = 0;
    for await (const piece of reading) bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan(1.5 * MOST);
    expect(memory('VmHWM') - before).toBeLessThan(MOST);
  });
});
