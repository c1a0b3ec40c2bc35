/** Clients that ask for much and read nothing hold a bounded part of the memory, and nobody else up. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { ask, openSocket, query, write } from '../support/client.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const T0 = 1_700_000_000;
const BINS = 2000;
const THREADS = 40;
const READERS = 150;
/** An answer of some 60 MB: all threads, again and again. */
const QUERIES = 70;
/** Bytes that the process may have more while they are there, and afterwards. */
const MOST = 130 << 20;
const LEFT = 120 << 20;

it('150 readers of a 60 MB answer that read nothing', async () => {
  const server = await startServer({
    metrics: { m: { frequency: 10, aggregation: 'sum' } },
    'metric-store': { 'retention-in-memory': '876000h', 'memory-cap': 16 },
  });
  const { port } = server;
  onTestFinished(() => server.stop('SIGKILL').then(() => {}));
  for (let thread = 0; thread < THREADS; thread++) {
    let text = '';
    for (let bin = 0; bin < BINS; bin++) {
      text += `m,cluster=c,hostname=n${thread % 4},type=hwthread,type-id=${thread} value=${thread * 1e4 + bin + 0.125} ${T0 + 10 * bin}\n`;
    }
    await write(port, text);
  }
  const ids = Array.from({ length: THREADS }, (_, i) => String(i));
  const all = ['n0', 'n1', 'n2', 'n3'].map((host) => ({ metric: 'm', host, type: 'hwthread', 'type-ids': ids }));
  const range = { cluster: 'c', from: T0, to: T0 + 10 * BINS };
  const body = JSON.stringify({ ...range, queries: Array.from({ length: QUERIES }, () => all).flat() });
  const whole = await ask(port, '/api/query', { body });
  expect(whole.body.length).toBeGreaterThan(50 << 20);
  // Not asked of the server: V8 gives pages back when it has little to do.
  const resident = (): number =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024;
  const before = resident();

  const sockets = await Promise.all(Array.from({ length: READERS }, () => openSocket(port)));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  for (const socket of sockets) {
    socket.pause();
    socket.write(`POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  // Others are answered all the while, also when they want as much.
  const small = { ...range, from: range.to - 100, queries: all.slice(0, 1) };
  expect((await query(port, small)).results[0]).toHaveLength(THREADS / 4);
  const other = await ask(port, '/api/query', { body });
  expect(other.body === whole.body).toBe(true);
  // Seven megabytes a reader without a bound; the kernel's buffers are not the process's.
  expect(resident() - before).toBeLessThan(MOST);

  for (const socket of sockets) socket.destroy();
  // What they held is given back, to the system too.
  await until(
    () => resident() - before < LEFT,
    () => `${(resident() - before) >> 20} MB to be less`,
  );
  expect((await ask(port, '/api/query', { body })).body === whole.body).toBe(true);
});
