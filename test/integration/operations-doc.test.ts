/**
 * docs/operations.md, run: every block of shell commands, in order, as it stands there, but for those that say why not.
 * The directories are others, and systemctl is a stand-in that starts and stops the real server.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure, query, summary, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { LIMIT } from '../support/limits.js';
import { freePort } from '../support/ports.js';
import { startProcess } from '../support/processes.js';
import { TIME } from '../support/server-config.js';
import { startServer } from '../support/server-process.js';

const ROOT = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

interface Block {
  section: string;
  code: string;
  /** Why it is not run. */
  reason: string | undefined;
}

function blocksOf(text: string): Block[] {
  let section = '';
  const blocks: Block[] = [];
  for (const match of text.matchAll(/^## (.*)$|(?:<!-- not run by the tests: (.*) -->\n)?^```sh\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) section = match[1];
    else blocks.push({ section, code: match[3] ?? '', reason: match[2] });
  }
  return blocks;
}

const box = temporaryDirectory();
const paths: Record<string, string> = {
  '/var/lib/cc-metric-store': join(box, 'lib'),
  '/etc/cc-metric-store': join(box, 'etc'),
  '/etc/systemd/system': join(box, 'units'),
  '/opt/cc-metric-store': join(box, 'opt'),
};
let port = 0;

/** Stand-ins for what needs systemd or an own user. */
const COMMANDS: Record<string, string> = {
  systemctl: `
case $1 in
  start|restart|enable)
    [ "$1" = restart ] && "$0" stop
    cd "$BOX/lib"
    node "$BOX/opt/dist/command.js" -config "$BOX/etc/config.json" -loglevel info </dev/null >>"$BOX/journal" 2>&1 &
    echo $! >"$BOX/pid"
    for i in $(seq ${LIMIT / 100}); do curl --silent --fail "http://localhost:$PORT/healthz" >/dev/null && exit 0; sleep 0.1; done
    exit 1;;
  stop) [ -e "$BOX/pid" ] || exit 0; kill "$(cat "$BOX/pid")"; while kill -0 "$(cat "$BOX/pid")" 2>/dev/null; do sleep 0.05; done; rm "$BOX/pid";;
  reload) kill -HUP "$(cat "$BOX/pid")";;
  daemon-reload|status) ;;
  *) echo "unknown: systemctl $*" >&2; exit 1;;
esac`,
  journalctl: 'cat "$BOX/journal"',
  'cc-metric-store': 'exec node "$BOX/opt/dist/command.js" "$@"',
  useradd: '',
  chown: '',
  // Users are not made here, so nothing can be given to them.
  install: `
args=()
while [ $# -gt 0 ]; do case $1 in -o|-g) shift 2;; *) args+=("$1"); shift;; esac; done
exec /usr/bin/install "\${args[@]}"`,
};

function localised(code: string): string {
  let text = code.replaceAll('localhost:8082', `localhost:${port}`);
  for (const [from, to] of Object.entries(paths)) text = text.replaceAll(from, to);
  return text;
}

/** The block as one script. Resolves with its output. @throws Error when a command of it failed. */
async function run(code: string): Promise<string> {
  const script = startProcess('bash', ['-euo', 'pipefail', '-c', localised(code)], {
    cwd: join(box, 'opt'),
    env: { BOX: box, PORT: String(port), PATH: `${join(box, 'bin')}:${process.env.PATH}` },
  });
  const { status } = await script.exited;
  if (status !== 0) throw new Error(`status ${status}:\n${script.log}`);
  return script.log;
}

const systemctl = (verb: string): Promise<string> => run(`systemctl ${verb} cc-metric-store`);

beforeAll(async () => {
  port = await freePort();
  for (const path of [...Object.values(paths), join(box, 'bin')]) mkdirSync(path, { recursive: true });
  for (const name of ['dist', 'contrib', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, name), join(box, 'opt', name));
  cpSync(join(ROOT, 'configs'), join(box, 'opt/configs'), { recursive: true });
  const small = join(box, 'opt/configs/config.json');
  writeFileSync(small, readFileSync(small, 'utf8').replaceAll(':8082', `:${port}`));
  for (const [name, code] of Object.entries(COMMANDS)) {
    writeFileSync(join(box, 'bin', name), `#!/bin/bash\n${code}\n`);
    chmodSync(join(box, 'bin', name), 0o755);
  }
});
afterAll(() => systemctl('stop'));

async function samples(host: string): Promise<(number | null)[] | undefined> {
  const { results } = await query(port, {
    cluster: 'doc',
    from: TIME,
    to: TIME + 600,
    queries: [{ metric: 'mem_used', host }],
  });
  return results[0]?.[0]?.data;
}

/** What is looked at after a block, by a part of its text. */
const CHECKS: [part: string, check: (output: string) => Promise<void> | void][] = [
  ['-version', (output) => expect(output).toMatch(/"status":"OK"/)],
  [
    'openssl genpkey',
    (output) => {
      const [publicKey, privateKey] = output
        .trim()
        .split('\n')
        .map((line) => Buffer.from(line, 'base64'));
      expect([publicKey?.length, privateKey?.length]).toEqual([32, 64]);
      expect(privateKey?.subarray(32)).toEqual(publicKey);
    },
  ],
  ['Memory at full retention', (output) => expect(output).toMatch(/743,000 series, [\d,]+ samples: about [\d.]+ GB/)],
  [
    'enable --now',
    async () => {
      expect(existsSync(join(box, 'units/cc-metric-store.service'))).toBe(true);
      expect((await write(port, `mem_used,cluster=doc,hostname=first value=1 ${TIME}`)).status).toBe(200);
    },
  ],
  ['-check-config\nsystemctl restart', async () => expect(await samples('first')).toEqual([1])],
  [
    '-damaged',
    async (output) => {
      expect(output).toMatch(/\d+ files, all whole/);
      expect(await samples('first')).toEqual([1]);
    },
  ],
  [
    'cc-metric-store export',
    async (output) => {
      expect(output).toMatch(/\d+ files of 1 hosts written to/);
      expect(output).toMatch(/all whole\n$/);
      await systemctl('start');
    },
  ],
  [
    'systemctl stop cc-metric-store\ntar',
    async () => {
      expect(await samples('first')).toEqual([1]);
      expect((await write(port, `mem_used,cluster=doc,hostname=afterwards value=1 ${TIME}`)).status).toBe(200);
    },
  ],
  [
    'tar -C checkpoints -xzf',
    async () => {
      expect(await samples('first')).toEqual([1]);
      expect(await samples('afterwards')).toBeUndefined();
    },
  ],
  [
    '/metrics',
    (output) => {
      expect(output).toMatch(/^ccms_series 1$/m);
      expect(output).toContain('"doc":{"hosts":1,"series":1,"samples":1');
    },
  ],
];

describe('docs/operations.md', () => {
  const blocks = blocksOf(page);

  it('leaves few blocks out, each with its reason', () => {
    expect(blocks.length).toBeGreaterThan(12);
    expect(blocks.filter(({ reason }) => reason !== undefined).map(({ section }) => section)).toEqual([
      'Install',
      'Install',
      'Install',
      'Containers',
    ]);
    for (const { code } of blocks) {
      expect(spawnSync('bash', ['-n', '-c', code], { encoding: 'utf8' }).stderr).toBe('');
    }
    for (const [part] of CHECKS)
      expect([part, blocks.filter(({ code }) => code.includes(part)).length]).toEqual([part, 1]);
  });

  it.each(
    blocks.filter(({ reason }) => reason === undefined).map(({ section, code }, i) => [`${section} (${i + 1})`, code]),
  )('runs: %s', async (_, code) => {
    const output = await run(code);
    for (const [part, check] of CHECKS) if (code.includes(part)) await check(output);
  });

  it('gives a token that the server takes', async () => {
    const key = spawnSync('bash', ['-c', 'openssl pkey -in jwt.pem -pubout -outform DER | tail -c 32 | base64'], {
      cwd: join(box, 'opt'),
      encoding: 'utf8',
    }).stdout.trim();
    const setup = join(box, 'etc/config.json');
    const config = JSON.parse(readFileSync(setup, 'utf8')) as { main: object };
    writeFileSync(setup, JSON.stringify({ ...config, main: { ...config.main, 'jwt-public-key': key } }));
    await systemctl('restart');
    const jwt = readFileSync(join(box, 'opt/token.jwt'), 'utf8').trim();
    expect((await ask(port, '/api/debug', { headers: { authorization: `Bearer ${jwt}` } })).status).toBe(200);
    expect((await ask(port, '/api/debug')).status).toBe(401);
    writeFileSync(setup, JSON.stringify(config));
    await systemctl('restart');
  });

  it('backs up a server that writes and makes checkpoints meanwhile: nothing acknowledged is missing', async () => {
    const live = blocks.find(({ code }) => code.includes('cp -al'))?.code ?? '';
    const setup = join(box, 'etc/config.json');
    const config = JSON.parse(readFileSync(setup, 'utf8')) as Record<string, Record<string, object>>;
    // Several checkpoints a second.
    const checkpoints = { ...config['metric-store']?.checkpoints, 'max-wal-size': 256 << 10 };
    writeFileSync(setup, JSON.stringify({ ...config, 'metric-store': { ...config['metric-store'], checkpoints } }));
    await systemctl('restart');
    let acknowledged = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        const lines = Array.from({ length: 100 }, (_, i) => {
          const n = acknowledged + i;
          return `mem_used,cluster=live,hostname=h${n % 10},type=hwthread,type-id=${n} value=${n} ${TIME}`;
        });
        expect((await write(port, lines.join('\n'))).status).toBe(200);
        acknowledged += lines.length;
        await new Promise((go) => setTimeout(go, 2));
      }
    })();
    try {
      for (let round = 0; round < 4; round++) {
        await new Promise((go) => setTimeout(go, 500));
        const before = acknowledged;
        await run(live);
        const dir = temporaryDirectory();
        mkdirSync(join(dir, 'var/checkpoints'), { recursive: true });
        const unpacked = spawnSync('tar', ['-C', join(dir, 'var/checkpoints'), '-xzf', join(box, 'lib/backup.tar.gz')]);
        expect(unpacked.status).toBe(0);
        const restored = await startServer((own) => ({ ...config, main: { addr: `127.0.0.1:${own}` } }), { dir });
        expect((await summary(restored.port, 'live')).samples).toBeGreaterThanOrEqual(before);
        expect(before).toBeGreaterThan(0);
        expect(restored.log()).not.toMatch(/<[0-3]>/);
        await restored.stop('SIGKILL');
      }
    } finally {
      stop = true;
      await writing;
    }
    expect(await figure(port, 'ccms_checkpoints_total')).toBeGreaterThan(2);
    expect(readFileSync(join(box, 'journal'), 'utf8')).not.toMatch(/<[0-3]>/);
  });

  it('has a unit that systemd takes', () => {
    const unit = join(box, 'units/cc-metric-store.service');
    const text = localised(readFileSync(join(ROOT, 'contrib/systemd/cc-metric-store.service'), 'utf8'))
      .replaceAll(/^(Exec\w+)=cc-metric-store/gm, `$1=${join(box, 'bin/cc-metric-store')}`)
      .replace(/^(User|Group)=.*\n/gm, '')
      .replace('file:///', 'file:/');
    writeFileSync(unit, text);
    const tool = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    if (tool.error) return expect((tool.error as NodeJS.ErrnoException).code).toBe('ENOENT'); // Not every machine has systemd.
    expect([tool.status, tool.stdout + tool.stderr]).toEqual([0, '']);
  });
});
