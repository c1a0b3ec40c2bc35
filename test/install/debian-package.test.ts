/**
 * The Debian package: installed, started, upgraded, removed and purged in a throw-away Debian (chroot.ts); where a machine
 * gives none, unpacked into a staged root and started there.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { freePort } from '../support/ports.js';
import { startServer } from '../support/server-process.js';
import { type Chroot, openChroot } from './chroot.js';

const BUILD_LIMIT = 300_000;
const LIMIT = 120_000;
const DATA = '/var/lib/cc-metric-store';
const CONFIG = '/etc/cc-metric-store/config.json';

let chroot: Chroot | undefined;
let directory: string;

function build(version: string): string {
  const env = { ...process.env, DEB_VERSION: version, DEB_LEVEL: '1' };
  return execFileSync('bash', ['scripts/build-deb.sh', directory], { encoding: 'utf8', env }).trim();
}

beforeAll(async () => {
  directory = temporaryDirectory();
  chroot = await openChroot();
}, LIMIT);
afterAll(() => chroot?.close());

/** Runs in the chroot, and expects success. @returns what it printed */
function inside(script: string): string {
  const { status, output } = chroot?.run(script) ?? { status: null, output: 'no chroot' };
  expect(status, output).toBe(0);
  return output;
}

/** As the unit does: as the service's user, from its directory. */
async function serve(port: number): Promise<{ stop(): Promise<string> }> {
  const child = chroot?.start(`cd ${DATA}; echo $$ >/run/server.pid
    exec setpriv --reuid=cc-metric-store --regid=cc-metric-store --clear-groups cc-metric-store -config ${CONFIG} -loglevel info`);
  if (!child) throw new Error('no chroot');
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const ended = once(child, 'close');
  for (let status = 0; status !== 200; ) {
    if (child.exitCode !== null) throw new Error(`the server ended:\n${log}`);
    status = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      (answer) => answer.status,
      () => 0,
    );
    await new Promise((go) => setTimeout(go, 50));
  }
  return {
    stop: async () => {
      inside('kill $(cat /run/server.pid)');
      expect(await ended).toEqual([0, null]);
      return log;
    },
  };
}

const now = Math.floor(Date.now() / 1000);
const write = (port: number, value: number) =>
  fetch(`http://127.0.0.1:${port}/api/write?cluster=alex`, {
    method: 'POST',
    body: `cpu_load,hostname=h1 value=${value} ${now}`,
  });
async function read(port: number): Promise<unknown> {
  const queries = [{ metric: 'cpu_load', host: 'h1' }];
  const body = JSON.stringify({ cluster: 'alex', from: now, to: now + 60, queries });
  return (await fetch(`http://127.0.0.1:${port}/api/query`, { method: 'POST', body })).json();
}

