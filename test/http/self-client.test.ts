import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ask } from '../../src/http/connection/self-client.js';

const open: { destroy(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(near, far);
  return [near, far];
}

/** Sends the answer in parts of so many bytes, each on its own. */
async function send(far: Socket, answer: string, bytes: number): Promise<void> {
  for (let at = 0; at < answer.length; at += bytes) {
    far.write(answer.slice(at, at + bytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const WHOLE = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"results":[[]]}\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"res\r\nc\r\nults":[[]]}\n\r\n0\r\n\r\n';

test.each([
  ['with its length', WHOLE, 1000],
  ['with its length, byte by byte', WHOLE, 1],
  ['in chunks', CHUNKED, 1000],
  ['in chunks, byte by byte', CHUNKED, 1],
  ['in chunks, cut inside of their end', CHUNKED, CHUNKED.length - 2],
])('takes an answer %s, and the next one on the same connection', async (_what, answer, bytes) => {
  const [near, far] = await pair();
  for (let round = 0; round < 3; round++) {
    const asked = once(far, 'data');
    const asking = ask(near, { cluster: 'ü', round });
    const request = String((await asked)[0]);
    const body = JSON.stringify({ cluster: 'ü', round });
    expect(request).toMatch(/^GET \/api\/query HTTP\/1\.1\r\n/);
    expect(request).toContain(`Content-Length: ${Buffer.byteLength(body)}\r\n`);
    expect(request.endsWith(`\r\n\r\n${body}`)).toBe(true);
    let ended = false;
    asking.then(() => {
      ended = true;
    });
    await send(far, answer.slice(0, -1), bytes);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(ended).toBe(false);
    far.write(answer.slice(-1));
    expect(answer.startsWith(String(await asking))).toBe(true);
    expect(near.listenerCount('data') + near.listenerCount('close')).toBe(0);
  }
});

test('rejects what is no answer to the question', async () => {
  const [near, far] = await pair();
  const refused = ask(near, {});
  far.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  await expect(refused).rejects.toThrow('503');
  const cut = ask(near, {});
  far.write(WHOLE.slice(0, -5));
  far.destroy();
  await expect(cut).rejects.toThrow(/closed|ECONNRESET/);
});
