import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBin } from '../../src/persistence/reference/bin-reader.js';
import { writeReferenceBin } from '../../src/persistence/reference/bin-writer.js';
import { readJsonCheckpoint } from '../../src/persistence/reference/json-reader.js';
import { writeReferenceJson } from '../../src/persistence/reference/json-writer.js';
import { logSamples, readReferenceLog } from '../../src/persistence/reference/log-reader.js';
import type { SeriesRun } from '../../src/persistence/reference/types.js';
import { seeded } from '../support/random.js';
import { DATA, drain, Scratch } from './reference-data.js';

// Thousands of small files, one after the other.

const scratch = new Scratch();

const RUNS: SeriesRun[] = [
  {
    cluster: 'c',
    host: 'h',
    levels: [],
    metric: 'load',
    frequency: 60,
    start: 1000,
    values: Float64Array.of(1, 2, 3.5),
  },
  { cluster: 'c', host: 'h', levels: ['cpu0'], metric: 'ipc', frequency: 60, start: 1010, values: Float64Array.of(4) },
  {
    cluster: 'c',
    host: 'h',
    levels: ['cpu0', 'x'],
    metric: 'ipc',
    frequency: 10,
    start: 1000,
    values: Float64Array.of(5, 6),
  },
];

const CHECKPOINTS = [
  ['bin', readBin, writeReferenceBin],
  ['json', readJsonCheckpoint, writeReferenceJson],
] as const;

describe.each(CHECKPOINTS)('a damaged .%s file', (extension, read, write) => {
  async function whole(): Promise<Buffer> {
    return readFileSync((await write(scratch.path, 'c', 'h', 1000, 2000, RUNS)) as string);
  }

  async function readDamaged(bytes: Uint8Array) {
    const path = scratch.write(`c/h/77.${extension}`, bytes);
    const { items, error } = await drain(read(path));
    if (error !== undefined) {
      expect(error.offset).toBeLessThanOrEqual(bytes.length);
      expect(error.file).toBe(path);
    }
    return { items, error };
  }

  it('that was cut at any length is an error, and what it still holds is right', async () => {
    const bytes = await whole();
    // The JSON ends with a line feed, without which it is still whole.
    const end = extension === 'json' ? bytes.length - 1 : bytes.length;
    for (let length = 0; length < end; length++) {
      const { items, error } = await readDamaged(bytes.subarray(0, length));
      expect(error, `length ${length}`).toBeDefined();
      for (const item of items) {
        const original = RUNS.find(({ levels, metric }) => `${levels}/${metric}` === `${item.levels}/${item.metric}`);
        expect(item).toEqual({ ...original, values: original?.values.subarray(0, item.values.length) });
      }
    }
  });

  it('with flipped bits never does worse than wrong values: no other error, no endless reading', async () => {
    const bytes = await whole();
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const { items, error } = await readDamaged(flipped);
      if (error !== undefined) refused++;
      const bins = items.reduce((sum, { values }) => sum + values.length, 0);
      expect(bins).toBeLessThanOrEqual(bytes.length);
    }
    expect(refused).toBeGreaterThan(bytes.length);
  });

  it('with bytes overwritten at random', async () => {
    const random = seeded(11);
    const bytes = await whole();
    for (let round = 0; round < 300; round++) {
      const damaged = Buffer.from(bytes);
      for (let i = 0; i < 1 + random() * 8; i++) damaged[Math.floor(random() * damaged.length)] = random() * 256;
      await readDamaged(damaged);
    }
  });
});

describe('a damaged log', () => {
  /** The first 12 records, and what they say. */
  const log = readFileSync(join(DATA, 'killed/disk/d01/current.wal'));
  const ends = [4];
  while (ends.length <= 12) {
    const at = ends.at(-1) as number;
    ends.push(at + 12 + log.readUInt32LE(at + 4));
  }
  const bytes = log.subarray(0, ends.at(-1));

  async function readRecords(content: Uint8Array): Promise<{ records: string[]; damaged: [number, number][] }> {
    const damaged: [number, number][] = [];
    const path = scratch.write('disk/d01/current.wal', content);
    const { items, error } = await drain(readReferenceLog(path, ({ from, to }) => damaged.push([from, to])));
    if (error !== undefined) expect(items).toEqual([]);
    const records = items.flatMap((batch) => [...logSamples(batch)].map((sample) => JSON.stringify(sample)));
    return { records, damaged };
  }

  it('that was cut at any length gives the whole records before the cut', async () => {
    const { records: all } = await readRecords(bytes);
    expect(all).toHaveLength(12);
    for (let length = 4; length < bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length - 1;
      const { records, damaged } = await readRecords(bytes.subarray(0, length));
      expect(records).toEqual(all.slice(0, whole));
      const end = ends[whole] as number;
      expect(damaged).toEqual(end === length ? [] : [[end, length]]);
    }
  });

  it('with any bit flipped loses the record it is in and no other, and never gives a wrong one', async () => {
    const { records: all } = await readRecords(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const { records } = await readRecords(flipped);
      const hit = ends.findIndex((end) => end > bit >> 3) - 1;
      expect(records).toEqual(all.filter((_, i) => i !== hit));
    }
  });

  it('with a stretch cut out or garbage put in keeps every whole record', async () => {
    const random = seeded(13);
    const { records: all } = await readRecords(bytes);
    for (let round = 0; round < 300; round++) {
      const from = 4 + Math.floor(random() * (bytes.length - 4));
      const to = Math.min(bytes.length, from + Math.floor(random() * 200));
      const garbage = Uint8Array.from({ length: random() * 100 }, () => random() * 256);
      const content = Buffer.concat([bytes.subarray(0, from), garbage, bytes.subarray(to)]);
      const { records } = await readRecords(content);
      expect(records).toEqual(all.filter((_, i) => (ends[i + 1] as number) <= from || (ends[i] as number) >= to));
    }
  });
});