describe('the Debian package', () => {
  it('holds nothing that only a checkout needs, and its control file is whole', { timeout: BUILD_LIMIT }, () => {
    const deb = build('0.1.0');
    const files = execFileSync('dpkg-deb', ['--contents', deb], { encoding: 'utf8', maxBuffer: 64 << 20 });
    expect(files).not.toMatch(
      /\.wat$|debug\.wasm|\/(?:typescript|vitest|assemblyscript|playwright-core)\/|node_modules\/\.bin/m,
    );
    expect(files).toMatch(/\.\/usr\/lib\/cc-metric-store\/node_modules\/hono\/package\.json$/m);
    const control = execFileSync('dpkg-deb', ['--field', deb], { encoding: 'utf8' });
    expect(control).toMatch(/^Package: cc-metric-store\nVersion: 0\.1\.0\nArchitecture: (amd64|arm64)\n/);
    expect(control).not.toMatch(/@[A-Z]+@/);
  });

  it('is installed, started, upgraded, removed and purged', { timeout: BUILD_LIMIT }, async () => {
    if (!chroot) return startStaged();
    const first = chroot.put(join(directory, debName('0.1.0')));
    inside(`dpkg --install ${first}`);
    expect(inside(`stat -c '%U:%G %a %n' ${CONFIG} ${DATA} /etc/cc-metric-store`)).toBe(
      `root:cc-metric-store 640 ${CONFIG}\ncc-metric-store:cc-metric-store 750 ${DATA}\nroot:cc-metric-store 750 /etc/cc-metric-store\n`,
    );
    expect(inside('getent passwd cc-metric-store')).toMatch(/:\/var\/lib\/cc-metric-store:\/usr\/sbin\/nologin$/m);
    const wanted = '/etc/systemd/system/multi-user.target.wants/cc-metric-store.service';
    expect(inside(`readlink ${wanted}`)).toMatch(/\/lib\/systemd\/system\/cc-metric-store\.service\n/);
    if (inside('command -v systemd-analyze || true')) {
      expect(inside('systemd-analyze verify /usr/lib/systemd/system/cc-metric-store.service')).toBe('');
    }

    // The administrator's change of the configuration must survive the upgrade.
    const port = await freePort();
    inside(`sed -i 's/localhost:8082/127.0.0.1:${port}/' ${CONFIG}`);
    const server = await serve(port);
    expect(inside('readlink /proc/$(cat /run/server.pid)/exe')).toBe('/usr/lib/cc-metric-store/node\n');
    expect((await write(port, 4.5)).status).toBe(200);
    expect(await server.stop()).not.toContain('[WARN]');
    expect(inside(`ls ${DATA}/checkpoints`)).toContain('partition-0-of-');

    const second = chroot.put(build('0.1.1'));
    inside(`dpkg --force-confold --install ${second}`);
    expect(inside('dpkg --status cc-metric-store')).toMatch(/^Status: install ok installed$[\s\S]*^Version: 0.1.1$/m);
    expect(inside(`grep -c 127.0.0.1:${port} ${CONFIG}`)).toBe('1\n');
    const upgraded = await serve(port);
    expect(await read(port)).toMatchObject({ results: [[{ data: [4.5] }]] });
    await upgraded.stop();

    inside('dpkg --remove cc-metric-store');
    expect(inside(`ls ${CONFIG} ${DATA}/checkpoints && ! command -v cc-metric-store`)).toContain(CONFIG);
    inside('dpkg --purge cc-metric-store');
    const left = inside(
      `find /etc /usr/bin /usr/lib /usr/share /var/lib -name '*cc-metric-store*' -not -path '${process.cwd()}/*'`,
    );
    expect(left).toBe('');
  });

  it('brings a manual page and a completion', { timeout: BUILD_LIMIT }, () => {
    const root = temporaryDirectory();
    execFileSync('dpkg-deb', ['--extract', join(directory, debName('0.1.0')), root]);
    const page = execFileSync('zcat', [join(root, 'usr/share/man/man8/cc-metric-store.8.gz')], { encoding: 'utf8' });
    expect(page).toMatch(/^\.TP\n\.B \\-config \\fIFILE\\fR\nRead the configuration from FILE/m);
    expect(page).toMatch(/^\.SS export$[\s\S]*^\.B \\-out \\fIDIR\\fR$/m);
    expect(page).not.toMatch(/@[A-Z]+@/);
    const complete = (...words: string[]) => {
      const script = `source ${root}/usr/share/bash-completion/completions/cc-metric-store
        compopt() { :; }
        COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(' ')}) COMP_CWORD=${words.length - 1}
        _cc_metric_store; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: root }).trim().split('\n');
    };
    expect(complete('cc-metric-store', '-che')).toEqual(['-check-config']);
    expect(complete('cc-metric-store', 'ex')).toEqual(['export']);
    expect(complete('cc-metric-store', 'export', '-f').sort()).toEqual(['-format', '-from']);
    expect(complete('cc-metric-store', '-loglevel', '')).toEqual(['debug', 'info', 'warn', 'err', 'crit']);
    expect(complete('cc-metric-store', '-config', 'us')).toEqual(['usr']);
  });
});

function debName(version: string): string {
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  return `cc-metric-store_${version}_${architecture}.deb`;
}

/** What is left to test without a chroot: the files themselves serve. */
async function startStaged(): Promise<void> {
  const root = temporaryDirectory();
  execFileSync('dpkg-deb', ['--extract', join(directory, debName('0.1.0')), root]);
  const lib = join(root, 'usr/lib/cc-metric-store');
  const config = JSON.parse(readFileSync(join(root, CONFIG), 'utf8')) as Record<string, Record<string, unknown>>;
  const dir = temporaryDirectory();
  const store = { ...config['metric-store'], checkpoints: { directory: join(dir, 'checkpoints') } };
  const command = [join(lib, 'node'), join(lib, 'dist/command.js')];
  const server = await startServer({ metrics: config.metrics, 'metric-store': store }, { command, dir });
  expect((await write(server.port, 4.5)).status).toBe(200);
  expect(await read(server.port)).toMatchObject({ results: [[{ data: [4.5] }]] });
  expect(await server.stop()).toBe(0);
}
