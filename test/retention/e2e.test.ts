import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type CcBackend, startCcBackend } from '../support/cc-backend.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

let server: ServerProcess | undefined;
let backend: Server | undefined;
let ccBackend: CcBackend | undefined;
afterEach(async () => {
  await server?.stop('SIGKILL');
  server = undefined;
  backend?.closeAllConnections();
  backend?.close();
  backend = undefined;
  ccBackend?.close();
  ccBackend = undefined;
});

async function start(main: object = {}): Promise<ServerProcess> {
  server = await startServer({
    main,
    metrics: { load: { frequency: 1, aggregation: 'sum' } },
    'metric-store': { 'retention-in-memory': `${RETENTION}s`, 'memory-cap': 0, 'num-workers': 1, checkpoints: {} },
  });
  return server;
}

/** The server's retention. It frees every half of it, and refuses what is older than twice. */
const RETENTION = 4;

/** Stores samples of hosts that are older than the retention: two of each, and if `isBusy` one in the same block that is not. */
async function write({ url }: ServerProcess, hosts: string[], isBusy = false): Promise<void> {
  await until(async () => {
    const now = nowSeconds();
    const times = [now - RETENTION - 2, now - RETENTION - 1, ...(isBusy ? [now + 40] : [])];
    const lines = hosts.flatMap((host) => times.map((time) => `load,hostname=${host} value=${time % 100} ${time}\n`));
    const answer = await fetch(`${url}/api/write?cluster=c`, { method: 'POST', body: lines.join('') });
    // Refused: between here and there were more than two seconds.
    return answer.status === 200;
  });
}

/** Names of the hosts in the tree. */
async function hosts({ url }: ServerProcess): Promise<string[]> {
  const answer = await fetch(`${url}/api/debug`);
  expect(answer.status).toBe(200);
  const { data } = (await answer.json()) as { data: { c?: { data?: object } } };
  return Object.keys(JSON.parse(JSON.stringify(data)).c ?? {}).sort();
}

/** Unix seconds of the host's oldest sample. */
async function oldest({ url }: ServerProcess, host: string): Promise<number> {
  const query = {
    cluster: 'c',
    from: 1,
    to: nowSeconds() + 10,
    queries: [{ metric: 'load', host }],
    'with-padding': false,
  };
  const answer = await fetch(`${url}/api/query`, { method: 'POST', body: JSON.stringify(query) });
  const { results } = (await answer.json()) as { results: { from: number }[][] };
  return results[0]?.[0]?.from ?? Number.NaN;
}

async function gauge({ url }: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = text.split('\n').filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  expect(values.length, name).toBeGreaterThan(0);
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe('retention in a running server', () => {
  it('frees what is older, keeps the rest, and takes empty hosts out of the tree', async () => {
    const store = await start();
    await write(store, ['busy'], true);
    await write(store, ['gone']);
    const from = await oldest(store, 'busy');
    await until(async () => (await hosts(store)).join() === 'busy', store.log);
    const debug = await fetch(`${store.url}/api/debug?selector=c:gone`);
    expect(debug.status).toBe(400);
    // Whole blocks only: one that reaches into the retention stays.
    expect(await oldest(store, 'busy')).toBe(from);
    expect(await store.stop()).toBe(0);
  });

  it('does not bring back by a restart what it freed', async () => {
    const store = await start();
    await write(store, ['gone']);
    await until(async () => (await hosts(store)).length === 0, store.log);
    const jobs = (): Record<string, number> =>
      JSON.parse(readFileSync(join(store.dir, 'var/checkpoints/jobs.json'), 'utf8'));
    const last = jobs();
    expect(last).toMatchObject({ version: 1, retention: expect.any(Number), cleanup: expect.any(Number) });
    server = await store.restart('SIGKILL');
    // Their times are those of the last process, until they are due again.
    expect(jobs().retention).toBeGreaterThanOrEqual(last.retention ?? Number.NaN);
    expect(await hosts(server)).toEqual([]);
    server = await server.restart();
    expect(await hosts(server)).toEqual([]);
  });

  it('reuses freed memory: five retentions of data take less space than two', async () => {
    const store = await start();
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      await write(
        store,
        Array.from({ length: 6000 }, (_, host) => `r${round}h${host}`),
      );
      await until(async () => (await gauge(store, 'ccms_series')) === 0, store.log);
      sizes.push(await gauge(store, 'ccms_linear_memory_bytes'));
    }
    expect(sizes[0]).toBeGreaterThan(1 << 20);
    expect(Math.max(...sizes)).toBeLessThan(2 * (sizes[0] ?? 0));
  });
});

