/** `cc-metric-store metrics-seen` beside a real server: what it prints, pasted into the configuration, stores what was skipped. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { ask, figure } from '../support/client.js';
import { LIMIT } from '../support/limits.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';
import { until } from '../support/wait.js';

const COMMAND = resolve('dist/command.js');
const TIME = Math.floor(Date.now() / 1000 / 60) * 60 - 600;
const KEY = tokenKey();
const JWT = token(KEY);

let server: ServerProcess | undefined;
afterEach(() => server?.stop('SIGKILL'));

async function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, 'metrics-seen', ...args], { timeout: LIMIT });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, stdout, stderr };
}

function post(port: number, time: number): Promise<unknown> {
  const lines = [
    'load,hostname=h value=1',
    'acc_power,hostname=h,type=accelerator,type-id=0 value=2',
    'x\x1b[2J,hostname=h value=1',
  ];
  const body = lines.map((line) => `${line} ${time}\n`).join('');
  return ask(port, '/api/write?cluster=c', { method: 'POST', body, headers: bearer(JWT) });
}

it('prints a configuration that stores what was skipped', async () => {
  server = await startServer({
    main: { 'jwt-public-key': KEY.base64 },
    metrics: { load: { frequency: 60, aggregation: 'sum' } },
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 2, checkpoints: {} },
  });
  const { port, url, pid } = server;
  const none = await run('-url', url, '-jwt', JWT);
  expect(none).toEqual({
    status: 0,
    stderr: '',
    stdout: 'Every metric that has arrived since the start is configured.\n',
  });
  await post(port, TIME);
  expect((await run('-url', url, '-jwt', JWT)).stdout).toMatch(
    /^acc_power +1 {2}\? +accelerator +acc_power,hostname=h/m,
  );
  await post(port, TIME + 60);
  const { status, stdout } = await run('-url', `${url}/`, '-jwt', JWT);
  expect(status).toBe(0);
  expect(stdout).toContain('x\\x1b[2J');
  expect(stdout).not.toContain('\x1b');
  const entry = '"acc_power": {"frequency":60,"aggregation":"sum"}';
  expect(stdout).toContain(`\n  ${entry},\n`);

  const path = join(server.dir, 'config.json');
  const config = readFileSync(path, 'utf8').replace('"metrics": {', `"metrics": {${entry},`);
  writeFileSync(path, config);
  process.kill(pid, 'SIGHUP');
  await until(
    () => server?.log().includes('metrics.acc_power is new') ?? false,
    () => `the new metric in:\n${server?.log()}`,
  );
  await post(port, TIME + 120);
  expect(await figure(port, 'ccms_samples_stored_total')).toBe(4);
  expect((await run('-url', url, '-jwt', JWT)).stdout).not.toContain('acc_power');

  expect(await run('-url', url)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('401') });
});

it('says what is wrong with its flags, and which server it does not reach', async () => {
  expect(await run('-h')).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('-jwt TOKEN') });
  expect(await run('-nope')).toMatchObject({ status: 2, stderr: expect.stringContaining('not defined: -nope') });
  expect(await run('x')).toMatchObject({ status: 2, stderr: expect.stringContaining('unexpected argument "x"') });
  expect(await run('-url', 'host:1')).toMatchObject({ status: 2, stderr: expect.stringContaining('expected http://') });
  // Port 9 is discard's: nobody listens.
  const { status, stderr } = await run('-url', 'http://127.0.0.1:9');
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^cannot ask http:\/\/127\.0\.0\.1:9: .+\n$/)]);
});
