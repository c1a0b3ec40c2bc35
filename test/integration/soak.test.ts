/**
 * Many lines over several connections at once, hosts mixed in every batch: none may be lost, not even by kill -9.
 * 300 000 lines; CCMS_LONG=1: ten million.
 */
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure, query, summary, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const LINES = process.env.CCMS_LONG ? 10_000_000 : 300_000;
const CONNECTIONS = 4;
const BATCH = 1000;
const HOSTS = 200;
const THREADS = 20;
const SERIES = HOSTS * THREADS;
const FREQUENCY = 10;
/** Timestamps within the retention, whatever the time is. */
const START = Math.floor(Date.now() / 1000 / 600) * 600 - Math.ceil(LINES / SERIES) * FREQUENCY - 600;

function sampleOf(host: number, thread: number, bin: number): number {
  return ((host * 31 + thread * 7 + bin) % 1000) / 8;
}

/** Lines [from, from + BATCH) of all: every series of an interval, then the next interval. Neighbours are of other hosts. */
function batch(from: number): string {
  let text = '';
  for (let i = from; i < Math.min(from + BATCH, LINES); i++) {
    const host = i % HOSTS;
    const thread = Math.floor(i / HOSTS) % THREADS;
    const bin = Math.floor(i / SERIES);
    const tags = `hostname=h${host},type=hwthread,type-id=${thread}`;
    text += `load,${tags} value=${sampleOf(host, thread, bin)} ${START + bin * FREQUENCY}\n`;
  }
  return text;
}

describe(`${LINES} lines over ${CONNECTIONS} connections`, () => {
  let server: ServerProcess;
  const bins = Math.ceil(LINES / SERIES);

  beforeAll(async () => {
    server = await startServer({
      metrics: { load: { frequency: FREQUENCY, aggregation: 'sum' } },
      'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 2, 'num-workers': 2 },
    });
  });
  afterAll(() => server?.stop('SIGKILL'));

  /** Compares some series bin by bin, and the sum of each host. */
  const check = async (): Promise<void> => {
    expect(await summary(server.port, 'soak')).toMatchObject({ hosts: HOSTS, series: SERIES, samples: LINES });
    const hosts = [0, 1, 77, HOSTS - 1];
    const range = { cluster: 'soak', from: START, to: START + bins * FREQUENCY };
    const ids = Array.from({ length: THREADS }, (_, i) => String(i));
    const queries = hosts.map((host) => ({ metric: 'load', host: `h${host}`, type: 'hwthread', 'type-ids': ids }));
    const { results } = await query(server.port, { ...range, queries });
    for (const [i, host] of hosts.entries()) {
      for (const thread of ids.keys()) {
        const got = results[i]?.[thread]?.data ?? [];
        const written = Math.ceil((LINES - (thread * HOSTS + host)) / SERIES);
        const want = Array.from({ length: written }, (_, bin) => Number(sampleOf(host, thread, bin).toFixed(3)));
        expect(got, `h${host} hwthread${thread}`).toEqual(want);
      }
    }
  };

  it('are all stored', async () => {
    let next = 0;
    const connection = async (): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (next < LINES) {
        const from = next;
        next += BATCH;
        const answer = await write(server.port, batch(from), '/api/write?cluster=soak', agent);
        if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`);
      }
      agent.destroy();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
    expect(await figure(server.port, 'ccms_lines_total')).toBe(LINES);
    expect(await figure(server.port, 'ccms_lines_refused_total')).toBe(0);
    expect(await figure(server.port, 'ccms_lines_skipped_total')).toBe(0);
    expect(await figure(server.port, 'ccms_series')).toBe(SERIES);
    expect(await figure(server.port, 'ccms_samples')).toBe(LINES);
    await check();
  });

  it('survive kill -9', async () => {
    server = await server.restart('SIGKILL');
    await check();
  });
});
