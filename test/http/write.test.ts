import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/store/store.js';
import { ask, exchange } from '../support/client.js';
import { configWith } from '../support/config.js';
import { errorOf, start } from './harness.js';

const LINE = 'cpu_load,hostname=a1 value=1 1699999980\n';

describe('POST /api/write', () => {
  it('hands the body over as it is and answers 200 without a body', async () => {
    const { port, store, observed } = await start();
    const answer = await ask(port, '/api/write/?cluster=alex', { body: LINE });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['content-length']).toBe('0');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(store.written).toEqual([{ text: LINE, cluster: 'alex', precision: 'auto' }]);
    expect(observed).toMatchObject([{ route: '/api/write', status: 200, bytes: LINE.length }]);
  });

  it('answers without the trailing slash, and decodes the cluster', async () => {
    const { port, store } = await start();
    await ask(port, '/api/write?cluster=a%20b', { body: LINE });
    await ask(port, '/api/write', { body: LINE });
    expect(store.written.map(({ cluster }) => cluster)).toEqual(['a b', '']);
  });

  it('names refused lines and says how many', async () => {
    const { port, store } = await start();
    store.outcome = {
      stored: 3,
      skipped: 1,
      refused: 2,
      refusals: [
        { line: 3, reason: 'no host' },
        { line: 5, reason: 'bad value "x"' },
      ],
    };
    const answer = await ask(port, '/api/write', { body: LINE });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({
      status: 'Bad Request',
      error: '2 of 6 lines refused: line 3: no host; line 5: bad value "x"',
    });
  });

  it('shows the first ten refusals and counts the rest', async () => {
    const { port, store } = await start();
    const refusals = Array.from({ length: 12 }, (_, i) => ({ line: i + 1, reason: 'no host' }));
    store.outcome = { stored: 0, skipped: 0, refused: 500, refusals };
    const error = errorOf(await ask(port, '/api/write', { body: LINE }));
    expect(error).toContain('500 of 500 lines refused: line 1: no host;');
    expect(error).toContain('line 10: no host; and 490 more');
    expect(error).not.toContain('line 11');
  });

  it('takes an empty body without asking the store', async () => {
    const { port, store } = await start();
    expect((await ask(port, '/api/write', { body: '' })).status).toBe(200);
    expect(store.written).toEqual([]);
  });

  it.each([
    [new StoreError('OVERLOADED', 'busy'), 503, 'busy', true],
    [new StoreError('LOG_FAILED', 'disk full'), 503, 'disk full', true],
    [new StoreError('OUT_OF_MEMORY', 'partition 3 is full'), 503, 'partition 3 is full', true],
    [new StoreError('STOPPING', 'stopping'), 503, 'stopping', true],
    [new StoreError('INTERNAL', 'secret'), 500, "internal error; the server's log has the details", false],
    [new TypeError('secret'), 500, "internal error; the server's log has the details", false],
  ])('maps %s', async (outcome, status, message, retry) => {
    const { port, store, logged } = await start();
    store.outcome = outcome;
    const answer = await ask(port, '/api/write', { body: LINE });
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toBe(message);
    expect(answer.headers['retry-after'] !== undefined).toBe(retry);
    expect(logged.some((line) => line.includes('secret'))).toBe(status === 500);
  });

  it('refuses while stopping before the body is read', async () => {
    const { port, store } = await start();
    store.state = 'stopping';
    const answer = await ask(port, '/api/write', { body: LINE });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(store.taken).toBe(0);
  });
});

describe('bodies', () => {
  it('takes exactly one buffer when the length is known', async () => {
    const { port, store } = await start();
    const text = LINE.repeat(2000);
    await ask(port, '/api/write', { body: text });
    expect(store.written[0]?.text).toBe(text);
    expect(store.taken).toBe(text.length);
  });

  it('grows for large bodies and for chunked ones', async () => {
    const { port, store } = await start();
    const text = LINE.repeat(120_000);
    expect((await ask(port, '/api/write', { body: text })).status).toBe(200);
    expect((await ask(port, '/api/write', { body: text, headers: { 'Transfer-Encoding': 'chunked' } })).status).toBe(
      200,
    );
    expect(store.written.map((written) => written.text === text)).toEqual([true, true]);
  });

  it('refuses bodies over the limit, by length and when chunked, and takes one that just fits', async () => {
    const { port, store } = await start({ config: configWith({ maxBodySize: 1000 }) });
    const tooLong = await ask(port, '/api/write', { body: 'x'.repeat(1001) });
    expect(tooLong.status).toBe(413);
    expect(errorOf(tooLong)).toContain('1000 bytes');
    const chunked = await exchange(
      port,
      `POST /api/write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(store.written).toEqual([]);
    expect((await ask(port, '/api/write', { body: 'x'.repeat(1000) })).status).toBe(200);
  });

  it('answers 413 before a client that waits for 100 Continue sends anything', async () => {
    const { port } = await start({ config: configWith({ maxBodySize: 1000 }) });
    const head = 'POST /api/write HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ';
    const refused = await exchange(port, `${head}5000\r\n\r\n`, { answers: 1 });
    expect(refused).toMatch(/^HTTP\/1\.1 413 /);
    const welcome = await exchange(port, `${head}5\r\n\r\n`, { answers: 1 });
    expect(welcome).toMatch(/^HTTP\/1\.1 100 /);
  });

  it('unpacks gzip', async () => {
    const { port, store } = await start();
    const text = LINE.repeat(5000);
    const answer = await ask(port, '/api/write?cluster=c', {
      body: gzipSync(text),
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect(answer.status).toBe(200);
    expect(store.written[0]?.text).toBe(text);
  });

  it('refuses gzip that is damaged, cut short, or grows beyond the limit', async () => {
    const { port, store } = await start({ config: configWith({ maxBodySize: 100_000 }) });
    const gzip = { 'Content-Encoding': 'gzip' };
    const good = gzipSync(LINE.repeat(100));
    const damaged = Buffer.from(good);
    damaged[20] = (damaged[20] ?? 0) ^ 0xff;
    const bomb = gzipSync(Buffer.alloc(50 << 20));
    for (const [body, status] of [
      [damaged, 400],
      [good.subarray(0, good.length - 9), 400],
      [Buffer.concat([good, Buffer.from('x')]), 400],
      [Buffer.from('plain text'), 400],
      [bomb, 413],
    ] as const) {
      const answer = await ask(port, '/api/write', { body, headers: gzip });
      expect(answer.status).toBe(status);
    }
    expect(store.written).toEqual([]);
    expect(store.taken).toBeLessThan(1_000_000);
  });

  it('refuses other encodings', async () => {
    const { port } = await start();
    const answer = await ask(port, '/api/write', { body: LINE, headers: { 'Content-Encoding': 'br' } });
    expect(answer.status).toBe(415);
    expect(answer.headers['accept-encoding']).toBe('gzip');
  });
});
