/** Checkpoints in JSON, changes of the layout and of the number of partitions: real servers lose nothing, bit for bit. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { windowsOf } from '../../src/persistence/json/json-checkpoint.js';
import { jsonWindowSeconds } from '../../src/persistence/json/json-windows.js';
import { scanReferenceDirectory } from '../../src/persistence/reference/directory.js';
import { readJsonCheckpoint } from '../../src/persistence/reference/json-reader.js';
import { ask } from '../support/client.js';
import { differences } from '../support/differences.js';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { startServer } from '../support/server-process.js';
import { makeSamples, post, type Rows, run, storeConfig } from './store-data.js';

const LONG = process.env.CCMS_LONG === '1';
const HOUR = 3600;

function change(format: string, workers = 1, more: object = {}): Record<string, unknown> {
  return {
    checkpoints: { directory: './var/checkpoints', 'file-format': format },
    'retention-in-memory': '8h',
    'num-workers': workers,
    ...more,
  };
}

async function rowsBelow(directory: string): Promise<Rows> {
  const rows: Rows = new Map();
  for (const { cluster, host, files } of await scanReferenceDirectory(directory)) {
    for (const { path } of files) {
      for await (const { levels, metric, start, frequency, values } of readJsonCheckpoint(path)) {
        values.forEach((value, k) => {
          if (Number.isNaN(value)) return;
          const key = [cluster, host, levels.join('+'), metric, start + k * frequency].join('/');
          if (rows.has(key)) throw new Error(`${key} comes twice`);
          rows.set(key, value);
        });
      }
    }
  }
  return rows;
}

/** Everything that a stopped or killed server has left, its log included. */
async function leftIn(dir: string): Promise<Rows> {
  const out = join(temporaryDirectory(), 'out');
  const done = await run('export.js', ['-config', 'config.json', '-format', 'json', '-out', out, '-from', '0'], dir);
  expect(done.stderr).toBe('');
  return rowsBelow(out);
}

describe('JSON checkpoints', () => {
  it('hold every sample once after a stop, in windows that do not overlap', async () => {
    const rows: Rows = new Map();
    const now = Math.floor(Date.now() / 1000);
    let server = await startServer(storeConfig(change('json')));
    const root = join(server.dir, 'var/checkpoints');
    await post(server.port, makeSamples(rows, now - HOUR, now - HOUR / 2, 1));
    server = await server.restart();
    // Late samples change windows that were written, and only those.
    const before = new Map(
      (await scanReferenceDirectory(root)).flatMap((h) => h.files.map((f) => [f.path, readFileSync(f.path)])),
    );
    await post(server.port, makeSamples(rows, now - HOUR + 30, now - HOUR + 40, 2, 1));
    await server.stop();
    expect(differences(await rowsBelow(root), rows)).toEqual([]);
    const changed = [...before].filter(([path, bytes]) => !bytes.equals(readFileSync(path)));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.every(([path]) => path.includes('/alpha/h0/'))).toBe(true);
    expect(
      readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /tmp$|blocks$/.test(name)),
    ).toEqual([]);
  });

  it('lose nothing to kills while they are written', async () => {
    const random = seeded(7);
    const rows: Rows = new Map();
    // A fast server takes hours of samples: some are ahead of its clock.
    const config = storeConfig(change('json', 2, { 'checkpoint-interval': '1s', 'future-limit': '0' }));
    let server = await startServer(config);
    const { dir } = server;
    let time = Math.floor(Date.now() / 1000) - 2 * HOUR;
    for (let round = 0; round < (LONG ? 20 : 4); round++) {
      const end = Date.now() + 300 + random() * 1500;
      while (Date.now() < end) {
        const fresh: Rows = new Map();
        await post(server.port, makeSamples(fresh, time, time + 20, time));
        for (const [key, value] of fresh) rows.set(key, value);
        time += 15;
      }
      await server.stop('SIGKILL');
      server = await startServer(config, { dir });
    }
    await server.stop('SIGKILL');
    expect(rows.size).toBeGreaterThan(1000);
    expect(differences(await leftIn(dir), rows)).toEqual([]);
  });
});

