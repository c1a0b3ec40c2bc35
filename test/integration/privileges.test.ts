/** As root: a port below 1024, then another user for good. Skipped for others, who cannot become anybody. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { query, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { config, TIME } from '../support/server-config.js';
import { startServer } from '../support/server-process.js';

const isRoot = process.geteuid?.() === 0;
const number = (flag: string, user: string) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout);
const NOBODY = { uid: number('-u', 'nobody'), gid: number('-g', 'nobody') };

/** For all to enter, for root alone to write: as /var/lib is. */
function publicDirectory(): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  return directory;
}

/** A port that only root may bind. */
async function lowPort(): Promise<number> {
  for (let port = 700; port < 1000; port++) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((closed) => server.close(closed));
    if (isFree) return port;
  }
  throw new Error('no free port below 1000');
}

/** Fields of /proc/PID/status of every thread. */
function threads(pid: number): Record<string, string>[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return Object.fromEntries(
      [...status.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name, value?.trim()]),
    );
  });
}

function owned(directory: string): [string, number, number][] {
  return ['.', ...readdirSync(directory, { recursive: true })].map((path) => {
    const { uid, gid } = statSync(join(directory, String(path)));
    return [String(path), uid, gid];
  });
}

describe.skipIf(!isRoot)('started as root', () => {
  it('serves a port below 1024 as nobody, owns its files, and has no way back', async () => {
    const dir = publicDirectory();
    const port = await lowPort();
    // The kernel's own limit may be lower than 1024 in a container; then any port proves as little.
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
    const setup = config(
      { addr: `127.0.0.1:${port}`, user: 'nobody' },
      {
        checkpoints: { directory: join(dir, 'data/checkpoints') },
        cleanup: { mode: 'archive', directory: join(dir, 'data/archive') },
      },
    );
    let server = await startServer(setup, { dir });
    try {
      expect((await write(port, `cpu_load,cluster=c,hostname=h value=1 ${TIME}`)).status).toBe(200);
      const all = threads(server.pid);
      // Main thread, workers, V8's and libuv's helpers.
      expect(all.length).toBeGreaterThan(6);
      for (const status of all) {
        expect(status.Uid?.split(/\s+/)).toEqual(Array(4).fill(String(NOBODY.uid)));
        expect(status.Gid?.split(/\s+/)).toEqual(Array(4).fill(String(NOBODY.gid)));
        expect(status.Groups?.split(/\s+/).filter(Boolean)).not.toContain('0');
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
          expect([set, status[set]]).toEqual([set, '0'.repeat(16)]);
      }
      for (const path of ['data/checkpoints', 'data/archive']) {
        for (const [name, uid, gid] of owned(join(dir, path))) {
          expect([path, name, uid, gid]).toEqual([path, name, NOBODY.uid, NOBODY.gid]);
        }
      }
      // Samples are nobody else's business.
      expect(statSync(join(dir, 'data/checkpoints')).mode & 0o007).toBe(0);
      // It can write its own at the stop, too, and read it at the next start.
      server = await server.restart();
      expect(server.log()).not.toMatch(/<[0-4]>/);
      const { results } = await query(port, {
        cluster: 'c',
        from: TIME,
        to: TIME + 60,
        queries: [{ metric: 'cpu_load', host: 'h' }],
      });
      expect(results[0]?.[0]?.data).toEqual([1]);
      expect(first).toBeGreaterThan(port);
    } finally {
      expect(await server.stop()).toBe(0);
    }
    for (const [, uid] of owned(join(dir, 'data/checkpoints'))) expect(uid).toBe(NOBODY.uid);
  });

  it('takes a group beside the user, and a group alone', async () => {
    for (const [main, uid, gid] of [
      [{ user: 'nobody', group: 'daemon' }, NOBODY.uid, number('-g', 'daemon')],
      [{ group: 'daemon' }, 0, number('-g', 'daemon')],
    ] as const) {
      const server = await startServer((port) => config({ ...main, addr: `127.0.0.1:${port}` }), {
        dir: publicDirectory(),
      }).catch((error: Error) => error);
      // The directory is root's: who is nobody is told that it cannot write there, unless root made ./var for it.
      if (server instanceof Error) throw server;
      const [status] = threads(server.pid);
      expect([status?.Uid?.split(/\s+/)[0], status?.Gid?.split(/\s+/)[0]]).toEqual([String(uid), String(gid)]);
      expect(await server.stop()).toBe(0);
    }
  });

  it('does not start for a user or group that does not exist, and leaves nothing behind', async () => {
    for (const [main, message] of [
      [{ user: 'no-such-user' }, /<2>\[CRIT\] server: .*main\.user: there is no user "no-such-user"/],
      [{ group: 'no-such-group' }, /<2>\[CRIT\] server: .*main\.group: there is no group "no-such-group"/],
      [{ user: 'nobody', group: '-x' }, /main\.group: there is no group "-x"/],
      [{ user: '$(id)' }, /main\.user: there is no user "\$\(id\)"/],
    ] as const) {
      const dir = publicDirectory();
      await expect(startServer((port) => config({ ...main, addr: `127.0.0.1:${port}` }), { dir })).rejects.toThrow(
        message,
      );
      expect(readdirSync(dir)).toEqual(['config.json']);
    }
  });

  it("does not start on a directory that is another user's, and says so", async () => {
    const dir = publicDirectory();
    const first = await startServer((port) => config({ addr: `127.0.0.1:${port}` }), { dir });
    await first.stop();
    const started = startServer((port) => config({ user: 'nobody', addr: `127.0.0.1:${port}` }), { dir });
    await expect(started).rejects.toThrow(/<2>\[CRIT\] server: .*var\/checkpoints.*(EACCES|permission denied)/);
  });

  it('refuses io_uring, which would go on as root', async () => {
    const started = startServer((port) => config({ user: 'nobody', addr: `127.0.0.1:${port}` }), {
      dir: publicDirectory(),
      env: { UV_USE_IO_URING: '1' },
    });
    await expect(started).rejects.toThrow(/UV_USE_IO_URING is set/);
  });

  it('as another user already, cannot become a third, and says so', () => {
    const dir = publicDirectory();
    const path = join(dir, 'config.json');
    writeFileSync(
      path,
      JSON.stringify(config({ addr: '127.0.0.1:0', user: 'daemon' }, { checkpoints: { directory: join(dir, 'x') } })),
    );
    const code = `import('${join(process.cwd(), 'dist/server.js')}')`;
    const run = spawnSync(
      'setpriv',
      [
        '--reuid=nobody',
        '--regid=nogroup',
        '--clear-groups',
        process.execPath,
        '-e',
        `process.argv.push('server', '-config', '${path}'); ${code}`,
      ],
      { encoding: 'utf8' },
    );
    expect(run.stderr).toMatch(/EACCES|permission denied|the process runs as user \d+, not as root/);
    expect(run.status).toBe(1);
  });
});
