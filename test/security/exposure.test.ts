/** What the server shows to whom: no secret to anyone, no metric data without a token, careful headers on every answer. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { freePort } from '../support/ports.js';
import { config } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';
import { until } from '../support/wait.js';

const key = tokenKey();
const good = token(key, { user: 'a-secret-user', exp: Math.floor(Date.now() / 1000) + 3600 });
const expired = token(key, { user: 'another-secret', exp: 1 });
const secrets = {
  natsPassword: 'nats-Passw0rd-of-the-config',
  urlPassword: 'url-Passw0rd-of-the-config',
  backendPassword: 'backend-Passw0rd-of-the-config',
  backendToken: 'backend-T0ken-of-the-config',
};
/** Names that stand for data: none of them may appear where no token was shown. */
const data = { cluster: 'clusterofsecrets', host: 'hostofsecrets', level: 'levelofsecrets', metric: 'cpu_load' };

let server: ServerProcess;
let secured: object;

beforeAll(async () => {
  const nowhere = await freePort();
  secured = {
    ...config(
      {
        'jwt-public-key': key.base64,
        'backend-url': `http://user:${secrets.backendPassword}@127.0.0.1:${nowhere}`,
        'backend-token': secrets.backendToken,
      },
      {
        // A retention of a second asks the backend, which is not there, in the first moments.
        'retention-in-memory': '1s',
        'nats-subscriptions': [{ 'subscribe-to': 'subject', 'cluster-tag': 'c' }],
      },
    ),
    nats: {
      address: `nats://127.0.0.1:${nowhere},nats://user:${secrets.urlPassword}@127.0.0.1:${nowhere}`,
      username: 'u',
      password: secrets.natsPassword,
    },
  };
  server = await startServer(
    (port) => ({ ...secured, main: { ...(secured as { main: object }).main, addr: `127.0.0.1:${port}` } }),
    { args: ['-dev', '-loglevel', 'debug'] },
  );
});
afterAll(() => server.stop());

const line = `${data.metric},cluster=${data.cluster},hostname=${data.host},type=${data.level},type-id=1 value=1\n`;
const open = [
  '/',
  '/healthz',
  '/metrics',
  '/ping',
  '/health',
  '/swagger',
  '/swagger/',
  '/swagger/doc.json',
  '/nothing',
  '/api',
  '/swagger/nothing',
];

describe('without a token', () => {
  it('nothing of the data is to be seen, before and after something was written', async () => {
    const stored = await ask(server.port, '/api/write', { body: line, headers: bearer(good) });
    expect(stored.status).toBe(200);
    for (const path of [...open, '/api/debug', '/api/query', '/api/debug?summary=1']) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE', 'DELETE']) {
        const answer = await ask(server.port, path, { method });
        const seen = JSON.stringify(answer.headers) + answer.body;
        for (const name of [data.cluster, data.host, data.level])
          expect([path, seen.includes(name)]).toEqual([path, false]);
        // Metrics are named in the config alone; the API page has none of them.
        expect([path, /mem_used/.test(seen)]).toEqual([path, false]);
      }
    }
  });

  it('an error repeats neither the body nor anything of another request', async () => {
    for (const path of ['/api/write', '/api/query', '/api/healthcheck', '/api/free?to=1', '/write', '/api/v2/write']) {
      const { status, body } = await ask(server.port, path, { body: line });
      expect([path, status]).toEqual([path, 401]);
      expect(body).not.toContain(data.host);
    }
  });
});

