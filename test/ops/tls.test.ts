import { spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { captureLog, configureLog } from '../../src/base/log.js';
import { loadTls, reloadTls } from '../../src/ops/tls.js';
import { temporaryDirectory } from '../support/directories.js';

let directory: string;
const file = (name: string) => join(directory, name);
const pair = (name: string) => ({ certFile: file(`${name}.crt`), keyFile: file(`${name}.key`) });

function makePair(name: string, days: number): void {
  const { certFile, keyFile } = pair(name);
  const key = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
  ];
  const run = spawnSync('openssl', [...key, '-days', String(days), '-keyout', keyFile, '-out', certFile], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`openssl: ${run.stderr}`);
}

beforeAll(() => {
  directory = temporaryDirectory();
  makePair('first', 365);
  makePair('second', 365);
  makePair('short', 3);
  writeFileSync(file('empty'), '');
});

function logged<T>(action: () => T): { lines: string[]; result: T } {
  const lines: string[] = [];
  configureLog({ level: 'info' });
  const restore = captureLog((line) => lines.push(line));
  try {
    return { result: action(), lines };
  } finally {
    restore();
    configureLog({ level: 'warn' });
  }
}

describe('loadTls', () => {
  it('takes a pair that fits', () => {
    const { lines, result } = logged(() => loadTls(pair('first')));
    expect(result.minVersion).toBe('TLSv1.2');
    expect(lines).toEqual([]);
  });

  it('warns of a certificate that soon expires', () => {
    expect(logged(() => loadTls(pair('short'))).lines).toEqual([
      expect.stringMatching(/^<4>.*short\.crt: the certificate expires on/),
    ]);
  });

  it.each([
    [
      'a missing certificate',
      () => ({ ...pair('first'), certFile: file('none') }),
      /none \(main\.https-cert-file\): cannot read it$/,
    ],
    [
      'a missing key',
      () => ({ ...pair('first'), keyFile: file('none') }),
      /none \(main\.https-key-file\): cannot read it$/,
    ],
    [
      'a file that is no certificate',
      () => ({ ...pair('first'), certFile: file('first.key') }),
      /expected a PEM certificate$/,
    ],
    [
      'an empty key',
      () => ({ ...pair('first'), keyFile: file('empty') }),
      /empty \(main\.https-key-file\): expected the unencrypted/,
    ],
    [
      "another certificate's key",
      () => ({ ...pair('first'), keyFile: file('second.key') }),
      /expected the .* private key of .*first\.crt$/,
    ],
  ])('refuses %s', (_name, files, message) => {
    expect(() => loadTls(files())).toThrow(message);
  });
});

describe('a server', () => {
  const opened: TLSSocket[] = [];
  async function handshake(server: Server, options: ConnectionOptions = {}): Promise<string> {
    const { port } = server.address() as AddressInfo;
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.getPeerCertificate().subject.CN}`);
      });
      socket.on('error', reject);
      opened.push(socket);
    });
  }

  it('speaks TLS 1.2 and later only', async () => {
    const server = createServer(loadTls(pair('first')));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    expect(await handshake(server)).toBe('TLSv1.3 first');
    expect(await handshake(server, { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 first');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    await expect(handshake(server, old)).rejects.toThrow(/protocol version|ECONNRESET/i);
    for (const socket of opened) socket.destroy();
    server.close();
  });

  it('takes a new certificate, keeps the old one when the new one is broken, and its connections', async () => {
    const live = pair('live');
    const put = (name: string) => {
      copyFileSync(pair(name).certFile, live.certFile);
      copyFileSync(pair(name).keyFile, live.keyFile);
    };
    put('first');
    const server = createServer(loadTls(live), (_request, response) => response.end('ok'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const reload = () => reloadTls(live, (options) => server.setSecureContext(options));
    expect(await handshake(server)).toBe('TLSv1.3 first');
    const before = opened.at(-1);

    put('second');
    expect(await handshake(server)).toBe('TLSv1.3 first');
    expect(logged(reload).lines).toEqual([expect.stringMatching(/^<6>.*live\.crt was read again$/)]);
    expect(await handshake(server)).toBe('TLSv1.3 second');

    copyFileSync(pair('first').certFile, live.certFile);
    expect(logged(reload).lines).toEqual([expect.stringMatching(/^<3>.*old one stays in use: .*live\.key/)]);
    expect(await handshake(server)).toBe('TLSv1.3 second');

    before?.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await new Promise((answer) => before?.once('data', answer)))).toMatch(/^HTTP\/1\.1 200/);
    for (const socket of opened) socket.destroy();
    server.close();
  });
});
