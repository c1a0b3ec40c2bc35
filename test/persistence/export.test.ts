/** `node dist/export.js` on what real servers have left. */
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readBin } from '../../src/persistence/reference/bin-reader.js';
import { scanReferenceDirectory } from '../../src/persistence/reference/directory.js';
import { readJsonCheckpoint } from '../../src/persistence/reference/json-reader.js';
import { differences } from '../support/differences.js';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';
import { between, makeSamples, post, type Rows, run, storeConfig } from './store-data.js';

const HOUR = 3600;
const now = Math.floor(Date.now() / 1000);

const exportTo = (dir: string, ...flags: string[]) => run('export.js', ['-config', 'config.json', ...flags], dir);

async function exportedRows(directory: string): Promise<Rows> {
  const rows: Rows = new Map();
  for (const { cluster, host, files } of await scanReferenceDirectory(directory)) {
    for (const { path, kind } of files) {
      for await (const { levels, metric, start, frequency, values } of kind === 'bin'
        ? readBin(path)
        : readJsonCheckpoint(path)) {
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

describe.each([
  ['wal', 2],
  ['json', 1],
] as const)('what a server with file-format %s has left', (format, workers) => {
  const rows: Rows = new Map();
  const change = {
    checkpoints: { directory: './var/checkpoints', 'file-format': format },
    'retention-in-memory': '4h',
    'num-workers': workers,
  };
  let dir: string;

  beforeAll(async () => {
    let server = await startServer(storeConfig(change));
    dir = server.dir;
    await post(server.port, makeSamples(rows, now - 1.5 * HOUR, now - HOUR, 1));
    server = await server.restart();
    // Late, overwritten and new samples, the last of them in the log alone.
    await post(server.port, makeSamples(rows, now - 1.2 * HOUR, now - 1.1 * HOUR, 2));
    server = await server.restart();
    await post(server.port, makeSamples(rows, now - 1.01 * HOUR, now - 0.9 * HOUR, 3));
    await server.stop('SIGKILL');
  });

  it('comes back bit for bit as JSON', async () => {
    const done = await exportTo(dir, '-out', 'json', '-format', 'json');
    expect(done.stderr).toBe('');
    expect(done.stdout).toMatch(/^\d+ files of 3 hosts written to json, from \d+ \(.*\) to \d+ \(.*\)\n$/);
    expect(done.status).toBe(0);
    expect(differences(await exportedRows(join(dir, 'json')), rows)).toEqual([]);
  });

  it('comes back in single precision as binary checkpoints', async () => {
    expect((await exportTo(dir, '-out', 'bin')).status).toBe(0);
    const single = new Map([...rows].map(([key, value]) => [key, Math.fround(value)]));
    // Beyond the largest float32 the format has only infinity, which readers take for missing.
    const found = await exportedRows(join(dir, 'bin'));
    expect(differences(found, single)).toEqual([]);
  });

  it('can be cut by time', async () => {
    const [from, to] = [now - 1.3 * HOUR, now - HOUR].map(Math.floor) as [number, number];
    const flags = ['-out', 'part', '-format', 'json', '-from', String(from), '-to', String(to)];
    expect((await exportTo(dir, ...flags)).status).toBe(0);
    expect(differences(await exportedRows(join(dir, 'part')), between(rows, from, to))).toEqual([]);
  });

  it('is not written over checkpoints that are there', async () => {
    await exportTo(dir, '-out', 'twice');
    const again = await exportTo(dir, '-out', 'twice');
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('twice already holds checkpoints');
  });
});

it.each([
  ['checkpoints', 'SIGTERM'],
  ['the log', 'SIGKILL'],
] as const)('samples of clocks that were ahead, in %s, hide none of the others', async (_what, signal) => {
  const rows: Rows = new Map();
  const server = await startServer(storeConfig({ 'future-limit': '0' }));
  await post(server.port, makeSamples(rows, now - 300, now - 200, 5));
  const good = new Map(rows);
  const ahead = now + 3650 * 24 * HOUR;
  // Alone, in a series that has good ones as well, and in the same block as these.
  await post(
    server.port,
    `load,cluster=alpha,hostname=new value=1 ${ahead}\nload,cluster=alpha,hostname=h0 value=1 ${ahead}\n` +
      `power,cluster=alpha,hostname=h0,type=socket,type-id=0 value=1 ${now + 900}\n`,
  );
  await server.stop(signal);
  writeFileSync(join(server.dir, 'config.json'), JSON.stringify(storeConfig()));
  const done = await exportTo(server.dir, '-out', 'out', '-format', 'json');
  expect(done.status).toBe(0);
  expect(done.stderr).toMatch(/WARN.* of clocks that were ahead: what is after \d+ .* is left out; -to takes it/);
  expect(differences(await exportedRows(join(server.dir, 'out')), good)).toEqual([]);
  expect(
    (await exportTo(server.dir, '-out', 'all', '-format', 'json', '-to', String(ahead + 1), '-from', '0')).status,
  ).toBe(0);
  expect((await exportedRows(join(server.dir, 'all'))).get(`alpha/new//load/${ahead}`)).toBe(1);
});

it('a directory that a server uses is refused, a copy of it is not', async () => {
  const rows: Rows = new Map();
  const server = await startServer(storeConfig());
  await post(server.port, makeSamples(rows, now - 300, now - 200, 4));
  const refused = await exportTo(server.dir, '-out', 'out');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain(`in use by process ${server.pid}`);
  expect(existsSync(join(server.dir, 'out'))).toBe(false);
  const copy = join(temporaryDirectory(), 'copy');
  cpSync(join(server.dir, 'var/checkpoints'), copy, { recursive: true });
  expect((await exportTo(server.dir, '-out', 'out', '-dir', copy, '-format=json')).status).toBe(0);
  expect(differences(await exportedRows(join(server.dir, 'out')), rows)).toEqual([]);
  await server.stop();
});

it('an empty directory gives nothing', async () => {
  const server = await startServer(storeConfig());
  await server.stop();
  const done = await exportTo(server.dir, '-out', 'out');
  expect(done).toMatchObject({ status: 0, stdout: './var/checkpoints holds no samples, nothing was written\n' });
});

it.each([
  [[], '-out is missing'],
  [['-out', 'x', '-format', 'xml'], 'expected bin or json'],
  [['-out', 'x', 'y'], 'unexpected argument "y"'],
  [['-from', 'noon'], 'expected a whole number'],
])('wrong usage %j ends with status 2', async (flags, message) => {
  const done = await run('export.js', flags, temporaryDirectory());
  expect(done.status).toBe(2);
  expect(done.stderr).toContain(message);
});
