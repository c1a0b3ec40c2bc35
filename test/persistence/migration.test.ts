/** Directories that the Go server has written, taken over by the real server and given back. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBin } from '../../src/persistence/reference/bin-reader.js';
import { scanReferenceDirectory } from '../../src/persistence/reference/directory.js';
import { readJsonCheckpoint } from '../../src/persistence/reference/json-reader.js';
import type { SeriesRun } from '../../src/persistence/reference/types.js';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';
import { DATA, inputSamples, mapValues, put, type Samples, samplesOf } from './reference-data.js';
import { run } from './store-data.js';

const METRICS = {
  cpu_load: { frequency: 60, aggregation: 'avg' },
  mem_bw: { frequency: 60, aggregation: 'sum' },
  flops_any: { frequency: 60, aggregation: 'sum' },
  acc_power: { frequency: 60, aggregation: 'sum' },
  net_bytes_in: { frequency: 60, aggregation: 'sum' },
};
const LONG = process.env.CCMS_LONG === '1';
const PRELOAD = join(import.meta.dirname, 'crash-main.mjs');

function config(metrics: object = METRICS, format = 'wal'): object {
  return {
    main: {},
    metrics,
    'metric-store': {
      checkpoints: { directory: './checkpoints', 'file-format': format },
      'memory-cap': 1,
      'retention-in-memory': '876000h',
      'num-workers': 2,
    },
  };
}

/** A working directory with a copy of what the reference left. */
function taken(name: string): string {
  const dir = temporaryDirectory();
  cpSync(join(DATA, name), join(dir, 'checkpoints'), { recursive: true });
  return dir;
}

/** What the server answers about every series of the input. */
async function served(port: number): Promise<Samples> {
  const samples: Samples = new Map();
  for (const [name, input] of inputSamples()) {
    const parts = name.split('/');
    const [host = '', level = ''] = parts;
    const metric = parts.at(-1) ?? '';
    const [, type, id] = parts.length > 2 ? (/^(accelerator|[a-z]+?)(\d.*)$/.exec(level) ?? []) : [];
    const from = input.keys().next().value ?? 0;
    const queries = [{ metric, host, ...(type && { type, 'type-ids': [id] }) }];
    const body = JSON.stringify({ cluster: 'disk', from, to: 1700100000, queries });
    const answer = await ask(port, '/api/query', { method: 'GET', body });
    const [entry] = (JSON.parse(answer.body) as { results: { data?: (number | null)[] }[][] }).results[0] ?? [];
    entry?.data?.forEach((value, k) => {
      if (value !== null) put(samples, name, from + k * 60, value);
    });
  }
  return samples;
}

/** Compares answers, which are rounded to three decimals. */
function expectServed(found: Samples, expected: Samples): void {
  const wrong: string[] = [];
  for (const [name, series] of expected) {
    for (const [time, value] of series) {
      const got = found.get(name)?.get(time);
      if (got === undefined || !(Math.abs(got - value) <= 0.00051 + Math.abs(value) * 1e-12)) {
        wrong.push(`${name} at ${time}: ${got} instead of ${value}`);
      }
    }
    if (found.get(name)?.size !== series.size)
      wrong.push(`${name}: ${found.get(name)?.size} instead of ${series.size}`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
}

async function exported(dir: string, format: 'bin' | 'json'): Promise<Samples> {
  const out = join(dir, `back-${format}`);
  const done = await run('export.js', ['-config', 'config.json', '-out', out, '-format', format, '-from', '0'], dir);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  const runs: SeriesRun[] = [];
  for (const { files } of await scanReferenceDirectory(out)) {
    for (const { path } of files) {
      for await (const item of format === 'bin' ? readBin(path) : readJsonCheckpoint(path)) runs.push(item);
    }
  }
  return samplesOf(runs);
}

function filesOf(directory: string): Map<string, Buffer> {
  if (!existsSync(directory)) return new Map();
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(bin|json|wal)$/.test(name),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(directory, name))]));
}

/** As Go prints one decimal: ties go to the even digit. */
const toDecimal = (value: number) => {
  const scaled = Math.fround(value) * 10;
  const rounded = Math.round(scaled);
  return (Math.abs(scaled % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded) / 10;
};
const SOURCES: [name: string, held: (value: number) => number][] = [
  ['wal', Math.fround],
  ['killed', Math.fround],
  ['json', toDecimal],
];

describe.each(SOURCES)('a directory of the reference (%s)', (name, held) => {
  const expected = mapValues(inputSamples(), held);

  it('is served as recorded, becomes ours, and can be given back', async () => {
    const dir = taken(name);
    let server = await startServer(config(), { dir });
    expectServed(await served(server.port), expected);
    // The old files have been moved, all of them, as they were.
    expect(filesOf(join(dir, 'checkpoints/superseded'))).toEqual(filesOf(join(DATA, name)));
    expect(filesOf(join(dir, 'checkpoints/disk')).size).toBe(0);
    server = await server.restart('SIGKILL');
    expect(server.log()).not.toContain('superseded');
    expectServed(await served(server.port), expected);
    await server.stop();
    expect(await exported(dir, 'json')).toEqual(expected);
    expect(await exported(dir, 'bin')).toEqual(mapValues(expected, Math.fround));
  });

  it.runIf(LONG || name === 'killed')('survives a kill at each step of being moved away', async () => {
    const dir = taken(name);
    const files = filesOf(join(DATA, name)).size;
    // The first start moves none, each later one one file.
    for (let n = 1; n <= files; n++) {
      const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_RENAME: n === 1 ? '1' : '2' };
      await expect(startServer(config(), { dir, env })).rejects.toThrow('ended');
    }
    const server = await startServer(config(), { dir });
    expectServed(await served(server.port), expected);
    expect(filesOf(join(dir, 'checkpoints/superseded'))).toEqual(filesOf(join(DATA, name)));
    await server.stop();
  });
});

