import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isReferenceFile, scanReferenceDirectory } from '../../src/persistence/reference/directory.js';
import { loadReference } from '../../src/persistence/reference/load.js';
import { logSamples } from '../../src/persistence/reference/log-reader.js';
import type { LogBatch, SeriesRun } from '../../src/persistence/reference/types.js';
import { DATA, inputSamples, mapValues, put, type Samples, Scratch, samplesOf, seriesName } from './reference-data.js';

let scratch = new Scratch();
afterEach(() => {
  scratch = new Scratch();
});

/** Collects what a load delivers, in the order of delivery. */
function collector() {
  const runs: SeriesRun[] = [];
  const log: Samples = new Map();
  const damages: string[] = [];
  const order: string[] = [];
  const sink = {
    run(run: SeriesRun) {
      runs.push(run);
      order.push(`${run.host} ${run.start < 1700023980 ? 'first' : 'second'} window`);
    },
    samples(batch: LogBatch) {
      order.push(`${batch.host} log`);
      for (const s of logSamples(batch)) put(log, seriesName(s.host, s.levels, s.metric), s.timestamp, s.value);
    },
    damaged: (file: string, offset: number, why: string) => void damages.push(`${file}:${offset}: ${why}`),
  };
  return { runs, log, damages, order, sink };
}

describe('isReferenceFile', () => {
  it('knows the names that the reference writes and no others', () => {
    for (const name of ['current.wal', '1699999980.bin', '1699999980.json']) expect(isReferenceFile(name)).toBe(true);
    for (const name of ['1.bin.tmp', 'x.json', 'a1.bin', '1.wal', 'current.wal.corrupt', '.bin', 'manifest.json'])
      expect(isReferenceFile(name)).toBe(false);
  });
});

describe('scanReferenceDirectory', () => {
  it('lists hosts and files in load order and passes over everything else', async () => {
    for (const name of ['current.wal', '200.bin', '1000.json', '30.json', '30.bin', '30.bin.tmp', 'notes.txt'])
      scratch.write(`b/h2/${name}`, '');
    scratch.write('b/h10/5.bin', '');
    scratch.write('b/empty/nothing', '');
    scratch.write('manifest.json', '');
    scratch.write('a/h1/7.json/strange', '');
    const hosts = await scanReferenceDirectory(scratch.path);
    const listed = hosts.map(
      (h) => `${h.cluster}/${h.host}: ${h.files.map((f) => f.path.split('/').at(-1)).join(' ')}`,
    );
    expect(listed).toEqual(['b/h10: 5.bin', 'b/h2: 30.bin 30.json 200.bin 1000.json current.wal']);
    expect(await scanReferenceDirectory(join(scratch.path, 'absent'))).toEqual([]);
  });
});

describe('loadReference', () => {
  it('delivers checkpoints oldest first, then the log', async () => {
    cpSync(join(DATA, 'wal'), scratch.path, { recursive: true });
    copyFileSync(join(DATA, 'killed/disk/d01/current.wal'), join(scratch.path, 'disk/d01/current.wal'));
    const got = collector();
    const summary = await loadReference(scratch.path, { since: 0 }, got.sink);
    const input = mapValues(inputSamples(), Math.fround);
    expect(samplesOf(got.runs)).toEqual(input);
    expect([...got.log.keys()].every((name) => name.startsWith('d01/'))).toBe(true);
    expect([...new Set(got.order)]).toEqual([
      ...['d01 first window', 'd01 second window', 'd01 log'],
      ...['d02 first window', 'd02 second window'],
    ]);
    expect(got.damages).toEqual([]);
    expect(summary).toEqual({ hosts: 2, files: 5, samples: 3 * 4258, damaged: 0 });
  });

  it.each([
    ['wal', 1700010010, 4],
    ['wal', 1700030000, 2],
    ['json', 1700030000, 2],
    ['killed', 1700010010, 2],
  ])('delivers of %s only what is not older than %d', async (kind, since, files) => {
    const got = collector();
    const summary = await loadReference(join(DATA, kind), { since }, got.sink);
    expect(summary.files).toBe(files);
    const expected = [...inputSamples()]
      .map(([name, series]) => ({ name, times: [...series.keys()].filter((time) => time >= since) }))
      .filter(({ times }) => times.length > 0);
    const all = kind === 'killed' ? got.log : samplesOf(got.runs);
    const delivered = [...all].map(([name, series]) => ({ name, times: [...series.keys()] }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(delivered.sort(byName)).toEqual(expected.sort(byName));
  });

  it('trims missing bins at the ends and delivers no run without a sample', async () => {
    const metrics = {
      a: { frequency: 10, start: 100, data: [null, null, 1, null, 2, null] },
      b: { frequency: 10, start: 100, data: [null, null] },
    };
    scratch.write('c/h/100.json', JSON.stringify({ metrics, children: {}, from: 100, to: 160 }));
    const got = collector();
    expect(await loadReference(scratch.path, { since: 0 }, got.sink)).toMatchObject({ samples: 2 });
    expect(got.runs).toMatchObject([{ metric: 'a', start: 120, values: Float64Array.of(1, Number.NaN, 2) }]);
  });

  it('loads only the hosts that are asked for', async () => {
    const got = collector();
    await loadReference(join(DATA, 'wal'), { since: 0, accept: (_, host) => host === 'd02' }, got.sink);
    expect(new Set(got.runs.map((run) => run.host))).toEqual(new Set(['d02']));
  });

  it('reports damage and goes on with the next file', async () => {
    cpSync(join(DATA, 'wal'), scratch.path, { recursive: true });
    const broken = scratch.write('disk/d01/1699999980.bin', 'garbage that is long enough for a header');
    copyFileSync(join(DATA, 'torn/disk/d01/current.wal'), join(scratch.path, 'disk/d01/current.wal'));
    const got = collector();
    const summary = await loadReference(scratch.path, { since: 0 }, got.sink);
    expect(summary.damaged).toBe(2);
    expect(got.damages[0]).toContain(`${broken}:0: magic`);
    expect(got.damages[1]).toMatch(/current\.wal:\d+: .*passed over/);
    expect(samplesOf(got.runs).get('d02/cpu_load')?.size).toBe(700);
    expect(got.log.get('d01/cpu_load')?.size).toBe(700);
  });

  it('waits for the sink', async () => {
    let running = 0;
    const slow = async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    await loadReference(join(DATA, 'wal'), { since: 0 }, { run: slow, samples: slow, damaged: slow });
    expect(running).toBe(0);
  });
});
