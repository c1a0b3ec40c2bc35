/** Over real sockets: what a broken, slow, rude or hostile client does. */

import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ask, closed, exchange, openSocket, statuses } from '../support/client.js';
import { configWith } from '../support/config.js';
import { TEST_LIMIT } from '../support/limits.js';
import { until } from '../support/wait.js';
import { start } from './harness.js';

const WRITE = 'POST /api/write?cluster=c HTTP/1.1\r\nHost: x\r\n';
const LINE = 'cpu_load,hostname=a1 value=1 1699999980\n';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function jsonOf(stream: string): unknown {
  return JSON.parse(stream.slice(stream.lastIndexOf('\r\n\r\n')));
}

describe('malformed requests', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['binary rubbish', Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0, 0xff, 0xfe]), 400],
    ['a version that does not exist', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a header without a colon', 'GET /healthz HTTP/1.1\r\nHost: x\r\nrubbish\r\n\r\n', 400],
    ['no Host header', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a bad Host header', 'GET /healthz HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400],
    ['a target that is no path', 'GET healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['two lengths', `${WRITE}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, 400],
    ['a length that is no number', `${WRITE}Content-Length: x\r\n\r\nabc`, 400],
    ['a negative length', `${WRITE}Content-Length: -1\r\n\r\nabc`, 400],
    ['length and chunks', `${WRITE}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a bad chunk size', `${WRITE}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc`, 400],
    ['huge headers', `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a huge target', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ])('answers %s with JSON and closes nothing else', async (_, bytes, status) => {
    const { port, store, observed } = await start();
    const answer = await exchange(port, bytes);
    expect(statuses(answer)).toEqual([status]);
    expect(answer).toContain('application/json');
    expect(jsonOf(answer)).toHaveProperty('error');
    expect(store.written).toEqual([]);
    expect(observed.filter(({ route }) => route === 'malformed').length).toBeLessThan(2);
    expect((await ask(port, '/healthz')).status).toBe(200);
  });

  it('counts what was no request', async () => {
    const { port, observed } = await start();
    await exchange(port, 'hello\r\n\r\n');
    expect(observed).toEqual([{ route: 'malformed', seconds: 0, status: 400, bytes: 0 }]);
  });

  it('takes HTTP/1.0 without a Host header', async () => {
    const { port } = await start();
    expect(statuses(await exchange(port, 'GET /healthz HTTP/1.0\r\n\r\n'))).toEqual([200]);
  });

  it('ignores a request to upgrade', async () => {
    const { port } = await start();
    const upgrade = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(statuses(await exchange(port, upgrade, { answers: 1 }))).toEqual([200]);
  });
});

