/**
 * Disks that are full, or not to be written to: writes are refused with the reason, reads go on, nothing acknowledged is
 * lost, and it ends by itself when the disk is well again.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, figure, query, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { LIMIT } from '../support/limits.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { canMount, fillDisk, smallDisk, unmountDisks } from '../support/small-disk.js';
import { until } from '../support/wait.js';
import { Ledger, Source } from './ledger.js';

const METRICS = ['m0', 'm1'];

function config(workers: number, more: object = {}): object {
  return {
    metrics: Object.fromEntries(METRICS.map((name) => [name, { frequency: 10, aggregation: null }])),
    'metric-store': {
      'retention-in-memory': '720h',
      // A fast machine writes days ahead until a checkpoint comes.
      'future-limit': '0',
      'memory-cap': 2,
      'num-workers': workers,
      checkpoints: { directory: './disk/checkpoints', 'max-wal-size': 150_000 },
      ...more,
    },
  };
}

afterEach(unmountDisks);

class Scene {
  readonly ledger = new Ledger();
  readonly #source: Source;

  constructor(readonly server: ServerProcess) {
    this.#source = new Source(['a', 'b', 'c'], METRICS, Math.floor(Date.now() / 1000) - 86_400 * 5, seeded(5));
  }

  write(): Promise<number> {
    return this.ledger.write(this.server.port, this.#source.next(20));
  }

  /** Compares with what this process, or the next one in its place, answers. */
  async check(server = this.server, settle = false): Promise<void> {
    const { lost, changed, compared } = await this.ledger.compare(server.port, { settle });
    expect({ lost: lost.slice(0, 5), changed: changed.slice(0, 5) }, server.log()).toEqual({ lost: [], changed: [] });
    expect(compared).toBeGreaterThan(0);
  }

  /** Writes until it is refused. @returns the answer of one more write. */
  async writeUntilRefused(): Promise<string> {
    const end = Date.now() + LIMIT;
    while (Date.now() < end) {
      const status = await this.write();
      if (status === 200) continue;
      expect(status).toBe(503);
      const { status: again, body } = await write(this.server.port, 'm0,cluster=c,hostname=later value=1\n');
      expect(again).toBe(503);
      return body;
    }
    throw new Error('every write was taken');
  }

  /** Writes until `count` writes were taken, one after the other. */
  async writeAgain(count: number): Promise<void> {
    let taken = 0;
    for (let i = 0; i < 1000 && taken < count; i++) {
      if ((await this.write()) === 200) taken++;
      else await new Promise((go) => setTimeout(go, 20));
    }
    expect(taken).toBe(count);
  }
}

