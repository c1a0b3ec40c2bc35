import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBin, readBinWindow } from '../../src/persistence/reference/bin-reader.js';
import { crc32 } from '../../src/persistence/reference/crc32.js';
import { readJsonCheckpoint, readJsonWindow } from '../../src/persistence/reference/json-reader.js';
import { type LogDamage, logSamples, readReferenceLog } from '../../src/persistence/reference/log-reader.js';
import { MAX_RUN_BINS } from '../../src/persistence/reference/types.js';
import { seeded } from '../support/random.js';
import {
  DATA,
  drain,
  inputSamples,
  mapValues,
  put,
  type Samples,
  Scratch,
  samplesOf,
  seriesName,
} from './reference-data.js';

const scratch = new Scratch();
const input = inputSamples();

async function readAll(format: 'wal' | 'json') {
  const read = format === 'wal' ? readBin : readJsonCheckpoint;
  const extension = format === 'wal' ? 'bin' : 'json';
  const runs = [];
  for (const host of ['d01', 'd02']) {
    for (const from of [1699999980, 1700023980]) {
      const { items, error } = await drain(read(join(DATA, format, 'disk', host, `${from}.${extension}`)));
      expect(error).toBeUndefined();
      runs.push(...items);
    }
  }
  return runs;
}

async function readLog(path: string) {
  const damages: LogDamage[] = [];
  const samples: Samples = new Map();
  let count = 0;
  for await (const batch of readReferenceLog(path, (damage) => damages.push(damage))) {
    for (const { host, levels, metric, timestamp, value } of logSamples(batch)) {
      put(samples, seriesName(host, levels, metric), timestamp, value);
      count++;
    }
  }
  return { samples, count, damages };
}

function ofHost(samples: Samples, host: string): Samples {
  return new Map([...samples].filter(([name]) => name.startsWith(`${host}/`)));
}

describe('readBin', () => {
  it('gives every sample back at the second it was written for', async () => {
    expect(samplesOf(await readAll('wal'))).toEqual(mapValues(input, Math.fround));
  });

  it('names cluster and host after the directories, and the window', async () => {
    const path = join(DATA, 'wal/disk/d01/1699999980.bin');
    const { items } = await drain(readBin(path));
    expect(new Set(items.map(({ cluster, host }) => `${cluster}/${host}`))).toEqual(new Set(['disk/d01']));
    expect(await readBinWindow(path)).toEqual({ from: 1699999980, to: 1700023980 });
  });

  it('hands out long series in pieces that follow each other', async () => {
    const count = MAX_RUN_BINS + 10;
    const values = new Float32Array(count).map((_, k) => k % 1000);
    const head = Buffer.from('01005bcc00000000000000000000000000000000' + '01000000' + '010061', 'hex');
    const times = Buffer.alloc(20);
    times.writeBigInt64LE(10n, 0);
    times.writeBigInt64LE(500n, 8);
    times.writeUInt32LE(count, 16);
    const path = scratch.write(
      'c/h/5.bin',
      Buffer.concat([head, times, new Uint8Array(values.buffer), Buffer.alloc(4)]),
    );
    const { items, error } = await drain(readBin(path));
    expect(error).toBeUndefined();
    expect(items.map(({ start, values: v }) => [start, v.length])).toEqual([
      [500, MAX_RUN_BINS],
      [500 + MAX_RUN_BINS * 10, 10],
    ]);
    expect(items[1]?.values[9]).toBe(values[count - 1]);
  });

  it.each([
    ['a foreign file', 'hello, this is no checkpoint', 0, 'magic'],
    ['an empty file', '', 0, 'header'],
    ['a count beyond the file', Buffer.from(`01005bcc${'00'.repeat(16)}ffffffff`, 'hex'), 20, 'room'],
    ['bytes after the end', Buffer.from(`01005bcc${'00'.repeat(24)}07`, 'hex'), 28, 'after the end'],
    ['a time that is none', Buffer.from(`01005bcc${'ff'.repeat(8)}${'00'.repeat(16)}`, 'hex'), 4, 'unix seconds'],
  ])('refuses %s with the place', async (_, content, offset, why) => {
    const path = scratch.write('c/h/9.bin', content);
    const { items, error } = await drain(readBin(path));
    expect(items).toEqual([]);
    expect(error).toMatchObject({ code: 'REFERENCE_FORMAT', file: path, offset });
    expect(error?.message).toContain(why);
  });
});

