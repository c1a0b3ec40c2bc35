import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { captureLog, Logger } from '../../src/base/log.js';
import { temporaryDirectory } from '../support/directories.js';
import { NotifySocket } from '../support/notify-socket.js';
import { findCommand, pathWithOnly, runProgram } from '../support/programs.js';
import { until } from '../support/wait.js';

const directory = temporaryDirectory();
const environment = { ...process.env };

afterEach(() => {
  process.env = { ...environment };
  vi.restoreAllMocks();
});

/** A fresh module each time: it keeps its sender, which was started with the PATH of its time. */
async function freshModule() {
  vi.resetModules();
  return await import('../../src/ops/sd-notify.js');
}

const received = (socket: NotifySocket, count: number) => until(() => socket.states.length >= count, `${count} states`);

describe('sdNotify', () => {
  it.each(
    ['systemd-notify', 'python3', 'perl'].flatMap((tool) => [[tool, 'path'] as const, [tool, 'abstract'] as const]),
  )('sends with %s to a socket in the %s namespace', async (tool, namespace) => {
    if (findCommand(tool) === undefined) return expect(tool).toBe('systemd-notify'); // Not everywhere, unlike the others.
    const socket = namespace === 'path' ? join(directory, tool) : `@test-${process.pid}-${tool}`;
    const systemd = await NotifySocket.open(socket);
    process.env.NOTIFY_SOCKET = socket;
    process.env.PATH = pathWithOnly(tool);
    const { sdNotify } = await freshModule();
    expect(await sdNotify('READY=1')).toBe(true);
    expect(await sdNotify('STATUS=it\'s "loading" $HOME `x` \\n -x ä')).toBe(true);
    await received(systemd, 2);
    expect(systemd.states).toEqual(['READY=1', 'STATUS=it\'s "loading" $HOME `x` \\n -x ä']);
  });

  it('keeps the order of states that are sent at once', async () => {
    const socket = join(directory, 'order');
    const systemd = await NotifySocket.open(socket);
    process.env.NOTIFY_SOCKET = socket;
    const { sdNotify } = await freshModule();
    const states = ['RELOADING=1', 'READY=1', 'STATUS=a', 'STOPPING=1'];
    expect(await Promise.all(states.map(sdNotify))).toEqual([true, true, true, true]);
    await received(systemd, 4);
    expect(systemd.states).toEqual(states);
  });

  it('does nothing without a socket', async () => {
    delete process.env.NOTIFY_SOCKET;
    const { sdNotify, isNotifyWanted } = await freshModule();
    expect(isNotifyWanted()).toBe(false);
    expect(await sdNotify('READY=1')).toBe(false);
  });

  it.each([
    ['nobody listens', () => environment.PATH],
    ['there is nothing to send with', () => pathWithOnly()],
  ])('says false and warns when %s', async (_name, path) => {
    process.env.NOTIFY_SOCKET = join(directory, 'nobody');
    process.env.PATH = path();
    const { sdNotify } = await freshModule();
    const lines: string[] = [];
    const log: { captureLog: typeof captureLog; logger: (component: string) => Logger } = await import(
      '../../src/base/log.js'
    );
    const restore = log.captureLog((line) => lines.push(line));
    expect(await sdNotify('READY=1')).toBe(false);
    restore();
    expect(lines).toEqual([expect.stringMatching(/^<4>\[WARN\] systemd: could not send "READY=1" to \/.*nobody$/)]);
  });

  it('refuses more than one assignment', async () => {
    process.env.NOTIFY_SOCKET = join(directory, 'x');
    const { sdNotify } = await freshModule();
    await expect(sdNotify('READY=1\nMAINPID=1')).rejects.toThrow(/BUG/);
  });

  it('delivers the last word of a process that ends, and does not keep it alive', async () => {
    const socket = join(directory, 'last');
    const systemd = await NotifySocket.open(socket);
    const code = `import { sdNotify } from './ops/sd-notify.js'; await sdNotify('READY=1'); await sdNotify('STOPPING=1'); console.log('end');`;
    const outcome = await runProgram(code, { env: { NOTIFY_SOCKET: socket } });
    expect(outcome).toMatchObject({ status: 0, stdout: 'end\n', stderr: '' });
    await received(systemd, 2);
    expect(systemd.states).toEqual(['READY=1', 'STOPPING=1']);
  });
});

describe('startWatchdog', () => {
  it('gives signs of life at half the time, as long as the check says so', async () => {
    const socket = join(directory, 'watchdog');
    const systemd = await NotifySocket.open(socket);
    Object.assign(process.env, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) });
    const { sdNotify, startWatchdog } = await freshModule();
    let alive = true;
    const stop = startWatchdog({ isAlive: () => alive });
    await until(() => systemd.count('WATCHDOG=1') > 3);
    const { captureLog: capture } = await import('../../src/base/log.js');
    const lines: string[] = [];
    const restore = capture((line) => lines.push(line));
    alive = false;
    await until(() => lines.length > 0);
    // States are sent in their order: once this one is there, so is every sign of life before it.
    await sdNotify('STATUS=dead');
    await until(() => systemd.count('STATUS=dead') === 1);
    await sleep(350);
    stop();
    restore();
    expect(systemd.states.at(-1)).toBe('STATUS=dead');
    expect(lines[0]).toMatch(/not alive/);
  });

  it.each([
    ['no watchdog is set', {}],
    ["it is another process's", { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }],
  ])('does nothing when %s', async (_name, env) => {
    delete process.env.WATCHDOG_USEC;
    Object.assign(process.env, { NOTIFY_SOCKET: join(directory, 'x') }, env);
    const { startWatchdog } = await freshModule();
    const isAlive = vi.fn(() => true);
    startWatchdog({ isAlive })();
    await sleep(20);
    expect(isAlive).not.toHaveBeenCalled();
  });
});