describe.skipIf(!canMount())('a full disk', () => {
  it.each([
    [1, 'interval'],
    [0, 'always'],
  ])('with %i workers and wal-sync %s', async (workers, walSync) => {
    const dir = smallDisk(1) ?? '';
    const server = await startServer(config(workers, { 'wal-sync': walSync }), { dir });
    const scene = new Scene(server);
    await scene.writeAgain(10);
    // What is left is less than a few batches.
    const filler = fillDisk(dir, 40_000);
    const reason = await scene.writeUntilRefused();
    expect(JSON.parse(reason)).toMatchObject({ status: 'Service Unavailable' });
    expect(reason).toMatch(/the log can't be written: .*\/partition-0-of-1\/\d{8}\.log: ENOSPC/);
    await scene.check();
    const health = await ask(server.port, '/healthz');
    expect(health.status).toBe(200);
    expect(JSON.parse(health.body).log).toMatch(/^the log of partition 0 can't be written, writes are refused; /);
    expect(await figure(server.port, 'ccms_log_failed{partition="0"}')).toBe(1);
    // What docs/api.md says of a write that the log did not take: it is not safe, and it is answered.
    const now = Math.floor(Date.now() / 1000);
    expect((await write(server.port, `m0,cluster=c,hostname=unsafe value=7 ${now}\n`)).status).toBe(503);
    const asked = { cluster: 'c', from: now - 60, to: now + 60, queries: [{ metric: 'm0', host: 'unsafe' }] };
    expect((await query(server.port, asked)).results[0]?.[0]?.data?.at(-1)).toBe(7);
    // Many tries leave no heap of files.
    for (let i = 0; i < 50; i++) await scene.write();
    expect(readdirSync(join(dir, 'disk/checkpoints/partition-0-of-1')).length).toBeLessThan(20);
    rmSync(filler);
    await scene.writeAgain(20);
    expect(JSON.parse((await ask(server.port, '/healthz')).body)).toEqual({ status: 'OK', state: 'ready' });
    expect(await figure(server.port, 'ccms_log_failed{partition="0"}')).toBe(0);
    await scene.check();
    const next = await server.restart('SIGKILL');
    await scene.check(next, true);
    expect(next.log()).not.toMatch(/ERR|CRIT/);
    await next.stop('SIGKILL');
  });

  it('keeps the old checkpoint and the log while a new one does not fit, and ends when it fits again', async () => {
    const dir = smallDisk(1) ?? '';
    const server = await startServer(config(1, { 'checkpoint-interval': '1s' }), { dir });
    const scene = new Scene(server);
    await scene.writeAgain(40);
    await until(() => readdirSync(join(dir, 'disk/checkpoints/partition-0-of-1')).includes('manifest.json'));
    await scene.writeAgain(40);
    const filler = fillDisk(dir, 8000);
    await until(() => /ERR.*checkpoint.*ENOSPC/.test(server.log()));
    await scene.check();
    // Killed there and then: the log has it all.
    const next = await server.restart('SIGKILL');
    await scene.check(next, true);
    rmSync(filler);
    const checkpoints = async (): Promise<number> =>
      Number(/^ccms_checkpoint\S*_total\S* (\d+)/m.exec((await ask(next.port, '/metrics')).body)?.[1] ?? 0);
    const before = await checkpoints();
    await until(async () => (await checkpoints()) > before);
    const last = await next.restart('SIGKILL');
    await scene.check(last, true);
    await last.stop('SIGKILL');
  });
});

// Permissions bind whoever is not root, which the server ceases to be.
describe.skipIf(process.getuid?.() !== 0)('a directory that is not to be written to', () => {
  it('refuses writes, answers queries, and recovers', async () => {
    const dir = temporaryDirectory();
    chmodSync(dir, 0o755);
    const files = join(dir, 'disk/checkpoints/partition-0-of-1');
    const identity = { main: { user: 'nobody', group: 'nogroup' } };
    const server = await startServer({ ...config(1, { 'checkpoint-interval': '1s' }), ...identity }, { dir });
    const scene = new Scene(server);
    await scene.writeAgain(10);
    chmodSync(files, 0o555);
    const reason = await scene.writeUntilRefused();
    expect(reason).toMatch(/EACCES: permission denied, open '.*\/partition-0-of-1\/\d{8}\.log'/);
    await scene.check();
    chmodSync(files, 0o755);
    await scene.writeAgain(10);
    const next = await server.restart('SIGKILL');
    await scene.check(next, true);
    await next.stop('SIGKILL');
  });
});

it.skipIf(!canMount())('a read-only disk keeps a server from starting, with a line that says why', async () => {
  const dir = smallDisk(1) ?? '';
  mkdirSync(join(dir, 'disk/checkpoints'));
  expect(spawnSync('mount', ['-o', 'remount,ro', join(dir, 'disk')]).status).toBe(0);
  await expect(startServer(config(1), { dir })).rejects.toThrow(
    /\[CRIT\] server: .*checkpoints\/\.server\.lock.*EROFS/,
  );
});

it('a second server on the same directory refuses with one clear line', async () => {
  const dir = temporaryDirectory();
  const first = await startServer(config(1), { dir });
  const scene = new Scene(first);
  await scene.writeAgain(2);
  const error = await startServer(config(1), { dir }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  const lines = (error?.message ?? '').split('\n').filter((text) => text.includes('[CRIT]'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`the checkpoint directory is in use by process ${first.pid}`);
  await scene.writeAgain(2);
  await scene.check();
  await first.stop('SIGKILL');
});