describe('secrets', () => {
  it('are in no answer', async () => {
    const seen: string[] = [];
    const see = async (path: string, options: Parameters<typeof ask>[2] = {}) => {
      const { headers, body } = await ask(server.port, path, options);
      seen.push(JSON.stringify(headers), body);
    };
    for (const path of open) await see(path);
    for (const jwt of [good, expired, `${good.slice(0, -6)}AAAAAA`, good.slice(0, 40), `${good}.x`]) {
      for (const path of ['/api/debug', '/api/query', '/api/debug?summary=1', `/api/debug?selector=${jwt}`])
        await see(path, { headers: bearer(jwt) });
      await see('/api/query', { headers: bearer(jwt), body: '{"cluster": 1}' });
      await see('/api/write', { headers: bearer(jwt), body: 'bad line' });
      await see('/write?db=x', { headers: { authorization: `Token ${jwt}` }, body: 'bad line' });
    }
    const all = seen.filter((text) => !text.includes('not found:')).join('\n');
    for (const secret of [...Object.values(secrets), key.base64, key.raw.toString('base64url')])
      expect(all).not.toContain(secret);
    for (const jwt of [good, expired]) for (const part of jwt.split('.').slice(1)) expect(all).not.toContain(part);
    expect(all).not.toContain('a-secret-user');
  });

  it('are not in the log, not even at the level debug with everything failing', async () => {
    // It has been tried, and it failed: else this would prove nothing.
    await until(() => /cannot connect to/.test(server.log()) && /used_nodes/.test(server.log()));
    const log = server.log();
    for (const secret of [...Object.values(secrets), key.base64, 'a-secret-user', 'another-secret'])
      expect(log).not.toContain(secret);
    for (const jwt of [good, expired]) for (const part of jwt.split('.').slice(1)) expect(log).not.toContain(part);
  });

  it('are not in what -check-config prints, of a good config as of a bad one', () => {
    const path = join(server.dir, 'config.json');
    const check = (args: string[]) => {
      const { stdout, stderr } = spawnSync(process.execPath, ['dist/server.js', '-check-config', ...args], {
        encoding: 'utf8',
      });
      return stdout + stderr;
    };
    const text = check(['-config', path]);
    expect(text).toMatch(/NATS: .*127\.0\.0\.1/);
    for (const secret of [...Object.values(secrets), key.base64]) expect(text).not.toContain(secret);
    const bad = join(server.dir, 'bad.json');
    const privateKey = key.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    for (const change of [
      { nats: [{ password: secrets.natsPassword }] },
      { nats: { address: 'n', password: { text: secrets.natsPassword } } },
      { nats: { address: `user:${secrets.urlPassword}@host`, password: 1, 'nkey-file': '' } },
      { main: { 'jwt-public-key': privateKey } },
      { main: { 'backend-url': `ftp://user:${secrets.backendPassword}@x@host/` } },
      { main: { addr: { 'jwt-public-key': privateKey } } },
    ]) {
      writeFileSync(bad, JSON.stringify({ ...secured, ...change }));
      const problems = check(['-config', bad]);
      expect(problems).toMatch(/<2>\[CRIT\] server: .*bad\.json:\d+:\d+: (main|nats)/);
      for (const secret of [...Object.values(secrets), privateKey.slice(20, 40)])
        expect(problems).not.toContain(secret);
    }
  });

  it('are not in the command line or the environment that others can see', () => {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(server.pid)], { encoding: 'utf8' });
    for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
  });
});

describe('headers', () => {
  it('forbid sniffing and referrers on every answer, and caching of all but the page, which holds no data', async () => {
    for (const path of [...open, '/api/debug', '/api/query']) {
      const { headers } = await ask(server.port, path);
      expect([path, headers['x-content-type-options'], headers['cache-control'], headers['referrer-policy']]).toEqual([
        path,
        'nosniff',
        path === '/' ? 'no-cache' : 'no-store',
        'no-referrer',
      ]);
    }
  });

  it('give pages a policy that lets in nothing from elsewhere, and no frame around them', async () => {
    for (const path of ['/', '/swagger/']) {
      const policy = String((await ask(server.port, path)).headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'none';/);
      expect(policy).toMatch(/frame-ancestors 'none'/);
      expect(policy).not.toMatch(/https?:|\*|'unsafe-/);
    }
  });

  it('name no software version of ours or of Node, and let no other site in', async () => {
    for (const path of [...open, '/api/debug']) {
      const { headers } = await ask(server.port, path, { headers: { origin: 'http://evil.example' } });
      expect(headers.server).toBeUndefined();
      expect(headers['x-powered-by']).toBeUndefined();
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    const preflight = {
      origin: 'http://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const answer = await ask(server.port, '/api/write', { method: 'OPTIONS', headers: preflight });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([405, undefined]);
  });

  it('cannot be added to by a client: no line break gets through', async () => {
    for (const path of ['/%0d%0aX-Evil:%201', '/api/debug?selector=%0d%0aX-Evil:%201', '/swagger/%0d%0aX-Evil:1']) {
      const { headers } = await ask(server.port, path, { headers: bearer(good) });
      expect(headers['x-evil']).toBeUndefined();
    }
  });
});

describe('texts that clients choose', () => {
  it('come back as JSON only, never as markup', async () => {
    const markup = encodeURIComponent('<script>alert(1)</script>');
    for (const path of [
      `/${markup}`,
      `/api/debug?selector=${markup}`,
      `/swagger/${markup}`,
      `/write?db=x&precision=${markup}`,
      `/api/free?to=${markup}`,
    ]) {
      const method = path.startsWith('/write') || path.startsWith('/api/free') ? 'POST' : 'GET';
      const { status, headers, body } = await ask(server.port, path, { method, headers: bearer(good) });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers['content-type']).toBe('application/json');
      expect(() => JSON.parse(body)).not.toThrow();
    }
  });

  it('forge no line in the log', async () => {
    await ask(server.port, '/api/write?cluster=c', {
      headers: bearer(good),
      body: `cpu_load,hostname=a\u2028<2>[CRIT] forged value=x 1\r\n<2>[CRIT] forged`,
    });
    for (const each of server.log().trim().split('\n'))
      expect(each).toMatch(/^<[2-7]>\[(CRIT|ERR|WARN|INFO|DEBUG)\] [\w ]+: /);
    expect(server.log()).not.toMatch(/^<2>\[CRIT\] forged/m);
  });
});
