import { beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { compileModule, FREE, type WasmGlobal, type WasmMemory } from './compile.js';

type Run = (values: number, n: number) => void;
type Scale = (values: number, n: number, factor: number) => void;
type Statistics = (values: number, n: number, result: number) => void;
type Add = (acc: number, src: number, n: number) => void;

interface Kernels {
  addInto: Add;
  addIntoScalar: Add;
  addCompensated(sums: number, lost: number, values: number, n: number): void;
  addCompensatedScalar: Kernels['addCompensated'];
  scale: Scale;
  scaleScalar: Scale;
  divide: Scale;
  divideScalar: Scale;
  fill: Scale;
  fillScalar: Scale;
  fillNaN: Run;
  stats: Statistics;
  statsScalar: Statistics;
  /** Where they are left, and what is read of them. */
  result: WasmGlobal;
  samplesOf(result: number): number;
  sumOf(result: number): number;
  leastOf(result: number): number;
  greatestOf(result: number): number;
}

let wasm: Kernels & { memory: WasmMemory };
beforeAll(async () => {
  wasm = await compileModule<Kernels>('kernels');
});

/** Lengths around every unrolling limit, and a long one. */
const LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 1000];
/** Offsets from an aligned address. */
const OFFSETS = [0, 1, 8, 12];
const SENTINEL = 0x55;

/** Samples with gaps, zeros of both signs and values of many sizes. */
function samples(n: number, seed: number): number[] {
  const next = seeded(seed);
  return Array.from({ length: n }, () => {
    const kind = Math.floor(next() * 8);
    if (kind === 0) return Number.NaN;
    if (kind === 1) return next() < 0.5 ? 0 : -0;
    return (next() - 0.5) * 10 ** Math.floor(next() * 12);
  });
}

function put(at: number, values: number[]): void {
  new Uint8Array(wasm.memory.buffer, at - 8, values.length * 8 + 16).fill(SENTINEL);
  const view = new DataView(wasm.memory.buffer);
  values.forEach((value, i) => {
    view.setFloat64(at + i * 8, value, true);
  });
}

/** The samples, after a check that the bytes on both sides were left alone. */
function take(at: number, n: number): number[] {
  const bytes = new Uint8Array(wasm.memory.buffer);
  for (let i = 1; i <= 8; i++) expect(bytes[at - i]).toBe(SENTINEL);
  for (let i = 0; i < 8; i++) expect(bytes[at + n * 8 + i]).toBe(SENTINEL);
  const view = new DataView(wasm.memory.buffer);
  return Array.from({ length: n }, (_, i) => view.getFloat64(at + i * 8, true));
}

function eachCase(check: (n: number, at: number, seed: number) => void): void {
  for (const n of LENGTHS) for (const offset of OFFSETS) check(n, FREE + 64 + offset, n * 16 + offset);
}

const read = () => ({
  count: wasm.samplesOf(wasm.result.value),
  sum: wasm.sumOf(wasm.result.value),
  min: wasm.leastOf(wasm.result.value),
  max: wasm.greatestOf(wasm.result.value),
});

describe('sums with compensation', () => {
  it('are the same in lanes and one by one, bit for bit, and lose nothing', () => {
    eachCase((n, at, seed) => {
      const room = 8 * n + 64;
      const [lost, values] = [at + room, at + 2 * room];
      const sums = (add: Kernels['addCompensated']) => {
        put(at, new Array<number>(n).fill(0));
        put(lost, new Array<number>(n).fill(0));
        for (let row = 0; row < 5; row++) {
          put(values, samples(n, seed * 8 + row));
          add(at, lost, values, n);
        }
        return [...take(at, n), ...take(lost, n)];
      };
      expect(sums(wasm.addCompensated)).toEqual(sums(wasm.addCompensatedScalar));
    });
    // 1e16 and a hundred ones: without compensation all ones are lost.
    put(FREE + 64, [1e16]);
    put(FREE + 256, [0]);
    put(FREE + 512, [1]);
    for (let i = 0; i < 100; i++) wasm.addCompensated(FREE + 64, FREE + 256, FREE + 512, 1);
    expect(take(FREE + 64, 1)[0] ?? 0).toBe(1e16);
    expect(take(FREE + 256, 1)).toEqual([100]);
  });
});

