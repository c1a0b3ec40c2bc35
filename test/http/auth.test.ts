import { generateKeyPairSync } from 'node:crypto';
import { exportJWK, importJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../src/http/auth.js';
import { HttpError } from '../../src/http/errors.js';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { errorOf, SWAGGER, start } from './harness.js';

/** The key and the token that the reference's documentation publishes for tests. */
const PUBLISHED_KEY = Buffer.from('kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'base64');
const PUBLISHED_TOKEN =
  'eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJ1c2VyIjoiYWRtaW4iLCJyb2xlcyI6WyJST0xFX0FETUlOIiwiUk9MRV9BTkFMWVNUIiwiUk9MRV9VU0VSIl19.d-3_3FZTsadPjDEdsWrrQ7nS0edMAR4zjl-eK7rJU3HziNBfI9PDHDIpJVHTNN5E5SlLGLFXctWyKAkwhXL-Dw';

const NOW = 1_700_000_000;

async function ownKey() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = await exportJWK(privateKey);
  const signing = await importJWK(jwk, 'EdDSA');
  return {
    publicKey: Buffer.from(jwk.x ?? '', 'base64url'),
    sign: (claims: Record<string, unknown>, alg = 'EdDSA') =>
      new SignJWT(claims).setProtectedHeader({ alg }).sign(signing),
  };
}

async function statusOf(checked: Promise<void>): Promise<number | string> {
  try {
    await checked;
    return 'ok';
  } catch (error) {
    return error instanceof HttpError ? error.status : String(error);
  }
}

describe('Authenticator', () => {
  it('accepts the published token and remembers it', async () => {
    const authenticator = await Authenticator.create(PUBLISHED_KEY);
    await authenticator.check(`Bearer ${PUBLISHED_TOKEN}`, 'bearer');
    await authenticator.check(`bearer ${PUBLISHED_TOKEN}`, 'bearer');
    expect(authenticator.cached).toBe(1);
  });

  it('takes Token only where InfluxDB clients write', async () => {
    const authenticator = await Authenticator.create(PUBLISHED_KEY);
    expect(await statusOf(authenticator.check(`Token ${PUBLISHED_TOKEN}`, 'influx'))).toBe('ok');
    expect(await statusOf(authenticator.check(`Bearer ${PUBLISHED_TOKEN}`, 'influx'))).toBe('ok');
    expect(await statusOf(authenticator.check(`Token ${PUBLISHED_TOKEN}`, 'bearer'))).toBe(401);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer x',
    'Bearer a.b.c',
    `Basic ${PUBLISHED_TOKEN}`,
    PUBLISHED_TOKEN,
    `Bearer ${PUBLISHED_TOKEN} x`,
    `Bearer ${PUBLISHED_TOKEN.replace('XL-Dw', 'AAAAA')}`,
    `Bearer ${PUBLISHED_TOKEN.slice(0, -1)}`,
    // alg none, and HS256 with the public key as its secret
    `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"user":"admin"}').toString('base64url')}.`,
    'Bearer eyJhbGciOiAiSFMyNTYifQ.eyJ1c2VyIjogImFkbWluIn0.AAAA',
  ])('refuses %s', async (header) => {
    const authenticator = await Authenticator.create(PUBLISHED_KEY);
    expect(await statusOf(authenticator.check(header, 'bearer'))).toBe(401);
    expect(authenticator.cached).toBe(0);
  });

  it('refuses HS256 signed with the public key as the secret', async () => {
    const authenticator = await Authenticator.create(PUBLISHED_KEY);
    const token = await new SignJWT({ user: 'admin' }).setProtectedHeader({ alg: 'HS256' }).sign(PUBLISHED_KEY);
    expect(await statusOf(authenticator.check(`Bearer ${token}`, 'bearer'))).toBe(401);
  });

  it('refuses a good token of another key', async () => {
    const { sign } = await ownKey();
    const authenticator = await Authenticator.create(PUBLISHED_KEY);
    expect(await statusOf(authenticator.check(`Bearer ${await sign({})}`, 'bearer'))).toBe(401);
  });

  it('honours exp and nbf, also for a remembered token', async () => {
    const { publicKey, sign } = await ownKey();
    let now = NOW;
    const authenticator = await Authenticator.create(publicKey, () => now * 1000);
    const token = `Bearer ${await sign({ exp: NOW + 60, nbf: NOW - 60 })}`;
    const at = (time: number) => {
      now = time;
      return statusOf(authenticator.check(token, 'bearer'));
    };
    expect(await at(NOW - 61)).toBe(401);
    expect(await at(NOW - 60)).toBe('ok');
    expect(await at(NOW + 59)).toBe('ok');
    expect(authenticator.cached).toBe(1);
    expect(await at(NOW + 60)).toBe(401);
    expect(authenticator.cached).toBe(0);
    expect(await at(NOW - 61)).toBe(401);
  });

  it('remembers at most 1024 tokens', async () => {
    const { publicKey, sign } = await ownKey();
    const authenticator = await Authenticator.create(publicKey);
    for (let i = 0; i < 1030; i++) await authenticator.check(`Bearer ${await sign({ i })}`, 'bearer');
    expect(authenticator.cached).toBe(1024);
  });

  it('says why, and never repeats the token', async () => {
    const { publicKey, sign } = await ownKey();
    const authenticator = await Authenticator.create(publicKey);
    const expired = await sign({ exp: 1 });
    for (const [token, reason] of [
      [expired, 'expired'],
      [await sign({ nbf: 1e12 }), 'not valid yet'],
      ['a.b.c', 'not a JWT'],
    ] as const) {
      const error = await authenticator.check(`Bearer ${token}`, 'bearer').catch((thrown: unknown) => thrown);
      expect((error as HttpError).message).toContain(reason);
      expect(JSON.stringify((error as HttpError).headers)).not.toContain(token.slice(-10));
    }
  });
});

describe('routes of a server with a key', () => {
  const secured = () =>
    start({
      config: configWith({}, { jwtPublicKey: PUBLISHED_KEY }),
      metrics: async () => 'up 1\n',
      swaggerDirectory: SWAGGER,
    });

  it('needs a token on every /api route and on the Influx write routes', async () => {
    const { port, store } = await secured();
    for (const [method, path] of [
      ['POST', '/api/write'],
      ['POST', '/api/write/?cluster=x'],
      ['GET', '/api/query'],
      ['POST', '/api/query/'],
      ['POST', '/api/free/?to=1'],
      ['GET', '/api/debug/'],
      ['GET', '/api/healthcheck'],
      ['POST', '/api/%77rite'],
      ['HEAD', '/api/debug'],
      ['POST', '/write?db=x'],
      ['POST', '/api/v2/write?bucket=x'],
    ] as const) {
      const answer = await ask(port, path, { method, body: '[]' });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
      if (method !== 'HEAD') expect(answer.body).toContain('use JWT authentication');
    }
    expect(store.written).toEqual([]);
    expect(store.debugged).toEqual([]);
  });

  it('answers with the token', async () => {
    const { port, store } = await secured();
    const headers = { Authorization: `Bearer ${PUBLISHED_TOKEN}` };
    expect((await ask(port, '/api/write?cluster=c', { body: 'm,hostname=h value=1', headers })).status).toBe(200);
    expect((await ask(port, '/api/debug', { headers })).status).toBe(200);
    const token = { Authorization: `Token ${PUBLISHED_TOKEN}` };
    expect((await ask(port, '/api/v2/write?bucket=c', { body: 'm,hostname=h value=1', headers: token })).status).toBe(
      204,
    );
    expect(store.written).toHaveLength(2);
  });

  it('leaves the open routes open', async () => {
    const { port } = await secured();
    for (const path of ['/', '/healthz', '/metrics', '/ping', '/health', '/swagger/', '/swagger/doc.json']) {
      expect([path, (await ask(port, path)).status < 300]).toEqual([path, true]);
    }
  });

  it('does not read the body of a refused write', async () => {
    const { port, store } = await secured();
    const answer = await ask(port, '/api/write', { body: 'x'.repeat(5_000_000) });
    expect(answer.status).toBe(401);
    expect(errorOf(answer)).toContain('Authorization');
    expect(store.taken).toBe(0);
  });
});
