import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { compileModule, FREE, type WasmMemory } from './compile.js';

interface Resample {
  lttb(src: number, n: number, dst: number, m: number): void;
  lttbPoints(n: number, m: number): number;
}

interface Step {
  path: string;
  body?: string | { from: number; queries: { host: string; resolution: number }[] };
  expect: { body: string };
}

interface Entry {
  error?: string;
  data: (number | null)[];
  resolution: number;
}

let wasm: Resample & { memory: WasmMemory };
beforeAll(async () => {
  wasm = await compileModule<Resample>('kernels');
});

const FREQUENCY = 10;
/** What follows the answer in memory, to see that nothing is written beyond it. */
const SENTINEL = 4242;

function resample(values: number[], m: number, inPlace = false): number[] {
  const points = wasm.lttbPoints(values.length, m);
  const src = new Float64Array(wasm.memory.buffer, FREE, values.length + 1);
  src.set(values);
  const dst = inPlace ? src : new Float64Array(wasm.memory.buffer, FREE + 8 * (values.length + 1), points + 1);
  if (!inPlace) dst[points] = SENTINEL;
  wasm.lttb(src.byteOffset, values.length, dst.byteOffset, m);
  if (!inPlace) expect(dst[points]).toBe(SENTINEL);
  return Array.from(dst.subarray(0, points));
}

/** The published algorithm, written as plainly as possible: averages and areas afresh for each bucket. */
function reference(values: number[], m: number): number[] {
  const n = values.length;
  const at = (index: number): number => values[index] ?? Number.NaN;
  const bucketSize = (n - 2) / (m - 2);
  // The limit between the first two buckets is not held back from the last point, which shows only when they are all: m = 3.
  const limit = (bucket: number): number => Math.min(Math.floor(bucket * bucketSize) + 1, bucket > 1 ? n - 2 : n - 1);
  const chosen = [0];
  for (let bucket = 0; bucket < m - 2; bucket++) {
    const next = [];
    for (let x = limit(bucket + 1); x <= limit(bucket + 2); x++) next.push(x);
    const averageX = next.reduce((sum, x) => sum + x, 0) / next.length;
    const averageY = next.reduce((sum, x) => sum + at(x), 0) / next.length;
    const a = chosen.at(-1) ?? 0;
    let best = -1;
    let largest = -1;
    for (let x = limit(bucket); x < limit(bucket + 1); x++) {
      const area = Math.abs((a - x) * (averageY - at(a)) - (a - averageX) * (at(x) - at(a))) / 2;
      // Once the largest is NaN nothing is greater, so only a later NaN takes over.
      if (Number.isNaN(area) || area > largest) {
        largest = area;
        best = x;
      }
    }
    chosen.push(best);
  }
  chosen.push(n - 1);
  return chosen.map(at);
}

const withoutPadding = (data: (number | null)[]): number[] =>
  data.slice(data.findIndex((value) => value !== null)).map((value) => value ?? Number.NaN);

describe('lttb', () => {
  const golden = JSON.parse(gunzipSync(readFileSync('test/golden/resampling.json.gz')).toString()) as { steps: Step[] };
  const answers = golden.steps
    .filter((step) => step.path.startsWith('/api/query'))
    .map((step) => {
      const body = typeof step.body === 'string' ? (JSON.parse(step.body) as Exclude<Step['body'], string>) : step.body;
      const entry = (JSON.parse(step.expect.body) as { results: Entry[][] }).results[0]?.[0];
      return { from: body?.from, query: body?.queries[0], entry };
    })
    .filter(({ entry }) => entry !== undefined && entry.error === undefined);

  it('gives the recorded answers, gaps included', () => {
    const native = answers.find(({ query }) => query?.host === 'r1' && query.resolution === 0);
    const values = withoutPadding(native?.entry?.data ?? []);
    expect(values).toHaveLength(2999);
    expect(values.some(Number.isNaN)).toBe(true);
    const recorded = answers.filter(({ entry }) => (entry?.resolution ?? 0) > FREQUENCY);
    expect(recorded.map(({ entry }) => entry?.resolution)).toEqual([20, 30, 60, 120, 600, 3600]);
    for (const { entry } of recorded) {
      if (entry === undefined) continue;
      const expected = withoutPadding(entry.data);
      const got = resample(values, Math.floor((values.length * FREQUENCY) / entry.resolution));
      expect(got).toHaveLength(expected.length);
      got.forEach((value, i) => {
        const wanted = expected[i] ?? Number.NaN;
        if (Number.isNaN(wanted) || Number.isNaN(value)) expect([i, value]).toEqual([i, wanted]);
        else
          expect(Math.abs(value - wanted), `point ${i} at resolution ${entry.resolution}`).toBeLessThanOrEqual(0.0011);
      });
    }
  });

  it('agrees with the plain algorithm on random series, in place too', () => {
    const next = seeded(7);
    for (let round = 0; round < 300; round++) {
      const n = 3 + Math.floor(next() * 400);
      const gaps = next() < 0.5 ? 0 : next() * 0.1;
      let level = 50;
      const values = Array.from({ length: n }, () => {
        level += next() - 0.5;
        return next() < gaps ? Number.NaN : level;
      });
      // Buckets of two points up to a few hundred: the routine takes short and long ones differently.
      const m = 3 + Math.floor(next() ** 3 * Math.max(1, n / 2 - 3));
      if (m >= n) continue;
      const expected = reference(values, m);
      expect(resample(values, m)).toEqual(expected);
      expect(resample(values, m, true)).toEqual(expected);
    }
  });

  it('takes the earliest of equal triangles', () => {
    // 42 points to 4: the first bucket is 1..20, and the next one's average is 0 like the first point, so that only the height counts.
    for (let early = 1; early < 20; early++) {
      for (let late = early + 1; late <= 20; late++) {
        const values = Array.from({ length: 42 }, (_, i) => Number(i === early) - Number(i === late));
        expect(resample(values, 4)[1], `equals at ${early} and ${late}`).toBe(1);
      }
    }
  });

  it('keeps a gap visible and goes on after it', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i >= 40 && i < 60 ? Number.NaN : i));
    const got = resample(values, 20);
    expect(got.filter(Number.isNaN).length).toBeGreaterThanOrEqual(3);
    expect(got[0]).toBe(0);
    expect(got.at(-1)).toBe(99);
    expect(got.slice(-5).some(Number.isNaN)).toBe(false);
  });

  it('copies a series that is not longer than asked for', () => {
    const values = [1, Number.NaN, 3, 4];
    for (const m of [4, 5, 1000]) expect(resample(values, m)).toEqual(values);
  });

  it('keeps the two ends when fewer than three points are asked for', () => {
    const values = [1, 2, 3, 4, 5];
    for (const m of [2, 1]) expect(resample(values, m)).toEqual([1, 5]);
  });

  it('copies when not even one point is asked for', () => {
    const values = [1, 2, Number.NaN, 4, 5];
    for (const m of [0, -3]) expect(resample(values, m)).toEqual(values);
  });

  it('handles the shortest series', () => {
    expect(resample([], 3)).toEqual([]);
    expect(resample([7], 0)).toEqual([7]);
    expect(resample([7, 8], 1)).toEqual([7, 8]);
    expect(resample([7, 9, 8, 1], 3)).toEqual([7, 8, 1]);
  });

  it('takes the point before the last as the only one between, as the recorded server does', () => {
    const values = Array.from({ length: 1200 }, (_, i) => 50 + 20 * Math.sin(i / 40));
    expect(resample(values, 3)).toEqual([values[0], values[1198], values[1199]]);
  });
});
