/** Bodies, headers and connections that are made to exhaust: refused at a bound, while others go on being served. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, openSocket, query, write } from '../support/client.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const MAX_BODY = 4 << 20;
let server: ServerProcess;
beforeAll(async () => {
  server = await startServer(config({}, { 'max-body-size': MAX_BODY }));
});
afterAll(() => server.stop());

const gzip = { 'content-encoding': 'gzip' };
const good = `cpu_load,cluster=c,hostname=h value=1 ${TIME}\n`;

/** Megabytes in use by the process. */
const rss = (): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;

async function expectServing(): Promise<void> {
  expect((await write(server.port, good)).status).toBe(200);
  const { results } = await query(server.port, {
    cluster: 'c',
    from: TIME,
    to: TIME + 60,
    queries: [{ metric: 'cpu_load', host: 'h' }],
  });
  expect(results[0]?.[0]?.data).toEqual([1]);
}

async function opened(bytes: string): Promise<Socket> {
  const socket = await openSocket(server.port);
  socket.write(bytes);
  return socket;
}

describe('a gzip bomb', () => {
  /** 1 GB of zeros in about 1 MB: members one after the other are one gzip file. */
  const member = gzipSync(Buffer.alloc(32 << 20), { level: 9 });
  const bomb = Buffer.concat(Array.from({ length: 32 }, () => member));

  it.each(['/api/write', '/write?db=c', '/api/v2/write?bucket=c'])('at %s ends at max-body-size', async (path) => {
    const before = rss();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask(server.port, path, { body: bomb, headers: gzip })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 413));
    expect(rss() - before).toBeLessThan(150);
    await expectServing();
  });

  it.each(['/api/query', '/api/healthcheck', '/api/free?to=1'])('at %s ends at its bound', async (path) => {
    const before = rss();
    expect((await ask(server.port, path, { body: bomb, headers: gzip })).status).toBe(413);
    expect(rss() - before).toBeLessThan(150);
    await expectServing();
  });

  it('of lines just within the bound is stored, one byte more is not', async () => {
    const line = `cpu_load,cluster=c,hostname=h value=1 ${TIME}\n`;
    const text = line.repeat(Math.floor(MAX_BODY / line.length)).padEnd(MAX_BODY, '\n');
    expect((await ask(server.port, '/api/write', { body: gzipSync(text), headers: gzip })).status).toBe(200);
    expect((await ask(server.port, '/api/write', { body: gzipSync(`${text}\n`), headers: gzip })).status).toBe(413);
  });

  it('in another wrapping is not unwrapped', async () => {
    const body = Buffer.alloc(1000, good);
    for (const [encoding, bytes] of [
      ['br', brotliCompressSync(body)],
      ['deflate', deflateSync(body)],
      ['gzip, gzip', gzipSync(gzipSync(body))],
      ['zstd', body],
    ] as const) {
      const headers = { 'content-encoding': encoding };
      expect([encoding, (await ask(server.port, '/api/write', { body: bytes, headers })).status]).toEqual([
        encoding,
        415,
      ]);
    }
    // Twice wrapped it is a line of an unknown metric with a strange name.
    const twice = gzipSync(gzipSync(`cpu_load,cluster=twice,hostname=h value=1 ${TIME}\n`));
    await ask(server.port, '/api/write', { body: twice, headers: gzip });
    expect((await ask(server.port, '/api/debug?selector=twice')).status).toBe(400);
  });

  it('that is cut, or is none, stores nothing', async () => {
    const zipped = gzipSync(`cpu_load,cluster=cut,hostname=h value=1 ${TIME}\n`);
    for (const body of [
      zipped.subarray(0, -4),
      zipped.subarray(0, 12),
      Buffer.from('no gzip'),
      Buffer.concat([zipped.subarray(0, 20), Buffer.alloc(20, 7)]),
    ]) {
      expect((await ask(server.port, '/api/write', { body, headers: gzip })).status).toBe(400);
    }
    expect((await ask(server.port, '/api/debug?selector=cut')).status).toBe(400);
  });
});

