/** Cleanup by real processes: what is older than the retention is deleted, or archived and then deleted. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { differences } from '../support/differences.js';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import {
  archivedRows,
  archives,
  between,
  makeSamples,
  post,
  type Rows,
  run,
  serves,
  storeConfig,
} from './store-data.js';

const HOUR = 3600;
const PRELOAD = join(import.meta.dirname, 'crash-main.mjs');
const LONG = process.env.CCMS_LONG === '1';
const ARCHIVE = { cleanup: { mode: 'archive', directory: './var/archive' } };

function checkpointFiles(dir: string): string[] {
  const root = join(dir, 'var/checkpoints');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(blocks|json)$/.test(name) && /\d+\.(blocks|json)$/.test(name))
    .sort();
}

/** A stopped server's directory with samples from three hours ago until now, in several checkpoint files. */
async function stoppedServer(change: Record<string, unknown>): Promise<{ dir: string; rows: Rows; now: number }> {
  const rows: Rows = new Map();
  const now = Math.floor(Date.now() / 1000);
  let server = await startServer(storeConfig({ ...change, 'retention-in-memory': '10h' }));
  const pieces = [3, 2.5, 2, 1.5, 0.5, 0];
  for (let i = 0; i + 1 < pieces.length; i++) {
    const [from = 0, to = 0] = [pieces[i], pieces[i + 1]];
    await post(server.port, makeSamples(rows, now - from * HOUR, now - to * HOUR - 300, i));
    // Each stop makes a checkpoint.
    server = await server.restart();
  }
  // Overwritten and late samples, which lie in later files than what they replace.
  await post(server.port, makeSamples(rows, now - 2.8 * HOUR, now - 2.7 * HOUR, 99));
  await server.stop();
  return { dir: server.dir, rows, now };
}

function writeConfig(dir: string, change: Record<string, unknown>): void {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(storeConfig(change)));
}

const cleanup = (dir: string, env: NodeJS.ProcessEnv = {}, killAfter?: number) =>
  run('server.js', ['-config', 'config.json', '-cleanup-checkpoints', '-loglevel', 'info'], dir, { env, killAfter });

describe.each(['wal', 'json'])('-cleanup-checkpoints with file-format %s', (format) => {
  const checkpoints = { directory: './var/checkpoints', 'file-format': format };
  let stopped: Awaited<ReturnType<typeof stoppedServer>>;

  beforeAll(async () => {
    stopped = await stoppedServer({ checkpoints });
  });

  it('deletes what is older than the retention, and only that', async () => {
    const { rows, now } = stopped;
    const dir = copyOf(stopped.dir);
    writeConfig(dir, { checkpoints });
    const before = checkpointFiles(dir);
    const done = await cleanup(dir);
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
    const removed = before.length - checkpointFiles(dir).length;
    expect(done.stdout).toBe(`${removed} checkpoint files cleaned up\n`);
    if (format === 'json') expect(removed).toBeGreaterThan(0);
    const server = await startServer(storeConfig({ checkpoints }), { dir });
    expect(await serves(server.port, between(rows, now - HOUR + 60, now))).toEqual([]);
    await server.stop();
    expect((await cleanup(dir)).stdout).toBe('0 checkpoint files cleaned up\n');
  });

  it('archives it first, every sample once and bit for bit', async () => {
    const { rows, now } = stopped;
    const dir = copyOf(stopped.dir);
    writeConfig(dir, { ...ARCHIVE, checkpoints });
    const done = await cleanup(dir);
    expect(done.status).toBe(0);
    const cut = JSON.parse(readFileSync(join(dir, 'var/checkpoints/archive.json'), 'utf8')).archivedTo as number;
    expect(cut).toBeGreaterThanOrEqual(now - HOUR);
    expect(archives(join(dir, 'var/archive'))).toHaveLength(2);
    expect(differences(await archivedRows(join(dir, 'var/archive')), between(rows, 0, cut))).toEqual([]);
    // The next one starts where this one ended.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await cleanup(dir)).status).toBe(0);
    const next = JSON.parse(readFileSync(join(dir, 'var/checkpoints/archive.json'), 'utf8')).archivedTo as number;
    expect(next).toBeGreaterThan(cut);
    expect(differences(await archivedRows(join(dir, 'var/archive')), between(rows, 0, next))).toEqual([]);
    const server = await startServer(storeConfig({ ...ARCHIVE, checkpoints }), { dir });
    expect(await serves(server.port, between(rows, next + 60, now))).toEqual([]);
    await server.stop();
  });

  it.runIf(LONG || format === 'wal')('killed at each of its steps loses nothing and doubles nothing', async () => {
    let kills = 0;
    for (let step = 1; ; step++) {
      const dir = copyOf(stopped.dir);
      writeConfig(dir, { ...ARCHIVE, checkpoints });
      const { signal } = await cleanup(dir, { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_RENAME: String(step) });
      if (signal === null) break;
      kills++;
      expect((await cleanup(dir)).status).toBe(0);
      const expected = between(stopped.rows, 0, archivedTo(dir));
      expect(differences(await archivedRows(join(dir, 'var/archive')), expected), `step ${step}`).toEqual([]);
    }
    // archive.json, an archive a cluster, archive.json.
    expect(kills).toBeGreaterThanOrEqual(4);
  });

  it.runIf(LONG)('killed at any moment, again and again, as well', async () => {
    const dir = copyOf(stopped.dir);
    writeConfig(dir, { ...ARCHIVE, checkpoints });
    for (let delay = 100; delay < 1900; delay += 30) await cleanup(dir, {}, delay);
    expect((await cleanup(dir)).status).toBe(0);
    const expected = between(stopped.rows, 0, archivedTo(dir));
    expect(differences(await archivedRows(join(dir, 'var/archive')), expected)).toEqual([]);
  });
});