describe('bodies that are not what was promised', () => {
  it('stores nothing of a body that ends early', async () => {
    const { port, store, observed } = await start();
    for (const head of ['Content-Length: 1000\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n400\r\n']) {
      const socket = await openSocket(port);
      socket.resume().end(`${WRITE}${head}${LINE}`);
      await once(socket, 'close');
    }
    await until(() => observed.length === 2);
    expect(observed.map(({ status }) => status)).toEqual([499, 499]);
    expect(store.written).toEqual([]);
  });

  it('takes what follows a body for the next request', async () => {
    const { port, store } = await start();
    const answer = await exchange(port, `${WRITE}Content-Length: ${LINE.length}\r\n\r\n${LINE}${LINE}\r\n\r\n`);
    expect(statuses(answer)).toEqual([200, 400]);
    expect(store.written).toHaveLength(1);
  });

  it('stores a body that comes byte by byte', async () => {
    const { port, store } = await start();
    const socket = await openSocket(port);
    socket.setNoDelay(true);
    socket.write(`${WRITE}Content-Length: ${LINE.length}\r\n\r\n`);
    for (const byte of LINE) {
      socket.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => store.written.length === 1);
    expect(store.written[0]?.text).toBe(LINE);
    socket.destroy();
  });

  it('costs little to promise much and send nothing', async () => {
    const { port, store } = await start();
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(port)));
    for (const socket of sockets) socket.write(`${WRITE}Content-Length: ${64 << 20}\r\n\r\n`);
    await until(() => store.taken > 0);
    expect(store.taken).toBeLessThanOrEqual(50 << 20);
    for (const socket of sockets) socket.destroy();
  });

  it('refuses more bodies than the budget holds, and recovers', async () => {
    const { port, store } = await start({ config: configWith({ maxBodySize: 1 << 20 }) });
    const answers: Buffer[] = [];
    const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(port)));
    for (const socket of sockets) {
      socket.on('data', (chunk) => answers.push(chunk));
      socket.write(`${WRITE}Content-Length: ${1 << 20}\r\n\r\n`);
    }
    await until(() => answers.length === 44);
    expect(Buffer.concat(answers).toString()).toContain('503 Service Unavailable');
    expect(Buffer.concat(answers).toString()).toContain('Retry-After: 1');
    for (const socket of sockets) socket.destroy();
    const body = 'x'.repeat(1 << 20);
    await until(async () => (await ask(port, '/api/write', { body })).status === 200);
    expect(store.written).toHaveLength(1);
  });

  it('lets a client that is still sending see why it was refused', async () => {
    const { port } = await start({ config: configWith({ maxBodySize: 1 << 20 }) });
    const socket = await openSocket(port);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const size = 20 << 20;
    socket.write(`${WRITE}Content-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
    await once(socket, 'close');
    expect(statuses(Buffer.concat(chunks).toString())).toEqual([413]);
    expect(socket.bytesWritten).toBeGreaterThanOrEqual(size);
  });

  it('keeps the connection after a small refused body', async () => {
    const { port } = await start();
    const bad = `POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: ${LINE.length}\r\n\r\n${LINE}`;
    const good = `${WRITE}Content-Length: ${LINE.length}\r\n\r\n${LINE}`;
    expect(statuses(await exchange(port, bad + good, { answers: 2 }))).toEqual([404, 200]);
  });
});

describe('slow clients', () => {
  it('are told 408 when headers or body do not arrive in time', async () => {
    const { port, server, store } = await start();
    expect(server.headersTimeout).toBe(10_000);
    expect(server.requestTimeout).toBe(120_000);
    server.headersTimeout = 100;
    server.requestTimeout = 200;
    const slow = [`${WRITE}X-Slow: `, `${WRITE}Content-Length: 100\r\n\r\n${LINE}`];
    const answers = await Promise.all(slow.map((bytes) => exchange(port, bytes)));
    expect(answers.map(statuses)).toEqual([[408], [408]]);
    expect(jsonOf(answers[0] ?? '')).toEqual({
      status: 'Request Timeout',
      error: 'the request did not arrive in time',
    });
    expect(store.written).toEqual([]);
  });
});

describe('clients that leave', () => {
  it('while the store works cost nothing but the answer', async () => {
    const { port, store, observed } = await start();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const write = store.write.bind(store);
    store.write = async (...body) => {
      const outcome = await write(...body);
      await gate;
      return outcome;
    };
    const socket = await openSocket(port);
    socket.write(`${WRITE}Content-Length: ${LINE.length}\r\n\r\n${LINE}`);
    await until(() => store.written.length === 1);
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    await until(() => observed.length === 1);
    expect((await ask(port, '/healthz')).status).toBe(200);
  });
});

describe('pipelining', () => {
  it('answers in order', async () => {
    const { port, store } = await start();
    const write = `${WRITE}Content-Length: ${LINE.length}\r\n\r\n${LINE}`;
    const query = 'GET /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    const last = 'GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(statuses(await exchange(port, write + query + write + query + last))).toEqual([200, 200, 200, 200, 404]);
    expect(store.written).toHaveLength(2);
  });

  it('answers the good request before the rubbish behind it', async () => {
    const { port, store } = await start();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    store.pieces = async function* () {
      await gate;
      yield Buffer.from('{"results":[]}\n');
    };
    const answered = exchange(port, 'GET /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}rubbish\r\n\r\n');
    await until(() => store.queried.length === 1);
    release();
    expect(statuses(await answered)).toEqual([200, 400]);
  });
});

describe('many connections', () => {
  it('opens and closes 10 000 of them without keeping anything', async () => {
    const { port, server } = await start({ observe: () => {} });
    const round = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 100) {
        const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(port)));
        sockets.forEach((socket, i) => {
          // A third leave without a word, a third in the middle of a request, a third after one.
          if (i % 3 === 0) socket.destroy();
          else if (i % 3 === 1) socket.write(`${WRITE}Content-Length: 5000\r\n\r\n${LINE}`, () => socket.destroy());
          else {
            socket.on('data', () => socket.end());
            socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
          }
        });
        await Promise.all(sockets.map(closed));
      }
    };
    const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    /** Bytes that stay after garbage collection; sockets need some turns of the event loop to be let go. */
    const settled = async (): Promise<number> => {
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        collectGarbage();
      }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    await round(2000);
    const before = await settled();
    await round(8000);
    await until(async () => (await connections()) === 0);
    // One answer kept a connection would be 8000 times some kilobytes.
    expect((await settled()) - before).toBeLessThan(4 << 20);
    expect((await ask(port, '/healthz')).status).toBe(200);
  });
});

describe('close', () => {
  it('finishes what is in flight, refuses what comes after, and leaves idle connections', async () => {
    const http = await start();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    http.store.pieces = async function* () {
      await gate;
      yield Buffer.from('{"results":[]}\n');
    };
    const idle = await openSocket(http.port);
    const used = await openSocket(http.port);
    used.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(used, 'data');
    const answer = ask(http.port, '/api/query', { body: '{}' });
    await until(() => http.store.queried.length === 1);
    let isClosed = false;
    const closing = http.close().then(() => {
      isClosed = true;
    });
    await expect(ask(http.port, '/healthz')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    expect(isClosed).toBe(false);
    release();
    expect(await answer).toMatchObject({ status: 200, body: '{"results":[]}\n' });
    await closing;
    await Promise.all([idle, used].map(closed));
  });

  it('does not wait for connections on which nothing is in flight', async () => {
    const http = await start();
    // Neither leaves by itself.
    http.server.timeout = 0;
    http.server.keepAliveTimeout = 2 * TEST_LIMIT;
    const silent = await openSocket(http.port);
    const used = await openSocket(http.port);
    used.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(used, 'data');
    await http.close();
    await Promise.all([silent, used].map(closed));
  });
});

describe('startHttp', () => {
  it('says which address it cannot have', async () => {
    const { port } = await start();
    await expect(start({ config: configWith({}, { port }) })).rejects.toThrow(
      `main.addr: cannot listen on 127.0.0.1:${port}: EADDRINUSE`,
    );
  });
});
