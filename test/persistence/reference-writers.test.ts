import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { exportReference, exportWindowSeconds } from '../../src/export/export-reference.js';
import { readBin } from '../../src/persistence/reference/bin-reader.js';
import { writeReferenceBin } from '../../src/persistence/reference/bin-writer.js';
import { readJsonCheckpoint, readJsonWindow } from '../../src/persistence/reference/json-reader.js';
import { writeReferenceJson } from '../../src/persistence/reference/json-writer.js';
import { loadReference } from '../../src/persistence/reference/load.js';
import type { SeriesRun } from '../../src/persistence/reference/types.js';
import { seeded } from '../support/random.js';
import { DATA, drain, inputSamples, mapValues, Scratch, samplesOf } from './reference-data.js';

let scratch = new Scratch();
afterEach(() => {
  scratch = new Scratch();
});

const NaN64 = Number.NaN;

function run(levels: string[], metric: string, start: number, values: number[], frequency = 10): SeriesRun {
  return { cluster: 'c', host: 'h', levels, metric, frequency, start, values: Float64Array.from(values) };
}

async function readBack(path: string | undefined): Promise<SeriesRun[]> {
  expect(path).toBeDefined();
  const read = path?.endsWith('.bin') ? readBin : readJsonCheckpoint;
  const { items, error } = await drain(read(path as string));
  expect(error).toBeUndefined();
  return items;
}

/** Doubles of every size, including those that JSON can lose. */
function awkwardDoubles(count: number): number[] {
  const random = seeded(7);
  const bits = new DataView(new ArrayBuffer(8));
  const some = [0, -0, 0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -1e21, 123456789012345680, 2 ** 53 + 2, NaN64, 1e-7];
  while (some.length < count) {
    bits.setUint32(0, random() * 2 ** 32);
    bits.setUint32(4, random() * 2 ** 32);
    const value = bits.getFloat64(0);
    if (Number.isFinite(value)) some.push(value);
  }
  return [...some, 1];
}

