/** `node dist/inspect.js` on files of real servers, whole and damaged, ours and the reference's. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';
import { DATA } from './reference-data.js';
import { makeSamples, post, type Rows, run, storeConfig } from './store-data.js';

const now = Math.floor(Date.now() / 1000);
const first = now - 3000;
let original: string;
const rows: Rows = new Map();

beforeAll(async () => {
  let server = await startServer(storeConfig({ 'retention-in-memory': '5h' }));
  original = server.dir;
  await post(server.port, makeSamples(rows, first, now - 1000, 1));
  server = await server.restart();
  await post(server.port, makeSamples(new Map(), now - 500, now - 400, 2));
  await ask(server.port, `/api/free?to=${first + 10}`, { method: 'POST', body: '[["alpha","h0"]]' });
  await server.stop('SIGKILL');
});

function copy(): string {
  const dir = temporaryDirectory();
  cpSync(join(original, 'var/checkpoints'), dir, { recursive: true });
  return dir;
}

const inspect = (...args: string[]) => run('inspect.js', args, temporaryDirectory());

/** Path of the only file with this ending. */
function fileOf(dir: string, ending: string): string {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort();
  return join(dir, names.at(-1) ?? '');
}

describe('our own files', () => {
  it('are counted: hosts, series, samples, from when to when, whole', async () => {
    const dir = copy();
    const done = await inspect(dir);
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
    expect(done.stdout).toContain('.blocks: checkpoint of ours');
    const samples = rows.size;
    expect(done.stdout).toMatch(
      new RegExp(`3 hosts of 2 clusters \\(alpha, beta\\)\\n9 series of 3 metrics on 9 levels, ${samples} samples`),
    );
    const loads = [...rows.keys()].filter((key) => key.includes('/load/'));
    const times = loads.map((key) => Number(key.split('/').at(-1)));
    expect(done.stdout).toMatch(
      new RegExp(
        `  load: 3 series, every 1 s, ${loads.length} samples from ${Math.min(...times)} \\(.*\\) to ${Math.max(...times)} `,
      ),
    );
    expect(done.stdout).toMatch(/\.log: write-ahead log of ours, \d+ bytes\n\d+ frames, 3 hosts/);
    expect(done.stdout).toContain(`freed by hand: what ends before ${first + 10} `);
    expect(done.stdout).toMatch(/manifest\.json: manifest of ours, \d+ bytes\nlog segments from 2 on/);
    expect(done.stdout).toMatch(/ files, all whole\n$/);
  });

  it('with a flipped bit say where', async () => {
    const dir = copy();
    const path = fileOf(dir, '.blocks');
    const bytes = readFileSync(path);
    const at = bytes.length - 20;
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    writeFileSync(path, bytes);
    const done = await inspect('-damaged', dir);
    expect(done.status).toBe(1);
    expect(done.stdout).toMatch(
      /\.blocks: checkpoint of ours[\s\S]*damaged at byte \d+: \d+ bytes hold no whole frame/,
    );
    expect(done.stdout).not.toContain('.log');
    expect(done.stdout).toMatch(/ files, 1 not whole\n$/);
  });

  it('that are torn say so, with what comes before', async () => {
    const dir = copy();
    const path = fileOf(dir, '.log');
    truncateSync(path, readFileSync(path).length - 3);
    const done = await inspect(path);
    expect(done.status).toBe(1);
    expect(done.stdout).toMatch(
      /9 series of 3 metrics[\s\S]*torn at byte \d+: the last \d+ bytes are the beginning of a frame/,
    );
  });

  it('that a manifest names and that are gone are missed', async () => {
    const dir = copy();
    const path = fileOf(dir, 'manifest.json');
    rmSync(fileOf(dir, '.blocks'));
    expect((await inspect(path)).stdout).toMatch(
      /\d+\.blocks: .* MISSING[\s\S]*damaged: 1 files are not what was written/,
    );
    writeFileSync(path, '{"version": 1');
    expect((await inspect(path)).stdout).toContain('damaged: not JSON');
  });
});

it('the files of the reference, and archives', async () => {
  const done = await inspect(DATA);
  expect(done.status).toBe(1);
  expect(done.stdout).toMatch(
    /torn\/disk\/d01\/current\.wal: write-ahead log in the reference's format[\s\S]*damaged at byte 91926/,
  );
  expect(done.stdout).toMatch(/1700053980\.parquet: archive in Parquet[\s\S]*whole: every row can be read/);
  expect(done.stdout).toMatch(/12 files, 1 not whole\n$/);
});

it('says what it can not read, and ends with 1; without a file with 2', async () => {
  const done = await inspect('/nowhere/at-all');
  expect(done.status).toBe(1);
  expect(done.stdout).toContain("damaged: it can't be read: ENOENT");
  expect((await inspect()).status).toBe(2);
  expect((await inspect('-x')).status).toBe(2);
});
