import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { captureLog, Logger } from '../../src/log.js';
import { compileSources, findCommand, pathWithOnly, runProgram } from './compiled.js';

/** Prints every datagram as a line of JSON; systemd's part of the protocol. */
const RECEIVER = `import json, socket, sys
path = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\\0" + path[1:] if path.startswith("@") else path)
print('"bound"', flush=True)
while True: print(json.dumps(server.recv(4096).decode()), flush=True)`;

let directory: string;
let receiver: ChildProcess | undefined;
let received: string[] = [];
const environment = { ...process.env };

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'notify-'));
});
afterEach(() => {
  receiver?.kill('SIGKILL');
  process.env = { ...environment };
  vi.restoreAllMocks();
});
afterAll(() => rmSync(directory, { recursive: true }));

async function listen(path: string): Promise<void> {
  received = [];
  const child = spawn(findCommand('python3') ?? 'python3', ['-c', RECEIVER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  receiver = child;
  let text = '';
  await new Promise<void>((bound) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n').slice(0, -1);
      // systemd-notify's own question whether all has been read.
      received = lines.map((line) => JSON.parse(line) as string).filter((line) => line !== 'BARRIER=1');
      bound();
    });
  });
}

/** A fresh module each time: it keeps its sender, which was started with the PATH of its time. */
async function freshModule() {
  vi.resetModules();
  return await import('../../src/ops/sd-notify.js');
}

const untilReceived = (count: number) => vi.waitFor(() => expect(received.length).toBe(count + 1), { timeout: 5000 });

describe('sdNotify', () => {
  it.each(
    ['systemd-notify', 'python3', 'perl'].flatMap((tool) => [[tool, 'path'] as const, [tool, 'abstract'] as const]),
  )('sends with %s to a socket in the %s namespace', async (tool, namespace) => {
    if (findCommand(tool) === undefined) return expect(tool).toBe('systemd-notify'); // Not everywhere, unlike the others.
    const socket = namespace === 'path' ? join(directory, tool) : `@test-${process.pid}-${tool}`;
    await listen(socket);
    process.env.NOTIFY_SOCKET = socket;
    process.env.PATH = pathWithOnly(tool);
    const { sdNotify } = await freshModule();
    expect(await sdNotify('READY=1')).toBe(true);
    expect(await sdNotify('STATUS=it\'s "loading" $HOME `x` \\n -x ä')).toBe(true);
    await untilReceived(2);
    expect(received).toEqual(['bound', 'READY=1', 'STATUS=it\'s "loading" $HOME `x` \\n -x ä']);
  });

  it('keeps the order of states that are sent at once', async () => {
    const socket = join(directory, 'order');
    await listen(socket);
    process.env.NOTIFY_SOCKET = socket;
    const { sdNotify } = await freshModule();
    const states = ['RELOADING=1', 'READY=1', 'STATUS=a', 'STOPPING=1'];
    expect(await Promise.all(states.map(sdNotify))).toEqual([true, true, true, true]);
    await untilReceived(4);
    expect(received.slice(1)).toEqual(states);
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
      '../../src/log.js'
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
    await listen(socket);
    const compiled = compileSources('src/ops/sd-notify.ts');
    const code = `import { sdNotify } from './ops/sd-notify.js'; await sdNotify('READY=1'); await sdNotify('STOPPING=1'); console.log('end');`;
    const outcome = await runProgram(compiled, code, { NOTIFY_SOCKET: socket });
    rmSync(compiled, { recursive: true });
    expect(outcome).toEqual({ code: 0, stdout: 'end\n', stderr: '' });
    await untilReceived(2);
    expect(received.slice(1)).toEqual(['READY=1', 'STOPPING=1']);
  });
});

describe('startWatchdog', () => {
  it('gives signs of life at half the time, as long as the check says so', async () => {
    const socket = join(directory, 'watchdog');
    await listen(socket);
    Object.assign(process.env, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) });
    const { startWatchdog } = await freshModule();
    let alive = true;
    const stop = startWatchdog({ isAlive: () => alive });
    await vi.waitFor(() => expect(received.filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThan(3), 5000);
    const { captureLog: capture } = await import('../../src/log.js');
    const lines: string[] = [];
    const restore = capture((line) => lines.push(line));
    alive = false;
    await new Promise((resume) => setTimeout(resume, 250));
    const before = received.length;
    await new Promise((resume) => setTimeout(resume, 350));
    stop();
    restore();
    expect(received.length).toBe(before);
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
    await new Promise((resume) => setTimeout(resume, 20));
    expect(isAlive).not.toHaveBeenCalled();
  });
});
