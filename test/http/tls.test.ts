import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { exchange } from '../support/client.js';
import { start } from './harness.js';

/** Made for this test: self-signed for localhost, valid for a hundred years. */
const key = readFileSync(new URL('tls/key.pem', import.meta.url));
const cert = readFileSync(new URL('tls/cert.pem', import.meta.url));

const secured = () => start({ tls: { key, cert, minVersion: 'TLSv1.2' } });

describe('TLS', () => {
  it('stores and answers as without', async () => {
    const { port, store } = await secured();
    const sent = request({
      host: '127.0.0.1',
      port,
      path: '/api/write?cluster=c',
      method: 'POST',
      ca: cert,
      agent: false,
    });
    sent.end('m,hostname=h value=1 1699999980\n');
    const [answer] = await once(sent, 'response');
    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect(store.written).toHaveLength(1);
  });

  it('survives plain text, broken handshakes and old versions', async () => {
    const { port, store } = await secured();
    expect(await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).not.toContain('HTTP/1.1 200');
    await exchange(port, Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
    const old = connect({
      host: '127.0.0.1',
      port,
      ca: cert,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    expect(String(error)).toMatch(/protocol/i);
    const good = connect({ host: '127.0.0.1', port, ca: cert });
    good.write('GET rubbish\r\n\r\n');
    const [data] = await once(good, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 400 /);
    good.destroy();
    expect(store.written).toEqual([]);
  });

  it('breaks off an answer whose source fails', async () => {
    const { port, store } = await secured();
    store.pieces = async function* () {
      yield Buffer.alloc(100_000, ' ');
      yield Buffer.from('[]');
      throw new Error('worker died');
    };
    // Whether the answer's first bytes make it out before the end is up to TLS; a whole answer must not.
    const outcome = await new Promise((resolve) => {
      const sent = request({ host: '127.0.0.1', port, path: '/api/query', method: 'POST', ca: cert, agent: false });
      sent.on('error', () => resolve('broken'));
      sent.on('response', (answer) => {
        answer.on('error', () => resolve('broken'));
        answer.on('end', () => resolve('whole'));
        answer.resume();
      });
      sent.end('{}');
    });
    expect(outcome).toBe('broken');
  });
});
