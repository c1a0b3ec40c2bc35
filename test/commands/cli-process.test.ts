import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, closed, openSocket } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { LIMIT } from '../support/limits.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const SERVER = resolve('dist/server.js');
const METRICS = { load: { frequency: 60, aggregation: 'sum' } };
const STORE = { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 1, checkpoints: {} };
const CONFIG = { main: { addr: '127.0.0.1:0' }, metrics: METRICS, 'metric-store': STORE };
const CONFIG_OF_FREE_PORT = { metrics: METRICS, 'metric-store': STORE };

/** Runs the server until it ends by itself, in a directory with this text as config.json (undefined: without one). */
function run(args: string[], config?: object | string): { status: number | null; stdout: string; stderr: string } {
  const cwd = temporaryDirectory();
  if (config !== undefined) {
    writeFileSync(join(cwd, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [SERVER, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: LIMIT,
  });
  return { status, stdout, stderr };
}

/** The one line of a start that failed. */
const failure = (config: object | string | undefined): string => {
  const { status, stdout, stderr } = run([], config);
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n').length).toBe(1);
  return stderr;
};

describe('dist/server.js', () => {
  it.each([[['-version']], [['--version', '-config', 'nowhere.json']]])('prints its version: %j', (args) => {
    const { status, stdout, stderr } = run(args);
    expect([status, stderr]).toEqual([0, '']);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(stdout).toMatch(
      new RegExp(`^Version:\\t${version}\\nGit hash:\\t\\S+\\nBuild time:\\t\\d{4}-\\d\\d-\\d\\dT\\S+\\n$`),
    );
  });

  it.each([
    [['-nope'], 'flag provided but not defined: -nope'],
    [['-loglevel', 'trace'], 'expected one of debug, info, warn, err, crit'],
    [['-config'], 'flag needs an argument: -config'],
    [['config.json'], 'unexpected argument "config.json"'],
  ])('exits with 2 for %j', (args, message) => {
    const { status, stdout, stderr } = run(args, CONFIG);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('prints the usage for an unknown flag', () => {
    expect(run(['-nope']).stderr).toContain('-check-config');
  });

  it('says which file, which key and what was expected when it does not start', () => {
    expect(failure(undefined)).toMatch(/^<2>\[CRIT\] server: .*config\.json.*\n$/);
    expect(failure('{"main": {')).toMatch(/config\.json:1:\d+/);
    expect(failure({ ...CONFIG, main: { addr: '127.0.0.1:0', adress: 1 } })).toMatch(
      /config\.json:1:\d+: main\.adress: unknown key/,
    );
    expect(failure({ ...CONFIG, metrics: { load: { frequency: '60', aggregation: 'sum' } } })).toMatch(
      /metrics\.load\.frequency: .*expected/,
    );
  });

  it('tells all problems of a config at once', () => {
    const { status, stderr } = run([], { ...CONFIG, main: { addr: 8080, foo: 1 } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^<2>\[CRIT\] server: .*main\.addr/m);
    expect(stderr).toMatch(/^<2>\[CRIT\] server: .*main\.foo/m);
  });

  it('exits with 1 when the port is taken or the directory cannot be made', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    const { port } = other.address() as AddressInfo;
    const taken = failure({ ...CONFIG, main: { addr: `127.0.0.1:${port}` } });
    other.close();
    expect(taken).toMatch(/main\.addr.*EADDRINUSE/);
    const directory = '/dev/null/checkpoints';
    expect(failure({ ...CONFIG, 'metric-store': { ...STORE, checkpoints: { directory } } })).toContain(directory);
  });

  it('checks a config without starting', () => {
    const good = run(['-check-config'], CONFIG);
    expect([good.status, good.stderr]).toEqual([0, '']);
    expect(good.stdout).toMatch(/^Retention: {3}2d in memory, then deleted$/m);
    expect(good.stdout).toMatch(/743,000 series, [\d,]+ samples: about [\d.]+ GB/);
    const bad = run(['-check-config'], { ...CONFIG, metrics: {}, main: { addr: 'nonsense' } });
    expect([bad.status, bad.stdout]).toEqual([1, '']);
    expect(bad.stderr).toContain('main.addr');
    expect(existsSync(join(temporaryDirectory(), 'var'))).toBe(false);
  });

  it('accepts -gops with a warning', () => {
    const { status, stderr } = run(['-gops', '-check-config'], CONFIG);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^<4>\[WARN\] server: -gops is ignored/);
  });

  it.each([
    [['-loglevel', 'info'], /^<6>\[INFO\] server: listening on 127\.0\.0\.1:\d+$/m],
    [['-loglevel=info', '-logdate'], /^<6>\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] server: listening/m],
  ])('logs with %j', async (args, line) => {
    const server = await startServer(CONFIG_OF_FREE_PORT, { args });
    await expect.poll(() => server.log()).toMatch(line);
    expect(await server.stop()).toBe(0);
  });

  it('writes nothing with the default level when all is well', async () => {
    const server = await startServer(CONFIG_OF_FREE_PORT, { args: [] });
    expect(await server.stop('SIGINT')).toBe(0);
    expect(server.log()).toBe('');
  });

  it('serves Swagger only with -dev', async () => {
    const plain = await startServer(CONFIG_OF_FREE_PORT, { args: [] });
    expect((await fetch(`${plain.url}/swagger/doc.json`)).status).toBe(404);
    await plain.stop();
    const dev = await startServer(CONFIG_OF_FREE_PORT, { args: ['-dev'] });
    expect(await (await fetch(`${dev.url}/swagger/doc.json`)).json()).toMatchObject({ paths: { '/api/write': {} } });
    await dev.stop();
  });

  it('dumps the tree to a file when it stops', async () => {
    const dir = temporaryDirectory();
    const file = join(dir, 'dump.json');
    const server = await startServer({ ...CONFIG_OF_FREE_PORT, main: { debug: { 'dump-to-file': file } } }, { dir });
    const now = Math.floor(Date.now() / 1000);
    const body = `load,hostname=h1,type=socket,type-id=0 value=1 ${now}\n`;
    expect((await fetch(`${server.url}/api/write?cluster=c`, { method: 'POST', body })).status).toBe(200);
    const asked = await (await fetch(`${server.url}/api/debug`)).json();
    expect(await server.stop()).toBe(0);
    const dumped = JSON.parse(readFileSync(file, 'utf8'));
    expect(dumped).toEqual(asked);
    expect(dumped).toMatchObject({ data: { c: { h1: { socket0: { load: [{ start: now - 30, len: 1 }] } } } } });
  });

  it('stops all the same when the dump cannot be written', async () => {
    const main = { debug: { 'dump-to-file': '/dev/null/dump.json' } };
    const server = await startServer({ ...CONFIG_OF_FREE_PORT, main });
    expect(await server.stop()).toBe(0);
    expect(server.log()).toContain('<3>[ERR] server: the debug dump to /dev/null/dump.json failed');
  });

  it('ends at once at a second signal', async () => {
    const server = await startServer(CONFIG_OF_FREE_PORT);
    // A request that is never finished keeps the graceful stop waiting.
    const hanging = await openSocket(server.port);
    hanging.write('POST /api/write HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n');
    expect(String(await once(hanging, 'data'))).toMatch(/^HTTP\/1\.1 100 /);
    process.kill(server.pid, 'SIGTERM');
    // It has begun to stop once it takes no more connections.
    const refusal = (): Promise<boolean> =>
      ask(server.port, '/healthz').then(
        () => false,
        () => true,
      );
    await until(refusal);
    expect(await server.stop('SIGTERM')).toBe(1);
    await closed(hanging);
  });
});