describe('readJsonCheckpoint', () => {
  it('gives every sample back, rounded to one decimal as the reference wrote it', async () => {
    const read = samplesOf(await readAll('json'));
    expect([...read.keys()].sort()).toEqual([...input.keys()].sort());
    for (const [name, series] of input) {
      const other = read.get(name) as Map<number, number>;
      expect([...other.keys()].sort()).toEqual([...series.keys()].sort());
      for (const [time, value] of series) {
        expect(Math.abs((other.get(time) as number) - Math.fround(value))).toBeLessThanOrEqual(0.0500001);
      }
    }
  });

  it('finds the window at the end of the file', async () => {
    const path = join(DATA, 'json/disk/d02/1700023980.json');
    expect(await readJsonWindow(path)).toMatchObject({ from: 1700023980 });
    expect(await readJsonWindow(scratch.write('c/h/1.json', '{"from":1,"to":2,"metrics":{}}'))).toBeUndefined();
  });

  it('takes keys in any order, unknown keys, white space, escapes, nulls', async () => {
    const text = `\n{ "to" : 90, "new": {"a": [1, "}\\"", {"b": null}], "c": -1.5e3}, "children": {"a\\"\\u00e4":
      {"children": null, "metrics": {"m": {"data": [ 1 ,null, -0, 2.5e-3 ,9007199254740993], "x": true, "start": 7, "frequency": 5}}}},
      "metrics": {"empty": {"frequency": 1, "start": 2, "data": []}, "none": {"frequency": 1, "start": 2, "data": null}}, "from": 1 } `;
    const { items, error } = await drain(readJsonCheckpoint(scratch.write('clu/hos/1.json', text)));
    expect(error).toBeUndefined();
    expect(items).toEqual([
      {
        cluster: 'clu',
        host: 'hos',
        levels: ['a"ä'],
        metric: 'm',
        frequency: 5,
        start: 7,
        values: Float64Array.of(1, Number.NaN, -0, 0.0025, 9007199254740992),
      },
    ]);
  });

  it('reads numbers as the language does, and refuses what JSON does not allow', async () => {
    const random = seeded(5);
    const digits = (most: number) =>
      Array.from({ length: 1 + random() * most }, () => Math.floor(random() * 10)).join('');
    const accepted: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      const whole = digits(i % 3 === 0 ? 20 : 7).replace(/^0+(?=\d)/, '');
      const fraction = random() < 0.7 ? `.${digits(i % 5 === 0 ? 25 : 4)}` : '';
      const exponent = random() < 0.1 ? `e${random() < 0.5 ? '-' : '+'}${digits(1)}` : '';
      accepted.push(`${random() < 0.3 ? '-' : ''}${whole}${fraction}${exponent}`);
    }
    const read = (numbers: string) =>
      drain(
        readJsonCheckpoint(
          scratch.write('c/h/1.json', `{"metrics":{"m":{"frequency":1,"start":1,"data":[${numbers}]}}}`),
        ),
      );
    const { items } = await read(accepted.join(','));
    expect(items.flatMap(({ values }) => [...values])).toEqual(accepted.map(Number));
    for (const refused of [
      '01',
      '-',
      '-01',
      '1.',
      '.5',
      '+1',
      '1e',
      '1e+',
      '1.2.3',
      '--1',
      '0x1',
      'NaN',
      'nul',
      '1 2',
    ]) {
      // In the middle, where the fast path may meet it, and at the end.
      expect((await read(`1,${refused},${'3,'.repeat(30)}4`)).error, refused).toBeDefined();
      expect((await read(`1,${refused}`)).error, refused).toBeDefined();
    }
  });

  it('hands out long series in pieces that follow each other', async () => {
    const data = Array.from({ length: 2 * MAX_RUN_BINS }, (_, k) => k / 8);
    const text = JSON.stringify({ metrics: { m: { frequency: 2, start: 100, data } }, from: 1, to: 2 });
    const { items } = await drain(readJsonCheckpoint(scratch.write('c/h/1.json', text)));
    expect(items.map(({ start, values }) => [start, values.length])).toEqual([
      [100, MAX_RUN_BINS],
      [100 + 2 * MAX_RUN_BINS, MAX_RUN_BINS],
    ]);
    expect(items.flatMap(({ values }) => [...values])).toEqual(data);
  });

  it.each([
    ['an empty file', '', 'empty'],
    ['something else', '[1, 2]', 'a level'],
    ['text after the end', '{"from":1,"to":2} x', 'after the end'],
    ['a bad number', '{"metrics":{"m":{"frequency":1,"start":1,"data":[01]}}}', 'number'],
    ['a number out of range', '{"metrics":{"m":{"frequency":1,"start":1,"data":[1e999]}}}', 'number'],
    ['a trailing comma', '{"metrics":{"m":{"frequency":1,"start":1,"data":[1,]}}}', 'number'],
    ['a missing frequency', '{"metrics":{"m":{"start":1,"data":[1]}}}', 'frequency of m is missing'],
    ['a frequency of zero', '{"metrics":{"m":{"frequency":0}}}', 'frequency of m is 0'],
    ['a string that does not end', '{"metrics":{"m', 'missing'],
    ['a file that ends within', '{"metrics":{"m":{"frequency":1,"start":1,"data":[1,2', 'the file ends'],
    ['endless nesting', '{"children":{"a":'.repeat(40), 'deeper'],
    ['endless nesting of unknown values', `{"x":${'['.repeat(200)}`, 'not a JSON value'],
  ])('refuses %s', async (_, text, why) => {
    const path = scratch.write('c/h/2.json', text);
    const { error } = await drain(readJsonCheckpoint(path));
    expect(error).toMatchObject({ code: 'REFERENCE_FORMAT', file: path });
    expect(error?.message).toContain(why);
  });
});