describe.each(['', 'Scalar'] as const)('kernels%s', (suffix) => {
  it('adds sample by sample, NaN where either is NaN', () => {
    eachCase((n, at, seed) => {
      const acc = samples(n, seed);
      const src = samples(n, seed + 1e6);
      put(at, acc);
      put(at + 16000, src);
      wasm[`addInto${suffix}`](at, at + 16000, n);
      expect(take(at, n)).toEqual(acc.map((value, i) => value + (src[i] ?? 0)));
      expect(take(at + 16000, n)).toEqual(src);
    });
  });

  it('scales and divides in place, correctly rounded', () => {
    eachCase((n, at, seed) => {
      const values = samples(n, seed);
      put(at, values);
      wasm[`scale${suffix}`](at, n, 0.1);
      expect(take(at, n)).toEqual(values.map((value) => value * 0.1));
      put(at, values);
      wasm[`divide${suffix}`](at, n, 3);
      expect(take(at, n)).toEqual(values.map((value) => value / 3));
    });
  });

  it('fills with a value or the canonical NaN and nothing beyond', () => {
    eachCase((n, at, seed) => {
      put(at, samples(n, seed));
      wasm[`fill${suffix}`](at, n, -1.5);
      expect(take(at, n)).toEqual(Array.from({ length: n }, () => -1.5));
      wasm.fillNaN(at, n);
      take(at, n);
      const view = new DataView(wasm.memory.buffer);
      for (let i = 0; i < n; i++) expect(view.getBigUint64(at + i * 8, true)).toBe(0x7ff8000000000000n);
    });
  });

  it('counts, sums and bounds what is not NaN', () => {
    eachCase((n, at, seed) => {
      // Multiples of 1/4 below 2^40: every order of adding gives the same sum.
      const values = samples(n, seed).map((value) => Math.round(value * 4) / 4);
      const present = values.filter((value) => !Number.isNaN(value));
      put(at, values);
      wasm[`stats${suffix}`](at, n, wasm.result.value);
      const sum = present.reduce((total, value) => total + value, 0);
      expect(read()).toEqual({
        count: present.length,
        sum: sum + 0,
        min: present.length > 0 ? expect.closeTo(Math.min(...present), 12) : Number.POSITIVE_INFINITY,
        max: present.length > 0 ? expect.closeTo(Math.max(...present), 12) : Number.NEGATIVE_INFINITY,
      });
    });
  });

  it('finds the extremes in every position', () => {
    for (const n of [1, 5, 8, 11, 24]) {
      for (let position = 0; position < n; position++) {
        const values = Array.from({ length: n }, (_, i) => Number(i === position) * 4 + 5);
        put(FREE + 64, values);
        wasm[`stats${suffix}`](FREE + 64, n, wasm.result.value);
        expect(read()).toEqual({ count: n, sum: 5 * n + 4, min: n === 1 ? 9 : 5, max: 9 });
        values[position] = -9;
        put(FREE + 64, values);
        wasm[`stats${suffix}`](FREE + 64, n, wasm.result.value);
        expect(read()).toEqual({ count: n, sum: 5 * n - 14, min: -9, max: n === 1 ? -9 : 5 });
      }
    }
  });

  it('reports no statistics without samples', () => {
    for (const n of [0, -1, 3, 9]) {
      put(
        FREE + 64,
        Array.from({ length: Math.max(n, 0) }, () => Number.NaN),
      );
      wasm[`stats${suffix}`](FREE + 64, n, wasm.result.value);
      expect(read()).toEqual({ count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY });
    }
  });

  it('leaves memory alone for a negative number of samples', () => {
    put(FREE + 64, [1, 2]);
    wasm[`addInto${suffix}`](FREE + 64, FREE + 72, -1);
    wasm[`scale${suffix}`](FREE + 64, -1, 2);
    wasm[`divide${suffix}`](FREE + 64, -1, 2);
    wasm[`fill${suffix}`](FREE + 64, -1, 3);
    wasm.fillNaN(FREE + 64, -1);
    expect(take(FREE + 64, 2)).toEqual([1, 2]);
  });
});