describe.each([
  ['bin', writeReferenceBin],
  ['json', writeReferenceJson],
] as const)('writing .%s', (extension, write) => {
  it('reads back as it was written', async () => {
    const runs = [
      run([], 'm', 1000, [1, 2, NaN64, 4]),
      run(['socket0', 'net "x"'], 'ä,b', 1003, [5]),
      run(['socket0'], 'm', 1000, [6], 60),
    ];
    const path = await write(scratch.path, 'c', 'h', 990, 2000, runs);
    expect(path).toBe(join(scratch.path, `c/h/990.${extension}`));
    const read = await readBack(path);
    expect(read).toHaveLength(3);
    for (const expected of runs) expect(read).toContainEqual(expected);
    expect(readdirSync(join(scratch.path, 'c/h'))).toEqual([`990.${extension}`]);
  });

  it('keeps to the window and trims missing bins', async () => {
    const runs = [run([], 'm', 100, [1, NaN64, 3, 4, NaN64, 6]), run([], 'outside', 100, [1])];
    const read = await readBack(await write(scratch.path, 'c', 'h', 105, 150, runs));
    expect(read).toEqual([run([], 'm', 120, [3, 4])]);
    expect(await write(scratch.path, 'c', 'h', 5000, 6000, runs)).toBeUndefined();
    expect(existsSync(join(scratch.path, `c/h/5000.${extension}`))).toBe(false);
  });

  it('joins the runs of a series, each value in the bin that contains its time; the later one counts', async () => {
    const runs = [run([], 'm', 140, [5, 6]), run([], 'm', 100, [1, 2]), run([], 'm', 107, [20, NaN64, 40])];
    const read = await readBack(await write(scratch.path, 'c', 'h', 0, 1000, runs));
    expect(read).toEqual([run([], 'm', 100, [1, 20, NaN64, 40, 5, 6])]);
  });

  it('refuses foreign hosts, unsafe names and two frequencies, leaving nothing behind', async () => {
    const one = run([], 'm', 100, [1]);
    await expect(write(scratch.path, 'c', 'other', 0, 1000, [one])).rejects.toThrow('one host a file');
    await expect(write(scratch.path, '..', 'h', 0, 1000, [one])).rejects.toThrow('directory');
    await expect(write(scratch.path, 'c', 'a/b', 0, 1000, [one])).rejects.toThrow('directory');
    await expect(write(scratch.path, 'c', 'h', 0, 1000, [one, run([], 'm', 200, [1], 20)])).rejects.toThrow('h/m');
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it('leaves the old file and no temporary one when writing fails', async () => {
    const path = (await write(scratch.path, 'c', 'h', 100, 1000, [run([], 'm', 100, [1])])) as string;
    const before = readFileSync(path);
    const failing = (async function* () {
      yield run([], 'm', 100, [2]);
      throw new Error('the source broke');
    })();
    await expect(write(scratch.path, 'c', 'h', 100, 1000, failing)).rejects.toThrow('the source broke');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(join(scratch.path, 'c/h'))).toHaveLength(1);
  });
});

it('json keeps every bit, bin float32', async () => {
  const source = run(['hwthread0'], 'm', 1_700_000_000, awkwardDoubles(20_000), 1);
  const [json] = await readBack(
    await writeReferenceJson(scratch.path, 'c', 'h', 1_600_000_000, 1_800_000_000, [source]),
  );
  expect(Object.is(json?.values[1], -0)).toBe(true);
  expect(json).toEqual(source);
  const [bin] = await readBack(await writeReferenceBin(scratch.path, 'c', 'h', 1_600_000_000, 1_800_000_000, [source]));
  expect(bin?.values).toEqual(source.values.map(Math.fround));
});

it('json ends with its window and is JSON', async () => {
  const path = await writeReferenceJson(scratch.path, 'c', 'h', 100, 300, [run(['x'], 'm', 100, [1, NaN64, -0])]);
  expect(await readJsonWindow(path as string)).toEqual({ from: 100, to: 300 });
  expect(JSON.parse(readFileSync(path as string, 'utf8'))).toEqual({
    metrics: {},
    children: {
      x: { metrics: { m: { frequency: 10, start: 100, data: [1, null, -0] } }, children: {}, from: 100, to: 300 },
    },
    from: 100,
    to: 300,
  });
});

describe('exportReference', () => {
  async function* sourceRuns(): AsyncGenerator<SeriesRun> {
    for (const host of ['d01', 'd02']) {
      for (const from of [1699999980, 1700023980]) yield* readBin(join(DATA, 'wal/disk', host, `${from}.bin`));
    }
  }
  const options = { from: 1699999980, to: 1700042000, windowSeconds: 15_000 };

  it.each(['bin', 'json'] as const)('writes windows of .%s that load again', async (format) => {
    const directory = join(scratch.path, 'out');
    const summary = await exportReference(sourceRuns(), { ...options, directory, format });
    expect(summary).toEqual({ hosts: 2, files: 6 });
    expect(readdirSync(join(directory, 'disk/d01'))).toEqual(
      [1699999980, 1700012000, 1700027000].map((from) => `${from}.${format}`),
    );
    const runs: SeriesRun[] = [];
    const sink = { run: (r: SeriesRun) => void runs.push(r), samples: () => {}, damaged: expect.fail };
    await loadReference(directory, { since: 0 }, sink);
    expect(samplesOf(runs)).toEqual(mapValues(inputSamples(), Math.fround));
    await expect(exportReference(sourceRuns(), { ...options, directory, format })).rejects.toThrow('already holds');
  });

  it('refuses runs that are not grouped by host', async () => {
    const mixed = (async function* () {
      for (const host of ['a', 'b', 'a']) yield { ...run([], 'm', 1700000000, [1]), host };
    })();
    await expect(exportReference(mixed, { ...options, directory: scratch.path, format: 'bin' })).rejects.toThrow(
      'grouped',
    );
  });

  it('makes windows that are well within the retention', () => {
    expect(exportWindowSeconds(48 * 3600)).toBe(12 * 3600);
    expect(exportWindowSeconds(3600)).toBe(900);
    expect(exportWindowSeconds(10)).toBe(60);
  });
});
