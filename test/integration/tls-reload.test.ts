/** HTTPS with the real server: its versions, and a certificate that is renewed while connections live on. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const dir = temporaryDirectory();
const file = (name: string): string => join(dir, name);
const live = { cert: file('live.crt'), key: file('live.key') };
let server: ServerProcess;

function makePair(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365'];
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
  const run = spawnSync('openssl', ['req', ...kind, ...subject, ...out], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`openssl: ${run.stderr}`);
}

function put(name: string): void {
  copyFileSync(file(`${name}.crt`), live.cert);
  copyFileSync(file(`${name}.key`), live.key);
}

/** SIGHUP; resolves once the log has a new line that fits. */
async function reload(line: RegExp): Promise<void> {
  const before = server.log().length;
  process.kill(server.pid, 'SIGHUP');
  await expect.poll(() => server.log().slice(before)).toMatch(line);
}

/** Protocol and subject of a new connection. */
function handshake(options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      { port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options },
      () => {
        resolve(`${socket.getProtocol()} ${socket.getPeerCertificate().subject.CN}`);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

function ask(agent: Agent, path: string, body = ''): Promise<{ status: number; text: string; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const asking = request(`${server.url}${path}`, { agent, method: body ? 'POST' : 'GET' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, reused: asking.reusedSocket }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

beforeAll(async () => {
  for (const name of ['first', 'second']) makePair(name);
  put('first');
  server = await startServer((port) =>
    config({ addr: `127.0.0.1:${port}`, 'https-cert-file': live.cert, 'https-key-file': live.key }),
  );
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

describe('HTTPS', () => {
  it('stores and answers, for a client that checks the certificate', async () => {
    const agent = new Agent({ ca: readFileSync(file('first.crt')), keepAlive: true });
    expect((await ask(agent, '/api/write', `cpu_load,cluster=c,hostname=h value=1 ${TIME}`)).status).toBe(200);
    const body = JSON.stringify({
      cluster: 'c',
      from: TIME,
      to: TIME + 60,
      queries: [{ metric: 'cpu_load', host: 'h' }],
    });
    const { status, text } = await ask(agent, '/api/query', body);
    expect([status, JSON.parse(text).results[0][0].data]).toEqual([200, [1]]);
    agent.destroy();
  });

  it('is TLS 1.2 and later', async () => {
    expect(await handshake()).toBe('TLSv1.3 first');
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 first');
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' };
      await expect(handshake(old)).rejects.toThrow(/protocol version|ECONNRESET/i);
    }
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'NULL:EXPORT:RC4:3DES:@SECLEVEL=0' } as const;
    await expect(handshake(weak)).rejects.toThrow(/handshake failure|no cipher|ECONNRESET/i);
  });

  it('is not bothered by plain HTTP, garbage, or silence on its port', async () => {
    for (const bytes of [
      'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
      '\x16\x03\x01\xff\xffgarbage',
      'x'.repeat(70_000),
    ]) {
      expect(await exchange(server.port, bytes)).not.toContain('200 OK');
    }
    expect(await handshake()).toBe('TLSv1.3 first');
  });
});

describe('SIGHUP', () => {
  it('brings in a new certificate; open connections go on; a broken one is told and left alone', async () => {
    const agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 1 });
    expect(await ask(agent, '/healthz')).toMatchObject({ status: 200, reused: false });

    put('second');
    expect(await handshake()).toBe('TLSv1.3 first');
    await reload(/^<6>\[INFO\] tls: .*live\.crt was read again$/m);
    expect(await handshake()).toBe('TLSv1.3 second');
    expect(await ask(agent, '/healthz')).toMatchObject({ status: 200, reused: true });

    for (const spoil of [
      () => copyFileSync(file('first.crt'), live.cert),
      () => writeFileSync(live.cert, 'no certificate'),
      () => writeFileSync(live.cert, readFileSync(file('first.crt')).subarray(0, 200)),
      () => writeFileSync(live.key, ''),
    ]) {
      put('second');
      spoil();
      await reload(/^<3>\[ERR\] tls: the certificate was not read again, the old one stays in use: .*live\./m);
      expect(await handshake()).toBe('TLSv1.3 second');
    }
    expect(await ask(agent, '/healthz')).toMatchObject({ status: 200, reused: true });
    expect(server.log()).not.toMatch(/PRIVATE KEY/);

    put('first');
    await reload(/live\.crt was read again/);
    expect(await handshake()).toBe('TLSv1.3 first');
    agent.destroy();
  });
});

describe('SIGHUP without TLS', () => {
  it('does not end the server', async () => {
    const plain = await startServer(config());
    process.kill(plain.pid, 'SIGHUP');
    await expect.poll(() => plain.log()).toMatch(/^<6>\[INFO\] server: SIGHUP: the configuration is as it was$/m);
    expect(await plain.stop()).toBe(0);
  });
});

describe('a server without a usable pair', () => {
  it.each([
    [
      'another key',
      () => ({ 'https-cert-file': file('first.crt'), 'https-key-file': file('second.key') }),
      /second\.key \(main\.https-key-file\): expected/,
    ],
    [
      'a missing file',
      () => ({ 'https-cert-file': file('none.crt'), 'https-key-file': file('first.key') }),
      /none\.crt \(main\.https-cert-file\): cannot read it/,
    ],
    ['no key', () => ({ 'https-cert-file': file('first.crt') }), /main\.https-key-file: missing/],
  ])('does not start: %s', async (_, files, message) => {
    const started = startServer((port) => config({ addr: `127.0.0.1:${port}`, ...files() }));
    await expect(started).rejects.toThrow(message);
  });
});
