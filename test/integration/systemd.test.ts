/** systemd's part is played by a datagram socket: what the real server tells it, and when. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { config, TIME } from '../security/fixtures.js';
import { ask, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

/** Prints every datagram as a line of JSON. */
const RECEIVER = `import json, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print('"bound"', flush=True)
while True: print(json.dumps(server.recv(4096).decode()), flush=True)`;

let receiver: ChildProcess | undefined;
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.stop('SIGKILL');
  receiver?.kill('SIGKILL');
});

/** A socket for `$NOTIFY_SOCKET`. @param onState told each datagram at once. */
async function listen(onState: (state: string) => void): Promise<string> {
  const path = join(temporaryDirectory(), 'notify');
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  receiver = child;
  let rest = '';
  await new Promise<void>((bound) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const state = JSON.parse(line) as string;
        if (state === 'bound') bound();
        // systemd-notify's own question whether all has been read.
        else if (state !== 'BARRIER=1') onState(state);
      }
    });
  });
  return path;
}

const count = (states: string[], wanted: string): number => states.filter((state) => state === wanted).length;
const pause = (milliseconds: number): Promise<void> => new Promise((go) => setTimeout(go, milliseconds));

describe('systemd', () => {
  it('is told READY once the data is there, STOPPING at the stop, and a sign of life between', async () => {
    const states: string[] = [];
    let atReady: Promise<string> | undefined;
    let port = 0;
    const path = await listen((state) => {
      states.push(state);
      // Whoever waits for READY may ask at once.
      if (state === 'READY=1') atReady = ask(port, '/api/debug').then(({ status, body }) => `${status} ${body}`);
    });
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' };
    const setup = (own: number) => {
      port = own;
      return config({ addr: `127.0.0.1:${own}` });
    };
    server = await startServer(setup, { env });
    await expect.poll(() => count(states, 'WATCHDOG=1')).toBeGreaterThan(3);
    expect(states[0]).toBe('READY=1');
    expect(count(states, 'READY=1')).toBe(1);
    expect(count(states, 'STOPPING=1')).toBe(0);
    await write(port, `cpu_load,cluster=c,hostname=h value=1 ${TIME}`);

    const dir = server.dir;
    expect(await server.stop()).toBe(0);
    await expect.poll(() => count(states, 'STOPPING=1')).toBe(1);
    const signs = count(states, 'WATCHDOG=1');
    await pause(600);
    expect(count(states, 'WATCHDOG=1')).toBe(signs);
    expect(server.log()).not.toMatch(/<[0-4]>/);

    states.length = 0;
    server = await startServer(setup, { dir, env });
    await expect.poll(() => states[0]).toBe('READY=1');
    expect(await atReady).toMatch(/^200 .*"c":\{"h":/);
  });

  it('hears nothing while the event loop stands still', async () => {
    const states: string[] = [];
    const env = { NOTIFY_SOCKET: await listen((state) => states.push(state)), WATCHDOG_USEC: '400000' };
    server = await startServer(config(), { env });
    await expect.poll(() => count(states, 'WATCHDOG=1')).toBeGreaterThan(0);
    process.kill(server.pid, 'SIGSTOP');
    await pause(500);
    const before = count(states, 'WATCHDOG=1');
    await pause(1000);
    expect(count(states, 'WATCHDOG=1')).toBe(before);
    process.kill(server.pid, 'SIGCONT');
    await expect.poll(() => count(states, 'WATCHDOG=1')).toBeGreaterThan(before);
  });

  it('hears nothing while a worker stands still', async () => {
    const states: string[] = [];
    const dir = temporaryDirectory();
    const preload = join(dir, 'hang.mjs');
    writeFileSync(
      preload,
      `import { existsSync } from 'node:fs';
       import { isMainThread } from 'node:worker_threads';
       if (!isMainThread) setInterval(() => { while (existsSync(${JSON.stringify(join(dir, 'hang'))})); }, 20);`,
    );
    const env = {
      NOTIFY_SOCKET: await listen((state) => states.push(state)),
      WATCHDOG_USEC: '400000',
      NODE_OPTIONS: `--import ${preload}`,
    };
    server = await startServer(config({}, { 'num-workers': 1 }), { dir, env });
    await expect.poll(() => count(states, 'WATCHDOG=1')).toBeGreaterThan(0);
    writeFileSync(join(dir, 'hang'), '');
    await pause(500);
    const before = count(states, 'WATCHDOG=1');
    await pause(1000);
    expect(count(states, 'WATCHDOG=1')).toBe(before);
  });

  it('is not needed: without it nothing is started and nothing said', async () => {
    server = await startServer(config(), { env: { NOTIFY_SOCKET: '' } });
    expect(server.log()).not.toMatch(/systemd/);
  });
});
