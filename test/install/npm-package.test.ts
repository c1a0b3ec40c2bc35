/** The packed tarball, installed as a stranger would: with npm alone, into an empty prefix, without the sources. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';

const NPM_LIMIT = 300_000;
const METRICS = { cpu_load: { frequency: 60, aggregation: 'avg' } };
const CONFIG = {
  main: {},
  metrics: METRICS,
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 1 },
};

let tarball: string;
let files: string[];
let prefix: string;
let command: string;

beforeAll(() => {
  const directory = temporaryDirectory();
  // dist is there already: without the build that packing begins with.
  const packed = npm('pack', '--ignore-scripts', '--json', '--pack-destination', directory);
  const [first] = JSON.parse(packed) as { filename: string; files: { path: string }[] }[];
  files = first?.files.map(({ path }) => path) ?? [];
  tarball = join(directory, first?.filename ?? '');
  prefix = temporaryDirectory();
  npm('install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline', tarball);
  command = join(prefix, 'bin/cc-metric-store');
}, NPM_LIMIT);

function npm(...args: string[]): string {
  return execFileSync('npm', args, { encoding: 'utf8', timeout: NPM_LIMIT });
}

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000, cwd: prefix });
  return { status, stdout, stderr };
}

describe('the tarball', () => {
  it('holds what a server needs, and no sources or tests', () => {
    const folders = new Set(files.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)));
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'NOTICE',
      'README.md',
      'configs',
      'contrib',
      'dist',
      'docs',
      'package.json',
    ];
    expect([...folders].sort()).toEqual(expected);
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/core.wasm',
        'dist/command.js',
        'dist/swagger/swagger-ui-bundle.js',
        'contrib/systemd/cc-metric-store.service',
      ]),
    );
    expect(files.filter((path) => /\.(map|wat)$|debug\.wasm$|\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  it('leaves the command and nothing else in the prefix', () => {
    expect(readdirSync(join(prefix, 'bin'))).toEqual(['cc-metric-store']);
    const modules = join(prefix, 'lib/node_modules');
    expect(readdirSync(modules)).toEqual(['cc-metric-store']);
    // Reports installations; Swagger UI's package would bring it.
    expect(readdirSync(join(modules, 'cc-metric-store/node_modules'))).not.toContain('@scarf');
  });
});

describe('cc-metric-store', () => {
  it('serves', async () => {
    const server = await startServer(CONFIG, { command: [command] });
    const now = Math.floor(Date.now() / 1000);
    const written = await fetch(`${server.url}/api/write?cluster=alex`, {
      method: 'POST',
      body: `cpu_load,hostname=a0603,type=node value=4.5 ${now}\n`,
    });
    expect(written.status).toBe(200);
    const asked = await fetch(`${server.url}/api/query`, {
      method: 'POST',
      body: JSON.stringify({
        cluster: 'alex',
        from: now - 300,
        to: now + 60,
        'with-padding': false,
        queries: [{ metric: 'cpu_load', host: 'a0603' }],
      }),
    });
    expect(await asked.json()).toMatchObject({ results: [[{ data: [4.5] }]] });
    expect(await server.stop()).toBe(0);
    expect(server.log()).not.toContain('[WARN]');

    // Its tools read what it has left.
    expect(run('inspect', join(server.dir, 'var/checkpoints'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('all whole'),
    });
    const config = join(server.dir, 'config.json');
    const stored = join(server.dir, 'var/checkpoints');
    expect(run('export', '-config', config, '-dir', stored, '-out', join(prefix, 'export'))).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+ files of 1 hosts written/),
    });
  }, 120_000);

  it('posts a simulated cluster', async () => {
    const metrics = {
      cpu_load: { frequency: 60, aggregation: 'avg' },
      flops_any: { frequency: 60, aggregation: 'sum' },
    };
    const server = await startServer({ ...CONFIG, metrics }, { command: [command] });
    expect(run('simulate', '-url', server.url, '-nodes', '1', '-steps', '1').status).toBe(0);
    const summary = await (await fetch(`${server.url}/api/debug?summary=1`)).text();
    expect(JSON.parse(summary)).toMatchObject({ clusters: { alex: { hosts: 1 } } });
    await server.stop();
  }, 120_000);

  it('says which version it is, and what it can do', () => {
    expect(run('-version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Version:\t\d/) });
    const { status, stderr } = run('-h');
    expect(status).toBe(0);
    expect(stderr).toMatch(/-check-config[\s\S]*export\n[\s\S]*inspect\n[\s\S]*metrics-seen\n[\s\S]*simulate\n/);
    expect(run('inspect', '-h')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('cc-metric-store inspect'),
    });
  });

  it('refuses a word that it does not know', () => {
    const stderr =
      'unknown command "exprot": expected one of export, inspect, metrics-seen, simulate, or the server\'s flags (-h)\n';
    expect(run('exprot')).toEqual({ status: 2, stdout: '', stderr });
  });

  it('checks a configuration relative to the working directory', () => {
    writeFileSync(join(prefix, 'config.json'), JSON.stringify(CONFIG));
    expect(run('-check-config')).toMatchObject({ status: 0, stdout: expect.stringContaining('Metrics:     1') });
  });

  it('runs with npx, without being installed', () => {
    const out = npm('exec', '--yes', '--prefer-offline', `--package=${tarball}`, '--', 'cc-metric-store', '-version');
    expect(out).toMatch(/^Version:\t\d/);
  });
});
