import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logger } from '../../src/base/log.js';
import type { Config } from '../../src/config/config.js';
import { type HttpServer, startHttp } from '../../src/http/server.js';
import { enforceMemoryCap } from '../../src/retention/memory-cap.js';
import { Pool } from '../../src/store/pool.js';
import { configWith } from '../support/config.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { seeded } from '../support/random.js';
import { smallCore } from '../support/small-core.js';

const NOW = Math.floor(Date.now() / 1000);

/** A partition whose linear memory ends at 6 MB instead of 4 GiB, behind the HTTP API. */
describe('a store whose memory is full', () => {
  let pool: Pool;
  let http: HttpServer;
  let url: string;

  beforeAll(async () => {
    const base = configWith({
      futureLimitSeconds: 0,
      checkpoints: { fileFormat: 'wal', directory: temporaryDirectory() },
    });
    const config: Config = {
      ...base,
      main: { host: '127.0.0.1', port: 0 },
      metrics: new Map([['load', { frequency: 1, aggregation: 'sum', precision: 'double' }]]),
    };
    const modulePath = smallCore(96);
    const fail = (error: Error): void => expect.fail(error.message);
    pool = new Pool({ config, log: logger('store'), modulePath, onFatal: fail });
    await pool.start();
    http = await startHttp({ store: pool, config, pageDirectory: '', version: '0', log: logger('http') });
    url = `http://127.0.0.1:${http.port}`;
  });
  afterAll(async () => {
    await http.close();
    await pool.stop();
  });

  const random = seeded(9);
  /** Ten seconds of a hundred hosts. */
  const write = (time: number): Promise<Response> => {
    const lines = Array.from({ length: 1000 }, (_, i) => {
      return `load,hostname=h${i % 100} value=${random()} ${time + Math.floor(i / 100)}\n`;
    });
    return fetch(`${url}/api/write?cluster=c`, { method: 'POST', body: lines.join('') });
  };

  it('answers 503 and says why, and takes writes again once memory is freed', async () => {
    let time = NOW;
    let answer = await write(time);
    for (; answer.status === 200; time += 10) answer = await write(time + 10);
    expect(time - NOW).toBeGreaterThan(100);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await answer.json()).toEqual({
      status: 'Service Unavailable',
      error: expect.stringMatching(/4 GiB of linear memory.*metric-store\.memory-cap/),
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    const log = new KeptLog();
    await enforceMemoryCap(pool, 3 << 20, log, { partitionLimit: 1e12, now: () => time });
    expect(log.lines).toEqual([expect.stringContaining('warn memory-cap of')]);
    for (let i = 1; i <= 5; i++) expect((await write(time + 10 * i)).status).toBe(200);

    const query = { cluster: 'c', from: NOW, to: time + 60, queries: [{ metric: 'load', host: 'h7' }] };
    const asked = await fetch(`${url}/api/query`, { method: 'POST', body: JSON.stringify(query) });
    const { results } = (await asked.json()) as { results: { data: (number | null)[]; to: number }[][] };
    const { data, to } = results[0]?.[0] ?? { data: [], to: 0 };
    expect(to).toBe(time + 60);
    expect(data[0]).toBeNull();
    // Nothing that was answered 200 and not freed is missing.
    const first = data.findIndex((value) => value !== null);
    const missing = data.slice(first).filter((value) => value === null).length;
    // The batch that was answered 503 may be there in part.
    expect(missing).toBeLessThanOrEqual(10);
    expect(data.length - first).toBeGreaterThan(50);
  });
});
