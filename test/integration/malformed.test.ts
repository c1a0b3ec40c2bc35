/**
 * What is no HTTP, or only half of it, against the real server: it must answer or hang up, keep serving others, and keep
 * nothing. 1000 connections; CCMS_LONG=1: ten thousand.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, closed, exchange, openSocket, query, statuses, write } from '../support/client.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const T = 1_700_000_040;
const CONNECTIONS = process.env.CCMS_LONG ? 10_000 : 1000;
/** Sockets that are open at once: tests have their own limit of open files. */
const AT_ONCE = 200;

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({
    metrics: { load: { frequency: 60, aggregation: null } },
    'metric-store': { 'retention-in-memory': '876000h', 'memory-cap': 1, 'num-workers': 2 },
  });
});
afterAll(() => server?.stop('SIGKILL'));

function line(host: string): string {
  return `load,cluster=c,hostname=${host} value=1 ${T}\n`;
}

async function isStored(host: string): Promise<boolean> {
  const answer = await query(server.port, { cluster: 'c', from: T, to: T + 60, queries: [{ metric: 'load', host }] });
  return answer.results[0]?.length === 1;
}

function post(body: string, headers = `content-length: ${body.length}`): string {
  return `POST /api/write HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`;
}

/** Resident memory of the server, bytes. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** File descriptors of the server. */
function descriptors(): string[] {
  return readdirSync(`/proc/${server.pid}/fd`);
}

async function expectAlive(): Promise<void> {
  expect((await ask(server.port, '/healthz')).status).toBe(200);
}

describe('bodies', () => {
  it('that end early are not stored', async () => {
    await exchange(server.port, post(line('early'), `content-length: ${line('early').length + 10}`), { end: true });
    await exchange(server.port, post(`5\r\nload,\r\n`, 'transfer-encoding: chunked'), { end: true });
    const whole = `${line('early').length.toString(16)}\r\n${line('early')}\r\n`;
    await exchange(server.port, post(whole, 'transfer-encoding: chunked'), { end: true });
    expect(await isStored('early')).toBe(false);
  });

  it('that are longer than they say are cut there, and what follows is a request', async () => {
    const text = await exchange(
      server.port,
      post(
        `${line('long')}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
        `content-length: ${line('long').length}`,
      ),
    );
    expect(text.match(/HTTP\/1\.1 200/g)?.length).toBe(2);
    expect(await isStored('long')).toBe(true);
    expect(
      await exchange(server.port, post(`${line('longer')}rubbish`, `content-length: ${line('longer').length}`)),
    ).toContain(' 400 ');
  });

  it('with lengths that are none are refused', async () => {
    for (const headers of [
      'content-length: -1',
      'content-length: x',
      'content-length: 1e3',
      'content-length: 99999999999999999999999999',
      `content-length: 5\r\ncontent-length: 6`,
      `content-length: ${line('smuggle').length}\r\ntransfer-encoding: chunked`,
      'transfer-encoding: chunked, identity',
      'transfer-encoding: gzip, chunked\r\ntransfer-encoding: chunked',
    ]) {
      expect(await exchange(server.port, post(line('smuggle'), headers)), headers).not.toMatch(/^HTTP\/1\.1 200/);
    }
    expect(await isStored('smuggle')).toBe(false);
  });

  it('in broken chunks are refused', async () => {
    for (const chunks of [
      'zz\r\nabc\r\n',
      '-1\r\n',
      'fffffffffffffffff\r\nabc',
      '3\r\nabcdef\r\n0\r\n\r\n',
      '\r\n',
      '5;ext=\0\r\nabcde\r\n',
    ]) {
      await exchange(server.port, post(chunks, 'transfer-encoding: chunked'), { end: true });
    }
    await expectAlive();
  });

  it('that come byte by byte are stored', async () => {
    const socket = await openSocket(server.port);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.setNoDelay(true);
    for (const byte of post(line('slow'), `content-length: ${line('slow').length}\r\nconnection: close`)) {
      socket.write(byte);
      await new Promise((next) => setTimeout(next, 1));
    }
    await closed(socket);
    expect(text).toContain('HTTP/1.1 200');
    expect(await isStored('slow')).toBe(true);
  });
});

describe('requests', () => {
  it('that are no HTTP are answered 400 or not at all', async () => {
    const next = seeded(41);
    const rubbish = Array.from({ length: 50 }, () =>
      Buffer.from(Array.from({ length: 200 }, () => Math.floor(next() * 256))),
    );
    for (const bytes of [
      ...rubbish,
      Buffer.from('\x16\x03\x01\x02\x00\x01\x00'),
      Buffer.from('\r\n\r\n\r\n'),
      Buffer.from('GET\n\n'),
    ]) {
      const text = await exchange(server.port, bytes, { end: true });
      expect(text === '' || / 4\d\d /.test(text.slice(0, 20)), text.slice(0, 100)).toBe(true);
    }
    await expectAlive();
  });

  it('damaged at random never do harm', async () => {
    const next = seeded(42);
    const good = Buffer.from(post(line('fuzz')));
    for (let round = 0; round < 300; round += 30) {
      const texts = Array.from({ length: 30 }, async () => {
        const bytes = Buffer.from(good);
        for (let edits = 1 + next() * 4; edits > 0; edits--)
          bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
        return exchange(
          server.port,
          bytes.subarray(0, next() < 0.3 ? Math.floor(next() * bytes.length) : bytes.length),
          {
            end: true,
          },
        );
      });
      for (const text of await Promise.all(texts)) expect(text).not.toContain(' 500 ');
    }
    await expectAlive();
  });

  it('with huge headers, names or addresses are refused', async () => {
    const huge = 'x'.repeat(200_000);
    for (const text of [
      `GET /healthz HTTP/1.1\r\nhost: x\r\nbig: ${huge}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: x\r\n${huge}: 1\r\n\r\n`,
      `GET /${huge} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `${huge} / HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(50_000)}\r\n`,
      `POST /api/write?cluster=${huge} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`,
    ]) {
      expect(await exchange(server.port, text)).not.toMatch(/^HTTP\/1\.1 200/);
    }
    await expectAlive();
  });

  it('in a pipeline are answered in order', async () => {
    const hosts = Array.from({ length: 100 }, (_, i) => `pipe${i}`);
    const requests = hosts.map((host, i) => (i % 10 === 5 ? post('load,hostname=x value=bad\n') : post(line(host))));
    const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const text = await exchange(server.port, `${requests.join('')}${last}`);
    expect(statuses(text)).toEqual([...hosts.map((_, i) => (i % 10 === 5 ? 400 : 200)), 200]);
    expect(await isStored('pipe0')).toBe(true);
    expect(await isStored('pipe99')).toBe(true);
  });
});