describe('readReferenceLog', () => {
  it.each(['d01', 'd02'])('gives every sample of %s back', async (host) => {
    const { samples, count, damages } = await readLog(join(DATA, `killed/disk/${host}/current.wal`));
    expect(damages).toEqual([]);
    expect(count).toBe(4258);
    expect(samples).toEqual(ofHost(mapValues(input, Math.fround), host));
  });

  it('reads on behind a torn record', async () => {
    const { samples, count, damages } = await readLog(join(DATA, 'torn/disk/d01/current.wal'));
    expect(count).toBe(4257);
    expect(damages).toHaveLength(1);
    const whole = ofHost(mapValues(input, Math.fround), 'd01');
    const missing = [...whole].flatMap(([name, series]) =>
      [...series].filter(([time, value]) => samples.get(name)?.get(time) !== value),
    );
    expect(missing).toHaveLength(1);
  });

  it('takes an empty log as empty, and cut magic as damage', async () => {
    expect(await readLog(scratch.write('c/h/current.wal', ''))).toMatchObject({ count: 0, damages: [] });
    const { error } = await drain(readReferenceLog(scratch.write('c/h/current.wal', Buffer.from([1, 0xa7]))));
    expect(error).toMatchObject({ offset: 0 });
  });

  it('reads the records of a log whose own magic is damaged, refuses a foreign file', async () => {
    const log = readFileSync(join(DATA, 'killed/disk/d01/current.wal'));
    log[1] = 0;
    const { count, damages } = await readLog(scratch.write('disk/d01/current.wal', log));
    expect(count).toBe(4258);
    expect(damages).toMatchObject([{ from: 0, to: 4 }]);
    const foreign = scratch.write('c/h/current.wal', 'no log at all '.repeat(1000));
    expect((await drain(readReferenceLog(foreign))).error?.message).toContain('0xCC1DA701');
  });

  it('is not held up by a file full of false records', async () => {
    const false1 = Buffer.from('a1a71dcc00000100', 'hex');
    const content = Buffer.concat([Buffer.from('01a71dcc', 'hex'), ...Array<Buffer>(200_000).fill(false1)]);
    const { count, damages } = await readLog(scratch.write('c/h/current.wal', content));
    expect(count).toBe(0);
    expect(damages).toMatchObject([{ from: 4, to: content.length }]);
  });
});

describe('crc32', () => {
  it('matches the published check value', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.from('xx123456789xx'), 2, 11)).toBe(0xcbf43926);
  });
});
