import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connectToSelf, isOtherEnd } from '../../src/http/connection/self-connection.js';
import type { ClusterSummary } from '../../src/store/store.js';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { until } from '../support/wait.js';
import { type Running, start } from './harness.js';
import { MemoryStore } from './memory-store.js';

const PUBLISHED_KEY = Buffer.from('kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'base64');
const certificate = {
  key: readFileSync(new URL('tls/key.pem', import.meta.url)),
  cert: readFileSync(new URL('tls/cert.pem', import.meta.url)),
};
/** Without a limit: a slow machine would ask fewer questions than are counted here. */
const LOOK = { often: 20, rarely: 40, limit: Number.POSITIVE_INFINITY };
const CLUSTER: ClusterSummary = { cluster: 'alpha', hosts: 1, series: 1, samples: 1, bytes: 8, blocks: {} };
const ANSWER = '{"queries":[{"metric":"cpu_load","host":"h7"}],"results":[[]]}\n';

let stop: (() => void) | undefined;
let failures: unknown[] = [];
const noteFailure = (error: unknown): void => {
  failures.push(error);
};

afterEach(() => {
  stop?.();
  failures = [];
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A store that has a node, unless `summaries` says that there is no cluster. */
function storeWith(summaries: ClusterSummary[]): MemoryStore {
  const store = new MemoryStore();
  store.summaries = summaries;
  store.pieces = () => Buffer.from(ANSWER);
  return store;
}

function startWith(summaries: ClusterSummary[]): Promise<Running> {
  return start({ store: storeWith(summaries), config: configWith({}, { jwtPublicKey: PUBLISHED_KEY }) });
}

/** Waits until the last question has been asked: the connection that they come over is closed then. */
function settled({ server }: Running): Promise<void> {
  const connections = () => new Promise<number>((done) => server.getConnections((_, count) => done(count)));
  return until(async () => (await connections()) === 0, 'the end of the questions');
}

test('warming up asks about a node that is there, past authentication, and is not counted', async () => {
  let counted = 0;
  const http = await start({
    store: storeWith([CLUSTER]),
    config: configWith({}, { jwtPublicKey: PUBLISHED_KEY }),
    observeQuery: () => counted++,
  });
  stop = http.warmUp(noteFailure, LOOK);
  await until(() => http.store.queried.length > 20);
  // Others still need a token.
  expect((await ask(http.port, '/api/query', { body: '{"cluster":"other"}' })).status).toBe(401);
  await until(() => http.observed.length === 1);
  await settled(http);
  const { queried } = http.store;
  expect(queried.every(({ cluster }) => cluster === 'alpha')).toBe(true);
  expect(queried.some(({ forAllNodes }) => forAllNodes?.includes('cpu_load'))).toBe(true);
  const about = queried.flatMap(({ queries }) => queries);
  expect(about.length).toBeGreaterThan(20);
  expect(about.every(({ host, metric }) => host === 'h7' && metric === 'cpu_load')).toBe(true);
  expect(Math.max(...queried.map(({ from, to }) => to - from))).toBe(86_400);
  expect(http.observed.map(({ status }) => status)).toEqual([401]);
  // PromQL at one time, at many, and a list of names; figures of queries tell nothing of them.
  expect(http.store.leaves).toBeGreaterThan(3);
  expect(counted).toBe(0);
  expect(failures).toEqual([]);
  // Once is enough.
  const asked = queried.length;
  await pause(5 * LOOK.rarely);
  expect(queried.length).toBe(asked);
});

test('warming up works over TLS as well', async () => {
  const store = storeWith([CLUSTER]);
  const http = await start({ store, tls: { ...certificate, minVersion: 'TLSv1.3' } });
  stop = http.warmUp(noteFailure, LOOK);
  await until(() => store.queried.length > 20);
  expect(http.observed).toEqual([]);
});

test('the server finds its own connection among others', async () => {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const others = Array.from({ length: 50 }, (_, i) => connect(port, i % 2 ? '127.0.0.1' : '::1'));
  const pairs = await Promise.all([connectToSelf(server), connectToSelf(server), connectToSelf(server)]);
  for (const { near, far } of pairs) {
    near.write('mine');
    expect(String((await once(far, 'data'))[0])).toBe('mine');
  }
  for (const socket of [...others, ...pairs.flatMap(({ near, far }) => [near, far])]) socket.destroy();
  server.close();
  await expect(connectToSelf(server)).rejects.toThrow();
});

test('a connection from the same port to another of its addresses is a stranger', async () => {
  const near = { localPort: 5000, localAddress: '127.0.0.1', remotePort: 80, remoteAddress: '127.0.0.1' };
  const sockets = ['127.0.0.2', '127.0.0.1'].map((localAddress) => ({
    remotePort: 5000,
    remoteAddress: '127.0.0.1',
    localPort: 80,
    localAddress,
  }));
  expect(sockets.map((socket) => isOtherEnd(socket, near))).toEqual([false, true]);
});

test('warming up waits for data', async () => {
  const http = await startWith([]);
  stop = http.warmUp(noteFailure, LOOK);
  await pause(5 * LOOK.rarely);
  expect(http.store.queried).toEqual([]);
  http.store.summaries = [CLUSTER];
  await until(() => http.store.queried.length > 20);
});

test('warming up waits for time', async () => {
  const http = await startWith([CLUSTER]);
  stop = http.warmUp(noteFailure, LOOK);
  for (
    let end = Date.now() + 10 * LOOK.often;
    Date.now() < end;
    await new Promise((resolve) => setImmediate(resolve))
  ) {
    for (const until = Date.now() + 10; Date.now() < until; );
  }
  expect(http.store.queried).toEqual([]);
  await until(() => http.store.queried.length > 20);
});

test('warming up waits while somebody is being served', async () => {
  const http = await start({ store: storeWith([CLUSTER]) });
  const { pieces } = http.store;
  let answer = (): void => {};
  http.store.pieces = () =>
    new Promise((resolve) => {
      answer = () => resolve(Buffer.from(ANSWER));
    });
  const asking = ask(http.port, '/api/query', { body: '{"cluster":"user"}' });
  await until(() => http.store.queried.length === 1);
  http.store.pieces = pieces;
  stop = http.warmUp(noteFailure, LOOK);
  await pause(5 * LOOK.rarely);
  // The one that finds out whether there is a node.
  expect(http.store.queried.length).toBeLessThan(3);
  answer();
  expect((await asking).status).toBe(200);
  await until(() => http.store.queried.length > 20);
});

test('warming up ends when the server does, and with the first answer that is none', async () => {
  const stopping = await startWith([CLUSTER]);
  stopping.store.state = 'stopping';
  stop = stopping.warmUp(noteFailure, LOOK);
  await until(() => failures.length > 0);
  expect(String(failures[0])).toContain('503');
  expect(stopping.store.queried).toEqual([]);
  stop();
  stopping.store.state = 'ready';
  await pause(3 * LOOK.rarely);
  expect(stopping.store.queried).toEqual([]);
});