it('a kill while the first checkpoint is made loses nothing', async () => {
  const dir = taken('killed');
  const env = { NODE_OPTIONS: `--import=${join(import.meta.dirname, '../faults/crash-point.mjs')}` };
  for (const n of LONG ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] : [3, 9]) {
    await expect(startServer(config(), { dir, env: { ...env, CRASH_AT: String(n) } })).rejects.toThrow('ended');
    expect(filesOf(join(dir, 'checkpoints/disk'))).toEqual(filesOf(join(DATA, 'killed/disk')));
  }
  const server = await startServer(config(), { dir });
  expectServed(await served(server.port), mapValues(inputSamples(), Math.fround));
  await server.stop();
});

it('a log with a torn record in the middle is served but for that record, and set aside as .corrupt', async () => {
  const dir = taken('torn');
  const server = await startServer(config(), { dir });
  const found = await served(server.port);
  const count = [...found].reduce((sum, [name, series]) => sum + (name.startsWith('d01/') ? series.size : 0), 0);
  expect(count).toBe(4257);
  expect(server.log()).toMatch(/current\.wal: damaged at byte 91926/);
  const directory = join(dir, 'checkpoints/disk/d01');
  expect(readdirSync(directory)).toEqual(['current.wal.corrupt']);
  expect(readFileSync(join(directory, 'current.wal.corrupt'))).toEqual(
    readFileSync(join(DATA, 'torn/disk/d01/current.wal')),
  );
  await server.restart('SIGKILL').then(async (again) => {
    expect(await served(again.port)).toEqual(found);
    await again.stop();
  });
});

it('a log that a killed writer left torn at its end is no damage', async () => {
  const dir = taken('killed');
  truncateSync(join(dir, 'checkpoints/disk/d01/current.wal'), 196_572 - 5);
  const server = await startServer(config(), { dir });
  expect(server.log()).toMatch(/current\.wal: torn at byte 1965\d\d/);
  expect([...filesOf(join(dir, 'checkpoints/superseded')).keys()]).toEqual([
    'disk/d01/current.wal',
    'disk/d02/current.wal',
  ]);
  await server.stop();
});

it('a damaged checkpoint is set aside as .corrupt, and what is whole of it is kept', async () => {
  const dir = taken('wal');
  truncateSync(join(dir, 'checkpoints/disk/d01/1700023980.bin'), 5000);
  const server = await startServer(config(), { dir });
  const found = await served(server.port);
  const expected = mapValues(inputSamples(), Math.fround);
  for (const [name, series] of expected) {
    if (name.startsWith('d02/')) expect(found.get(name)?.size).toBe(series.size);
  }
  expect(readdirSync(join(dir, 'checkpoints/disk/d01'))).toEqual(['1700023980.bin.corrupt']);
  // Everything of the first window, and something of the second.
  const late = [...(found.get('d01/cpu_load')?.keys() ?? [])].filter((time) => time < 1700023980);
  expect(late).toHaveLength(
    [...(expected.get('d01/cpu_load')?.keys() ?? [])].filter((time) => time < 1700023980).length,
  );
  await server.stop();
});

it('a metric that the config does not name stays in the files that are kept', async () => {
  const dir = taken('wal');
  const { cpu_load, mem_bw } = METRICS;
  const server = await startServer(config({ cpu_load, mem_bw }), { dir });
  const found = await served(server.port);
  expect([...found.keys()].map((name) => name.split('/').at(-1)).sort()).toEqual([
    'cpu_load',
    'cpu_load',
    'mem_bw',
    'mem_bw',
  ]);
  await server.stop();
  expect(filesOf(join(dir, 'checkpoints/superseded'))).toEqual(filesOf(join(DATA, 'wal')));
  // Taken back under a config that names it, it is served.
  const again = temporaryDirectory();
  mkdirSync(join(again, 'checkpoints'));
  cpSync(join(dir, 'checkpoints/superseded'), join(again, 'checkpoints'), { recursive: true });
  const other = await startServer(config(), { dir: again });
  expectServed(await served(other.port), mapValues(inputSamples(), Math.fround));
  await other.stop();
});

it('is taken over into JSON checkpoints as well', async () => {
  const dir = taken('wal');
  let server = await startServer(config(METRICS, 'json'), { dir });
  server = await server.restart();
  expectServed(await served(server.port), mapValues(inputSamples(), Math.fround));
  await server.stop();
  expect(filesOf(join(dir, 'checkpoints/superseded'))).toEqual(filesOf(join(DATA, 'wal')));
  expect(filesOf(join(dir, 'checkpoints/disk')).size).toBe(4);
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config(METRICS, 'json')));
  expect(await exported(dir, 'json')).toEqual(mapValues(inputSamples(), Math.fround));
});