it('changing layout and number of partitions between starts loses nothing', async () => {
  const rows: Rows = new Map();
  const now = Math.floor(Date.now() / 1000);
  let from = now - 2 * HOUR;
  const dir = temporaryDirectory();
  const root = join(dir, 'var/checkpoints');
  const steps: [format: string, workers: number, signal: NodeJS.Signals][] = [
    ['wal', 1, 'SIGTERM'],
    ['json', 1, 'SIGKILL'],
    ['json', 2, 'SIGTERM'],
    ['wal', 3, 'SIGKILL'],
    ['wal', 2, 'SIGTERM'],
    ['json', 2, 'SIGTERM'],
    ['wal', 2, 'SIGKILL'],
  ];
  for (const [i, [format, workers, signal]] of steps.entries()) {
    const server = await startServer(storeConfig(change(format, workers)), { dir });
    // Overlaps what was written before.
    await post(server.port, makeSamples(rows, from - 20, from + 100, i));
    from += 100;
    await server.stop(signal);
    const partitions = readdirSync(root).filter((name) => name.startsWith('partition-'));
    expect(partitions).toEqual(Array.from({ length: workers }, (_, k) => `partition-${k}-of-${workers}`));
    expect(differences(await leftIn(dir), rows), `step ${i}`).toEqual([]);
  }
  // Our own JSON files were moved out of the way when the layout changed back.
  expect(existsSync(join(root, 'superseded/alpha/h0'))).toBe(true);
});

it.each(['wal', 'json'])('what a hand has freed does not come back (%s)', async (format) => {
  const rows: Rows = new Map();
  const now = Math.floor(Date.now() / 1000);
  let server = await startServer(storeConfig(change(format)));
  await post(server.port, makeSamples(rows, now - 2 * HOUR, now - HOUR, 1));
  server = await server.restart();
  const { body } = await ask(server.port, `/api/free?to=${now}`, {
    method: 'POST',
    body: '[["alpha", "h0"], ["beta"]]',
  });
  expect(body).toMatch(/buffers freed: [1-9]/);
  // The checkpoint of this stop lets the log go that knows of it.
  server = await server.restart();
  await server.stop('SIGKILL');
  const left = await leftIn(server.dir);
  expect(new Set([...left.keys()].map((key) => key.split('/').slice(0, 2).join('/')))).toEqual(new Set(['alpha/h2']));
});

describe('windows', () => {
  it('are a 48th of the retention, of whole minutes, and stay when it changes', () => {
    const directory = temporaryDirectory();
    const of = (retentionSeconds: number, fileFormat: 'json' | 'wal' = 'json') =>
      jsonWindowSeconds({ checkpoints: { fileFormat, directory }, retentionSeconds } as Parameters<
        typeof jsonWindowSeconds
      >[0]);
    expect(of(48 * HOUR)).toBe(HOUR);
    expect(of(10)).toBe(60);
    expect(of(1e9)).toBe(12 * HOUR);
    expect(of(HOUR * 24 + 1000)).toBe(1800);
    expect(of(48 * HOUR, 'wal')).toBeUndefined();
    writeFileSync(join(directory, 'json-windows.json'), '{"version":1,"seconds":720}\n');
    expect(of(48 * HOUR)).toBe(720);
    writeFileSync(join(directory, 'json-windows.json'), '{}');
    expect(() => of(48 * HOUR)).toThrow(/json-windows\.json: expected/);
  });

  it('are all those that spans touch', () => {
    expect(
      windowsOf(
        [
          { from: 59, to: 61 },
          { from: 200, to: 240 },
        ],
        60,
      ),
    ).toEqual([0, 60, 180]);
    expect(windowsOf([{ from: -1, to: 0 }], 60)).toEqual([-60]);
    expect(windowsOf([], 60)).toEqual([]);
  });
});