function archivedTo(dir: string): number {
  const path = join(dir, 'var/checkpoints/archive.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')).archivedTo as number) : 0;
}

function copyOf(dir: string): string {
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

it('refuses while a server uses the directory', async () => {
  const server = await startServer(storeConfig(ARCHIVE));
  const done = await cleanup(server.dir);
  expect(done.status).toBe(1);
  expect(done.stderr).toContain(`in use by process ${server.pid}`);
  await server.stop();
});

it('archives what is in the log only', async () => {
  const rows: Rows = new Map();
  const now = Math.floor(Date.now() / 1000);
  const server = await startServer(storeConfig({ ...ARCHIVE, 'retention-in-memory': '10h' }));
  await post(server.port, makeSamples(rows, now - 2 * HOUR, now - 300, 1));
  await server.stop('SIGKILL');
  writeConfig(server.dir, ARCHIVE);
  expect((await cleanup(server.dir)).status).toBe(0);
  const cut = archivedTo(server.dir);
  expect(differences(await archivedRows(join(server.dir, 'var/archive')), between(rows, 0, cut))).toEqual([]);
});

describe.each<[format: string, workers: number]>(
  LONG
    ? [
        ['wal', 1],
        ['json', 2],
      ]
    : [['wal', 1]],
)('a running server with file-format %s and short retention', (format, workers) => {
  it('archives everything that it was given, through kills, restarts and other numbers of partitions', async () => {
    const change = (numWorkers: number) => ({
      ...ARCHIVE,
      checkpoints: { directory: './var/checkpoints', 'file-format': format },
      'retention-in-memory': '4s',
      // Longer than the retention: what is old is in the log and in memory alone, again and again.
      'checkpoint-interval': '7s',
      'num-workers': numWorkers,
    });
    const rows: Rows = new Map();
    let server = await startServer(storeConfig(change(workers)));
    const { dir } = server;
    let time = Math.floor(Date.now() / 1000);
    const begin = time;
    // Kills come at all phases of checkpoint, retention and archive.
    for (const [round, seconds] of (LONG ? [3, 5, 2, 6, 7, 3, 4, 5, 9] : [3, 4]).entries()) {
      const end = Date.now() + seconds * 1000;
      while (Date.now() < end) {
        const now = Math.floor(Date.now() / 1000);
        if (now > time) {
          const fresh: Rows = new Map();
          await post(server.port, makeSamples(fresh, time, now, time));
          for (const [key, value] of fresh) rows.set(key, value);
          time = now;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await server.stop(round % 2 ? 'SIGTERM' : 'SIGKILL');
      server = await startServer(storeConfig(change(workers + (round % 2))), { dir });
    }
    await until(() => archivedTo(dir) > time && archives(join(dir, 'var/archive')).length > 2);
    await server.stop();
    expect(server.log()).not.toContain('failed');
    expect(rows.size).toBeGreaterThan(30);
    expect(differences(await archivedRows(join(dir, 'var/archive')), between(rows, begin, time))).toEqual([]);
  });
});
