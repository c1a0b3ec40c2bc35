/** systemd's part is played by a datagram socket: what the real server tells it, and when. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { NotifySocket } from '../support/notify-socket.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

let server: ServerProcess | undefined;
afterEach(() => server?.stop('SIGKILL'));

/** Resolves once no sign of life has come for a second, five times as long as from one to the next. */
async function silence(systemd: NotifySocket): Promise<void> {
  await until(async () => {
    const before = systemd.count('WATCHDOG=1');
    await sleep(1000);
    return systemd.count('WATCHDOG=1') === before;
  }, 'the end of the signs of life');
}

describe('systemd', () => {
  it('is told READY once the data is there, STOPPING at the stop, and a sign of life between', async () => {
    let atReady: Promise<string> | undefined;
    let port = 0;
    const path = join(temporaryDirectory(), 'notify');
    const systemd = await NotifySocket.open(path, (state) => {
      // Whoever waits for READY may ask at once.
      if (state === 'READY=1') atReady = ask(port, '/api/debug').then(({ status, body }) => `${status} ${body}`);
    });
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' };
    const setup = (own: number) => {
      port = own;
      return config({ addr: `127.0.0.1:${own}` });
    };
    server = await startServer(setup, { env });
    await until(() => systemd.count('WATCHDOG=1') > 3);
    expect(systemd.states[0]).toBe('READY=1');
    expect(systemd.count('READY=1')).toBe(1);
    expect(systemd.count('STOPPING=1')).toBe(0);
    await write(port, `cpu_load,cluster=c,hostname=h value=1 ${TIME}`);

    const dir = server.dir;
    expect(await server.stop()).toBe(0);
    await until(() => systemd.count('STOPPING=1') === 1);
    expect(server.log()).not.toMatch(/<[0-4]>/);

    server = await startServer(setup, { dir, env });
    await until(() => systemd.count('READY=1') === 2);
    expect(await atReady).toMatch(/^200 .*"c":\{"h":/);
  });

  it('hears nothing while the event loop stands still', async () => {
    const path = join(temporaryDirectory(), 'notify');
    const systemd = await NotifySocket.open(path);
    server = await startServer(config(), { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' } });
    await until(() => systemd.count('WATCHDOG=1') > 0);
    process.kill(server.pid, 'SIGSTOP');
    await silence(systemd);
    const before = systemd.count('WATCHDOG=1');
    process.kill(server.pid, 'SIGCONT');
    await until(() => systemd.count('WATCHDOG=1') > before);
  });

  it('hears nothing while a worker stands still', async () => {
    const dir = temporaryDirectory();
    const path = join(dir, 'notify');
    const systemd = await NotifySocket.open(path);
    const preload = join(dir, 'hang.mjs');
    writeFileSync(
      preload,
      `import { existsSync } from 'node:fs';
       import { isMainThread } from 'node:worker_threads';
       if (!isMainThread) setInterval(() => { while (existsSync(${JSON.stringify(join(dir, 'hang'))})); }, 20);`,
    );
    const env = {
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: '400000',
      NODE_OPTIONS: `--import ${preload}`,
    };
    server = await startServer(config({}, { 'num-workers': 1 }), { dir, env });
    await until(() => systemd.count('WATCHDOG=1') > 0);
    writeFileSync(join(dir, 'hang'), '');
    await silence(systemd);
  });

  it('is not needed: without it nothing is started and nothing said', async () => {
    server = await startServer(config(), { env: { NOTIFY_SOCKET: '' } });
    expect(server.log()).not.toMatch(/systemd/);
  });
});

it('starts the service once the clock is right, which samples are judged by', () => {
  const unit = readFileSync(new URL('../../contrib/systemd/cc-metric-store.service', import.meta.url), 'utf8');
  for (const key of ['Wants', 'After']) {
    const targets = new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]?.split(' ');
    expect(targets).toContain('time-sync.target');
  }
});
