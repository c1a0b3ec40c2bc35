/** Who has no token that the key's owner signed gets nothing, whatever the token says of itself. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey, unsigned } from '../support/tokens.js';

const key = tokenKey();
const now = Math.floor(Date.now() / 1000);
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer((port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }));
});
afterAll(() => server.stop());

const pem = key.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const der = key.publicKey.export({ format: 'der', type: 'spki' });
const jwk = key.publicKey.export({ format: 'jwk' });

function hmac(secret: string | Buffer, alg = 'HS256'): string {
  const text = unsigned({ alg, typ: 'JWT' }, { user: 'admin' });
  const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[alg] ?? 'sha256';
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

/** Signed by a fresh key pair of another kind, with the header naming the kind. */
function foreign(alg: string): string {
  const text = Buffer.from(unsigned({ alg }, { user: 'admin' }));
  const { privateKey } = alg.startsWith('RS')
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return `${text}.${sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const attacker = tokenKey();
const attackerJwk = attacker.publicKey.export({ format: 'jwk' });
const good = token(key, { user: 'collector' });
const [head = '', claims = '', signature = ''] = good.split('.');

/** The signature's other form: S plus the group's order verifies where that is not checked (RFC 8032, 5.1.7). */
function malleable(): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bytes = Buffer.from(signature, 'base64url');
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(bytes[i] ?? 0);
  s += order;
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 0xffn);
  return `${head}.${claims}.${bytes.toString('base64url')}`;
}

const forged: [string, string][] = [
  ['HS256 with the raw public key as the secret', hmac(key.raw)],
  ['HS256 with the base64 text of the public key as the secret', hmac(key.base64)],
  ['HS256 with the PEM of the public key as the secret', hmac(pem)],
  ['HS256 with the DER of the public key as the secret', hmac(der)],
  ['HS384 with the raw public key as the secret', hmac(key.raw, 'HS384')],
  ['HS512 with the raw public key as the secret', hmac(key.raw, 'HS512')],
  ['RS256', foreign('RS256')],
  ['ES256', foreign('ES256')],
  ['none', `${unsigned({ alg: 'none' }, { user: 'admin' })}.`],
  ['None', `${unsigned({ alg: 'None' }, { user: 'admin' })}.`],
  ['none beside a good signature', token(key, {}, { alg: 'none' })],
  ['no algorithm at all', token(key, {}, { typ: 'JWT' })],
  ['an algorithm that is not text', token(key, {}, { alg: ['EdDSA'] })],
  ['HS256 in the header, EdDSA in truth', token(key, {}, { alg: 'HS256' })],
  ['a critical extension that nobody knows', token(key, {}, { alg: 'EdDSA', crit: ['x'], x: 1 })],
  ["another key's signature", token(attacker)],
  ['a key that the token brings along', token(attacker, {}, { alg: 'EdDSA', jwk: attackerJwk })],
  ['a key id that is a path', token(attacker, {}, { alg: 'EdDSA', kid: '../../../../dev/null' })],
  ['a key set to be fetched', token(attacker, {}, { alg: 'EdDSA', jku: 'http://127.0.0.1:1/jwks.json' })],
  ["the good token's signature under other claims", `${unsigned({ alg: 'EdDSA' }, { user: 'root' })}.${signature}`],
  ['a signature of zeros', `${head}.${claims}.${Buffer.alloc(64).toString('base64url')}`],
  ['an empty signature', `${head}.${claims}.`],
  ['a malleated signature', malleable()],
  ['expired', token(key, { exp: now - 1 })],
  ['expired in 1970', token(key, { exp: 0 })],
  ['not valid yet', token(key, { nbf: now + 3600 })],
  ['an expiry that is text', token(key, { exp: '9999999999' })],
  ['an expiry that is null', token(key, { exp: null })],
  ['claims that are a list', token(key, [])],
];

const query = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'cpu_load', host: 'h' }] });
const routes: [string, string, string][] = [
  ['POST', '/api/write?cluster=c', `cpu_load,hostname=h value=1 ${TIME}\n`],
  ['POST', '/write?db=c', `cpu_load,hostname=h value=1 ${TIME}\n`],
  ['POST', '/api/v2/write?bucket=c', `cpu_load,hostname=h value=1 ${TIME}\n`],
  ['GET', '/api/query', query],
  ['POST', '/api/query', query],
  ['GET', '/api/healthcheck', JSON.stringify({ cluster: 'c', nodes: ['h'], 'metric-names': ['cpu_load'] })],
  ['GET', '/api/debug', ''],
  ['GET', '/api/debug?summary=1', ''],
  ['HEAD', '/api/debug', ''],
  ['POST', '/api/free?to=9999999999', '[["c"]]'],
];

async function stored(): Promise<string> {
  const { status, body } = await ask(server.port, '/api/debug', { headers: bearer(good) });
  expect(status).toBe(200);
  return body;
}

describe('a token', () => {
  it('opens every route when it is good', async () => {
    for (const [method, path, body] of routes) {
      const { status } = await ask(server.port, path, { method, body, headers: bearer(good) });
      expect([path, status < 300]).toEqual([path, true]);
    }
    expect((await ask(server.port, '/api/free?to=0', { body: '[["c"]]', headers: bearer(good) })).status).toBe(200);
  });

  it.each(forged)('opens nothing with %s', async (_, jwt) => {
    const before = await stored();
    const samples = (await ask(server.port, '/metrics')).body.match(/^ccms_lines_total .*/m)?.[0];
    for (const [method, path, body] of routes) {
      for (const scheme of ['Bearer', 'Token']) {
        const headers = { authorization: `${scheme} ${jwt}` };
        const answer = await ask(server.port, path, { method, body, headers });
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.body).not.toContain(jwt.split('.')[1]);
      }
    }
    expect(await stored()).toBe(before);
    expect((await ask(server.port, '/metrics')).body.match(/^ccms_lines_total .*/m)?.[0]).toBe(samples);
  });

  it('counts in the header only: not in the URL, a cookie, a second header or Basic', async () => {
    for (const [path, headers] of [
      [`/api/debug?jwt=${good}&access_token=${good}&token=${good}`, {}],
      ['/api/debug', { cookie: `jwt=${good}; access_token=${good}` }],
      ['/api/debug', { 'x-authorization': `Bearer ${good}`, 'proxy-authorization': `Bearer ${good}` }],
      ['/api/debug', { authorization: `Basic ${Buffer.from(`user:${good}`).toString('base64')}` }],
      ['/api/debug', { authorization: good }],
      ['/api/debug', { authorization: `Bearer Bearer ${good}` }],
      ['/write?db=c&u=admin&p=admin', { method: 'POST' }],
    ] as const) {
      expect((await ask(server.port, path, { headers: headers as Record<string, string> })).status).not.toBe(200);
    }
  });

  it('is forgotten with its expiry, also when it was good a moment ago', async () => {
    const brief = token(key, { exp: Math.floor(Date.now() / 1000) + 2 });
    expect((await ask(server.port, '/api/debug', { headers: bearer(brief) })).status).toBe(200);
    await new Promise((resume) => setTimeout(resume, 2100));
    expect((await ask(server.port, '/api/debug', { headers: bearer(brief) })).status).toBe(401);
  });

  it('is remembered within bounds: 5000 long ones fit into a heap of 48 MB', async () => {
    // Kept for ever, they would be 5000 x 15 KB, and the process would end.
    const small = await startServer(
      (port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }, { 'num-workers': 1 }),
      { env: { NODE_OPTIONS: '--max-old-space-size=48' } },
    );
    const filler = 'x'.repeat(11_000);
    for (let i = 0; i < 5000; i += 20) {
      const jwts = Array.from({ length: 20 }, (_, n) => token(key, { i: i + n, filler }));
      const answers = await Promise.all(
        jwts.map((jwt) => ask(small.port, '/api/free?to=0', { body: '[]', headers: bearer(jwt) })),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    }
    expect(await small.stop()).toBe(0);
  });
});

describe('the key', () => {
  it.each([
    ['PEM', pem, /a PEM file/],
    ['DER', der.toString('base64'), /a DER key of 44 bytes/],
    ['base64url', Buffer.alloc(32, 0xfb).toString('base64url'), /base64url perhaps|without its "="/],
    ['hex', key.raw.toString('hex'), /this is \d+ bytes/],
    ['JWK', JSON.stringify(jwk), /main.jwt-public-key/],
    ['31 bytes', key.raw.subarray(1).toString('base64'), /31 bytes/],
    ['a private key', key.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'), /48 bytes/],
  ])('in %s stops the start, and is not shown', async (_, text, message) => {
    const started = startServer((port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': text }));
    await expect(started).rejects.toThrow(message);
    await expect(started).rejects.toThrow(/main\.jwt-public-key/);
    const error = await started.catch((thrown: Error) => thrown.message);
    expect(error).not.toContain(text.slice(4, 24));
  });
});