describe(`${CONNECTIONS} connections`, () => {
  /** What clients do that come, do something odd, and go. */
  const odd: ((socket: Socket, i: number) => void)[] = [
    (socket) => socket.destroy(),
    (socket) => socket.end(),
    (socket) => socket.write('GET / HT', () => socket.destroy()),
    (socket) => socket.write(post('', 'content-length: 60000000'), () => socket.destroy()),
    (socket) => socket.write(post('x'.repeat(1000), 'content-length: 100000'), () => socket.resetAndDestroy()),
    (socket, i) =>
      socket.write(post(line(`conn${i % 50}`), `content-length: ${line(`conn${i % 50}`).length}\r\nconnection: close`)),
    (socket) => socket.write('GET /api/debug HTTP/1.1\r\nhost: x\r\n\r\n', () => socket.resetAndDestroy()),
    (socket) => socket.write('GET /metrics HTTP/1.0\r\n\r\n'),
  ];

  const comeAndGo = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += AT_ONCE) {
      const sockets = await Promise.all(Array.from({ length: AT_ONCE }, () => openSocket(server.port)));
      const allClosed = sockets.map(closed);
      for (const [i, socket] of sockets.entries()) {
        socket.resume();
        odd[i % odd.length]?.(socket, i);
      }
      await Promise.all(allClosed);
    }
  };

  it('come and go without a trace', async () => {
    await comeAndGo(2 * AT_ONCE);
    const memory = residentBytes();
    const files = descriptors().length;
    await comeAndGo(CONNECTIONS);
    await expectAlive();
    // The server has noticed all of them.
    await until(() => descriptors().length <= files + 20);
    expect(residentBytes()).toBeLessThan(memory + (96 << 20));
  });

  it('that are open and silent keep nobody out', async () => {
    const sockets = await Promise.all(Array.from({ length: AT_ONCE * 4 }, () => openSocket(server.port)));
    for (const [i, socket] of sockets.entries())
      if (i % 2) socket.write('POST /api/write HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\nload');
    expect((await write(server.port, line('others'))).status).toBe(200);
    expect(await isStored('others')).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  it('that go in the middle of a pipeline are forgotten, so that a stop need not wait', async () => {
    for (let i = 0; i < 40; i++) {
      const socket = await openSocket(server.port);
      socket.write(post(line('gone')).repeat(50));
      await new Promise((next) => setTimeout(next, i % 5));
      socket.resetAndDestroy();
    }
    await expectAlive();
    expect(server.log()).not.toMatch(/<[0-3]>/);
    const { log } = server;
    server = await server.restart();
    // It would say that it has waited in vain.
    expect(log()).not.toMatch(/<[0-4]>/);
    expect(await isStored('others')).toBe(true);
  });

  it('have not hurt the server', async () => {
    await expectAlive();
    expect(server.log()).not.toMatch(/<[0-3]>/);
    expect(await server.stop()).toBe(0);
  });
});