/** Whatever may be behind `backend-url`. */
async function startBackend(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  backend = createServer((request, response) => {
    asked.push(request.url ?? '');
    handle(request, response);
  }).listen(0, '127.0.0.1');
  await new Promise((done) => backend?.once('listening', done));
  return { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`, asked };
}

describe('retention with a backend-url', () => {
  it('keeps the hosts of running jobs, and frees them once the jobs have ended', async () => {
    ccBackend = await startCcBackend();
    const { url, asked } = ccBackend;
    ccBackend.used = { c: ['working'], other: ['idle'] };
    const store = await start({ 'backend-url': `${url}/`, 'backend-token': ccBackend.jwt(['api']) });
    await write(store, ['working', 'idle']);
    const before = await oldest(store, 'working');
    await until(async () => (await hosts(store)).length === 1, store.log);
    const rounds = asked.length;
    await until(async () => asked.length >= rounds + 3, store.log);
    expect(await hosts(store)).toEqual(['working']);
    expect(await oldest(store, 'working')).toBe(before);
    expect(asked[0]).toMatch(/^\/api\/jobs\/used_nodes\?ts=\d+$/);
    const cutoff = Number(asked[0]?.split('=')[1]);
    // Of the first round, and the write was before or after.
    expect(cutoff).toBeLessThanOrEqual(nowSeconds() - RETENTION);
    expect(cutoff).toBeGreaterThan(before - 100);
    ccBackend.used = {};
    await until(async () => (await hosts(store)).length === 0, store.log);
  });

  it('frees nothing of a backend that refuses, and warns of a missing token at the start', async () => {
    ccBackend = await startCcBackend();
    const { url, asked } = ccBackend;
    const store = await start({ 'backend-url': url });
    await write(store, ['working']);
    await until(async () => asked.length >= 5, store.log);
    expect(store.log()).toContain('backend-url without backend-token or backend-token-file');
    expect(await hosts(store)).toEqual(['working']);
    expect(store.log()).toContain('status 401 (no user for secured check), expected 200');
    expect(store.log()).toContain('nothing is freed until it does, except by the memory cap');
  });

  it.each([
    ['fails', (response: ServerResponse) => response.writeHead(502).end('Bad Gateway'), /status 502/],
    ['hangs up', (response: ServerResponse) => response.destroy(), /.*/],
  ])('frees nothing for two rounds when the backend %s, then as if no job ran', async (_what, answer, reason) => {
    const { url, asked } = await startBackend((_request, response) => answer(response));
    const store = await start({ 'backend-url': url });
    await write(store, ['idle']);
    await until(async () => /failure 2 in a row/.test(store.log()), store.log);
    await until(async () => (await hosts(store)).length === 0, store.log);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(store.log()).toMatch(reason);
    expect(store.log()).toContain('nothing is freed this round');
    expect(store.log()).toContain('failure 3 in a row');
    expect(store.log()).toContain('freeing as if no job ran');
  });

  it('waits for a slow backend, freeing nothing meanwhile, and serves on', async () => {
    let release = (): void => {};
    const released = new Promise<void>((done) => {
      release = done;
    });
    const { url, asked } = await startBackend(async (_request, response) => {
      await released;
      response.end('{}');
    });
    const store = await start({ 'backend-url': url });
    await write(store, ['idle']);
    await until(async () => asked.length > 0, store.log);
    // A round and a half.
    await sleep(750 * RETENTION);
    expect(asked.length).toBe(1);
    expect(await hosts(store)).toEqual(['idle']);
    release();
    await until(async () => (await hosts(store)).length === 0, store.log);
  });

  it('stops while a backend keeps it waiting', async () => {
    const { url, asked } = await startBackend(() => {});
    const store = await start({ 'backend-url': url });
    await until(async () => asked.length > 0, store.log);
    expect(await store.stop()).toBe(0);
  });
});
