/** The page as the server gives it out: which files, how compressed, how long to be kept. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { start } from './harness.js';

const PAGE = '<!doctype html><title>x</title>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(200))})`;

let port: number;
let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  mkdirSync(join(directory, 'assets'));
  writeFileSync(join(directory, 'index.html'), PAGE);
  writeFileSync(join(directory, 'assets/index-a1.js'), SCRIPT);
  writeFileSync(join(directory, 'assets/index-a1.js.br'), brotliCompressSync(SCRIPT));
  writeFileSync(join(directory, 'assets/index-a1.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(directory, 'assets/index-a1.css'), 'a{}');
  writeFileSync(join(directory, 'secret.pem'), 'secret');
  ({ port } = await start({ pageDirectory: directory }));
});

describe('GET /', () => {
  it('is the page, under a policy that allows nothing inline and nothing from elsewhere', async () => {
    const answer = await ask(port, '/');
    expect(answer).toMatchObject({ status: 200, body: PAGE });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    });
    const policy = answer.headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|data:|blob:|https?:|\*/);
  });

  it('is not sent again to whoever has it', async () => {
    const { headers } = await ask(port, '/');
    const { etag = '' } = headers;
    expect(etag).toMatch(/^"[\w-]{16}"$/);
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(port, '/', { headers: { 'if-none-match': given } });
      expect([given, again.status, again.body]).toEqual([given, 304, '']);
      expect(again.headers).toMatchObject({ etag, 'cache-control': 'no-cache' });
      expect(again.headers['content-length']).toBeUndefined();
    }
    expect((await ask(port, '/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('answers HEAD without the body, and 404 to a server whose page was not built', async () => {
    const head = await ask(port, '/', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, String(PAGE.length), '']);
    const { port: bare } = await start({ pageDirectory: join(directory, 'nothing') });
    const answer = await ask(bare, '/');
    expect([answer.status, JSON.parse(answer.body).error]).toEqual([404, 'the page is not built: run "npm run build"']);
  });
});

describe("the page's files", () => {
  it('are kept for ever: their names change with their contents', async () => {
    const answer = await ask(port, '/assets/index-a1.js');
    expect(answer).toMatchObject({ status: 200, body: SCRIPT });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    });
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['identity', undefined],
  ])('come as the client takes them: %s', async (accept, coding) => {
    const answer = await ask(port, '/assets/index-a1.js', { headers: { 'accept-encoding': accept } });
    expect(answer.headers['content-encoding']).toBe(coding);
    const unpack = coding === 'br' ? brotliDecompressSync : coding === 'gzip' ? gunzipSync : (bytes: Buffer) => bytes;
    expect(unpack(answer.bytes).toString()).toBe(SCRIPT);
    // A cache must not give one coding for another.
    expect(answer.headers.etag).toMatch(
      coding === undefined ? /^"[\w-]{16}"$/ : new RegExp(`^"[\\w-]{16}-${coding}"$`),
    );
  });

  it('that gain nothing are sent as they are', async () => {
    const answer = await ask(port, '/assets/index-a1.css', { headers: { 'accept-encoding': 'br' } });
    expect([answer.body, answer.headers['content-encoding']]).toEqual(['a{}', undefined]);
  });

  it('are all that can be had', async () => {
    for (const name of ['secret.pem', '..%2fsecret.pem', '..%2findex.html', 'index-a1.js.br', '__proto__', 'a/b']) {
      expect([name, (await ask(port, `/assets/${name}`)).status]).toEqual([name, 404]);
    }
    expect((await ask(port, '/secret.pem')).status).toBe(404);
    expect((await ask(port, '/index.html')).status).toBe(404);
  });
});
