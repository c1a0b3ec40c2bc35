import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type CcBackend, startCcBackend } from '../support/cc-backend.js';
import { LIMIT } from '../support/limits.js';
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

async function start(retention: string, main: object = {}): Promise<ServerProcess> {
  server = await startServer({
    main,
    metrics: { load: { frequency: 1, aggregation: 'sum' } },
    'metric-store': { 'retention-in-memory': retention, 'memory-cap': 0, 'num-workers': 1, checkpoints: {} },
  });
  return server;
}

/** Samples of hosts, one a second, [from, to): in one request, between two steps of the retention. */
async function write({ url }: ServerProcess, names: string | string[], from: number, to: number): Promise<void> {
  let text = '';
  for (const host of [names].flat()) {
    for (let t = from; t < to; t++) text += `load,hostname=${host} value=${t % 100} ${t}\n`;
  }
  const answer = await fetch(`${url}/api/write?cluster=c`, { method: 'POST', body: text });
  expect(answer.status).toBe(200);
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
    const store = await start('4s');
    const now = nowSeconds();
    await write(store, 'gone', now - 300, now - 100);
    await write(store, 'busy', now - 600, now + 300);
    await until(async () => !(await hosts(store)).includes('gone'), '"gone" has left');
    expect(await hosts(store)).toEqual(['busy']);
    const debug = await fetch(`${store.url}/api/debug?selector=c:gone`);
    expect(debug.status).toBe(400);
    // Whole blocks only: the one that reaches into the retention stays.
    const from = await oldest(store, 'busy');
    expect(from).toBeGreaterThan(now - 600);
    expect(from).toBeLessThanOrEqual(nowSeconds() - 4);
    expect(await store.stop()).toBe(0);
  });

  it('does not bring back by a restart what it freed', async () => {
    const store = await start('1s');
    const now = nowSeconds();
    await write(store, 'gone', now - 100, now - 50);
    await until(async () => (await hosts(store)).length === 0, '"gone" has left');
    server = await store.restart('SIGKILL');
    expect(await hosts(server)).toEqual([]);
    server = await server.restart();
    expect(await hosts(server)).toEqual([]);
  });

  it('reuses freed memory: ten retentions of data take the space of two', async () => {
    const store = await start('1s');
    const sizes: number[] = [];
    for (let round = 0; round < 10; round++) {
      const now = nowSeconds();
      const names = Array.from({ length: 40 }, (_, host) => `r${round}h${host}`);
      await write(store, names, now - 900, now - 5);
      await until(async () => (await hosts(store)).length === 0, 'the round has been freed');
      sizes.push(await gauge(store, 'ccms_linear_memory_bytes'));
    }
    expect(sizes[1]).toBeGreaterThan(1 << 20);
    expect(sizes.slice(2)).toEqual(Array.from({ length: 8 }, () => sizes[1]));
    expect(await gauge(store, 'ccms_series')).toBe(0);
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
    const store = await start('1s', { 'backend-url': `${url}/`, 'backend-token': ccBackend.jwt(['api']) });
    const now = nowSeconds();
    await write(store, 'working', now - 100, now - 50);
    await write(store, 'idle', now - 100, now - 50);
    await until(async () => (await hosts(store)).length === 1, '"idle" has left');
    const rounds = asked.length;
    await until(async () => asked.length >= rounds + 3, 'three more rounds');
    expect(await hosts(store)).toEqual(['working']);
    expect(await oldest(store, 'working')).toBe(now - 100);
    expect(asked[0]).toMatch(/^\/api\/jobs\/used_nodes\?ts=\d+$/);
    const cutoff = Number(asked[0]?.split('=')[1]);
    expect(Math.abs(cutoff - (now - 1))).toBeLessThan(LIMIT / 1000);
    ccBackend.used = {};
    await until(async () => (await hosts(store)).length === 0, '"working" has left');
  });

  it('frees nothing of a backend that refuses, and warns of a missing token at the start', async () => {
    ccBackend = await startCcBackend();
    const { url, asked } = ccBackend;
    const store = await start('1s', { 'backend-url': url });
    expect(store.log()).toContain('backend-url without backend-token or backend-token-file');
    const now = nowSeconds();
    await write(store, 'working', now - 100, now - 50);
    await until(async () => asked.length >= 5, 'five rounds');
    expect(await hosts(store)).toEqual(['working']);
    expect(store.log()).toContain('status 401 (no user for secured check), expected 200');
    expect(store.log()).toContain('nothing is freed until it does, except by the memory cap');
  });

  it.each([
    ['fails', (response: ServerResponse) => response.writeHead(502).end('Bad Gateway'), /status 502/],
    ['hangs up', (response: ServerResponse) => response.destroy(), /.*/],
  ])('frees nothing for two rounds when the backend %s, then as if no job ran', async (_what, answer, reason) => {
    const { url, asked } = await startBackend((_request, response) => answer(response));
    const store = await start('1s', { 'backend-url': url });
    const now = nowSeconds();
    await write(store, 'idle', now - 100, now - 50);
    await until(async () => /failure 2 in a row/.test(store.log()), 'two failures');
    await until(async () => (await hosts(store)).length === 0, '"idle" has left');
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
    const store = await start('1s', { 'backend-url': url });
    const now = nowSeconds();
    await write(store, 'idle', now - 100, now - 50);
    await until(async () => asked.length > 0, 'it was asked');
    await sleep(1500);
    expect(asked.length).toBe(1);
    expect(await hosts(store)).toEqual(['idle']);
    release();
    await until(async () => (await hosts(store)).length === 0, '"idle" has left');
  });

  it('stops while a backend keeps it waiting', async () => {
    const { url, asked } = await startBackend(() => {});
    const store = await start('1s', { 'backend-url': url });
    await until(async () => asked.length > 0, 'it was asked');
    expect(await store.stop()).toBe(0);
    // It did not wait until the backend had been given up.
    expect(store.log()).not.toContain('cannot ask the backend');
  });
});