describe('headers', () => {
  it.each([
    ['one of 20 KB', `X: ${'y'.repeat(20_000)}\r\n`],
    ['2000 of them', Array.from({ length: 2000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')],
    ['the same name 2000 times', 'Cookie: a=b\r\n'.repeat(2000)],
    ['a token of 60 KB', `Authorization: Bearer ${'a'.repeat(60_000)}\r\n`],
  ])('%s: 431', async (_, lines) => {
    const socket = await opened(`GET /healthz HTTP/1.1\r\nHost: x\r\n${lines}\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 431 /);
    await expectServing();
  });

  it('that are many and small are taken within the bound, and change nothing', async () => {
    const lines = Array.from({ length: 900 }, (_, i) => `h${i}: ${i}\r\n`).join('');
    const socket = await opened(
      `GET /healthz HTTP/1.1\r\nHost: x\r\n__proto__: x\r\nconstructor: y\r\n${lines}Connection: close\r\n\r\n`,
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('JSON', () => {
  const from = TIME;
  const body = (text: string) => ask(server.port, '/api/query', { body: text });
  const pollution =
    '"__proto__": {"with-data": false, "isAdmin": true, "aggreg": true}, "constructor": {"prototype": {"polluted": 1}}';

  it('with __proto__ and constructor changes no answer but its own, and not even that', async () => {
    const plain = `{"cluster": "c", "from": ${from}, "to": ${from + 60}, "queries": [{"metric": "cpu_load", "host": "h"}]}`;
    const before = await body(plain);
    expect(before.status).toBe(200);
    const polluted = `{${pollution}, "cluster": "c", "from": ${from}, "to": ${from + 60}, "queries": [{"metric": "cpu_load", "host": "h", ${pollution}}]}`;
    expect((await body(polluted)).body).toBe(before.body);
    expect((await body(plain)).body).toBe(before.body);
    const health = `{"cluster": "c", "nodes": ["__proto__", "h", "constructor"], "metric-names": ["cpu_load", "__proto__"]}`;
    const answer = await ask(server.port, '/api/healthcheck', { body: health });
    expect([answer.status, Object.keys(JSON.parse(answer.body))]).toEqual([200, ['__proto__', 'h', 'constructor']]);
    const strict = `{"cluster": "c", "nodes": ["h"], "metric-names": ["cpu_load"], ${pollution}}`;
    expect((await ask(server.port, '/api/healthcheck', { body: strict })).status).toBe(400);
    expect((await body(plain)).body).toBe(before.body);
  });

  it('of a million brackets, of a huge number, of lone surrogates, or of the wrong kind is a 400', async () => {
    for (const text of [
      '['.repeat(1_000_000),
      `{"queries": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      '{"from": 1e999}',
      `{"from": ${'9'.repeat(100_000)}}`,
      '{"queries": {"length": 1e9}}',
      '{"queries": [{"type-ids": "0"}]}',
      'null',
      '[]',
      '"x"',
    ]) {
      const { status, body: answer } = await body(text);
      expect([text.slice(0, 30), status]).toEqual([text.slice(0, 30), 400]);
      expect(answer.length).toBeLessThan(1000);
    }
    expect((await body(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)).status).toBe(200);
    expect(
      (await body('{"cluster": "\\ud800", "from": 0, "to": 1, "queries": [{"metric": "cpu_load", "host": "\\udfff"}]}'))
        .status,
    ).toBe(200);
    await expectServing();
  });

  it('that asks for very much is answered in pieces, or refused, within bounded memory', async () => {
    const before = rss();
    const queries = Array.from({ length: 50_000 }, () => ({ metric: 'cpu_load', host: 'h' }));
    const many = await ask(server.port, '/api/query', {
      method: 'POST',
      body: JSON.stringify({ cluster: 'c', from, to: from + 60, queries }),
    });
    expect([many.status, (JSON.parse(many.body) as { results: unknown[] }).results.length]).toEqual([200, 50_000]);
    const padded = await ask(server.port, '/api/query', {
      method: 'POST',
      body: JSON.stringify({ cluster: 'c', from: 0, to: 2 ** 53, queries: queries.slice(0, 1) }),
    });
    expect([200, 400]).toContain(padded.status);
    expect(rss() - before).toBeLessThan(400);
    await expectServing();
  });
});

describe('slow clients', () => {
  it('cannot keep others out: 500 that dribble headers, bodies or nothing at all', async () => {
    const heads = [
      '',
      'GET /healthz HTTP/1.1\r\nHost: x\r\nX-',
      `POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: ${MAX_BODY}\r\n\r\n`,
      'POST /api/write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n',
      'POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{',
    ];
    const sockets = await Promise.all(Array.from({ length: 500 }, (_, i) => opened(heads[i % heads.length] ?? '')));
    const answers: string[] = sockets.map(() => '');
    const closed: number[] = [];
    for (const [i, socket] of sockets.entries()) {
      socket.on('data', (chunk: Buffer) => {
        answers[i] += chunk.toString();
      });
      socket.on('close', () => closed.push(i));
    }
    const dribble = setInterval(() => {
      for (const [i, socket] of sockets.entries()) if (i % heads.length > 0 && !socket.destroyed) socket.write('a');
    });
    try {
      await expectServing();
      // Headers that do not end: 10 s, looked at every 2 s.
      await until(async () => {
        await expectServing();
        return closed.filter((i) => i % heads.length === 1).length === 100;
      }, 'the end of 100 connections');
      // Those that send their bodies so slowly were there all the while.
      expect(closed.filter((i) => i % heads.length === 2 || i % heads.length === 4)).toEqual([]);
      // A client that sends in the moment in which its connection is closed may lose the answer to a reset (RFC 9112, 9.6).
      const told = closed.filter((i) => i % heads.length === 1 && answers[i]);
      expect(told.length).toBeGreaterThan(0);
      for (const i of told) expect(answers[i]).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(dribble);
      for (const socket of sockets) socket.destroy();
    }
    expect(rss()).toBeLessThan(700);
    await expectServing();
  });

  it('that ask for much and read nothing do not fill the memory', async () => {
    const lines = Array.from(
      { length: 40_000 },
      (_, i) =>
        `cpu_load,cluster=big,hostname=h${i % 40},type=hwthread,type-id=${Math.floor(i / 40)} value=${i} ${TIME}`,
    );
    expect((await write(server.port, lines.join('\n'))).status).toBe(200);
    const before = rss();
    const body = JSON.stringify({
      cluster: 'big',
      from: TIME - 3600,
      to: TIME + 60,
      queries: Array.from({ length: 2000 }, (_, i) => ({
        metric: 'cpu_load',
        host: `h${i % 40}`,
        type: 'hwthread',
        'type-ids': Array.from({ length: 1000 }, (_, id) => String(id)),
      })),
    });
    const sockets = await Promise.all(
      Array.from({ length: 5 }, () =>
        opened(`POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      ),
    );
    for (const socket of sockets) socket.pause();
    await new Promise((resume) => setTimeout(resume, 3000));
    // Each answer would be some 500 MB.
    expect(rss() - before).toBeLessThan(500);
    for (const socket of sockets) socket.destroy();
    await expectServing();
  });
});
