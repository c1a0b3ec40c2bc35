import { beforeAll, describe, expect, it } from 'vitest';
import { codecNames } from '../../src/wasm/tables/codec-names.js';
import { Codec } from '../../src/wasm/tables/codecs.js';
import { gapPatterns, hardCases, loadClasses, Random, withGaps } from './codec-data.js';
import { type CodecModule, expectWords, loadCodecModule, wordsOf } from './codec-module.js';

const CANONICAL_NAN = 0x7ff8000000000000n;
const GUARD = 0xa5;
const guard = new Uint8Array(64).fill(GUARD);
const sizes = [1, 2, 3, 7, 8, 15, 16, 17, 100, 127, 128, 129, 255, 256, 257, 300, 511, 512];
const codecs = codecNames.map((name, codec) => ({ name, codec }));
const makers = [...loadClasses, ...hardCases];

let m: CodecModule;
let input: number;
let block: number;
let decoded: number;
beforeAll(async () => {
  m = await loadCodecModule();
  input = m.base;
  block = m.base + 8192;
  decoded = m.base + 32768;
});

function expectGuard(at: number, what: string): void {
  expectWords(m.u8.subarray(at, at + 64), guard, what);
}

/** Encodes (by the chooser without `codec`); returns the size, 0 if the codec cannot hold the values. */
function encode(values: Float64Array, codec?: number): number {
  m.f64.set(values, input / 8);
  const bound = codec === undefined ? m.x.blockBound(values.length) : m.x.forcedBound(values.length);
  m.u8.fill(GUARD, block, block + bound + 64);
  const size =
    codec === undefined
      ? m.x.encodeBlock(input, values.length, block)
      : m.x.encodeWith(codec, input, values.length, block);
  expectGuard(block + bound, 'behind the block');
  expectWords(m.u64.subarray(input / 8, input / 8 + values.length), wordsOf(values), 'the encoder changed its input');
  return size;
}

/** Checks everything that can be read from the block against the values. */
function expectBlock(values: Float64Array, size: number): void {
  const { x } = m;
  const n = values.length;
  expect(size % 8).toBe(0);
  expect(x.blockSize(block)).toBe(size);
  expect(x.blockCount(block)).toBe(n);
  expect(x.blockIsSound(block, size)).toBe(1);

  const expected = wordsOf(values);
  for (let i = 0; i < n; i++) if (Number.isNaN(values[i])) expected[i] = CANONICAL_NAN;
  m.u8.fill(GUARD, decoded - 64, decoded + 8 * n + 128);
  x.decodeBlock(block, decoded);
  expectWords(m.u64.subarray(decoded / 8, decoded / 8 + n), expected, 'bins');
  expectGuard(decoded - 64, 'before the bins');
  expectGuard(decoded + 8 * n, 'behind the bins');

  const acc = Float64Array.from({ length: n }, (_, i) => i * 0.37 - 5);
  m.f64.set(acc, decoded / 8);
  x.addBlock(block, decoded);
  for (let i = 0; i < n; i++) {
    const total = (acc[i] ?? 0) + (values[i] ?? 0);
    if (!Object.is(m.f64[decoded / 8 + i], total)) expect([i, m.f64[decoded / 8 + i]]).toEqual([i, total]);
  }
  expectGuard(decoded + 8 * n, 'behind the sums');

  const present = values.filter((v) => !Number.isNaN(v));
  expect(x.blockGaps(block)).toBe(n - present.length);
  // Zeros of either sign are equally small, so the sign is left out.
  const low = present.length > 0 ? Math.min(...present) + 0 : Number.NaN;
  const high = present.length > 0 ? Math.max(...present) + 0 : Number.NaN;
  expect(x.blockMin(block) + 0).toBe(low);
  expect(x.blockMax(block) + 0).toBe(high);
  const constant = x.blockCodec(block) === Codec.Constant;
  const sum = constant && present.length > 0 ? low * present.length : present.reduce((a, b) => a + b, 0);
  expect(x.blockSum(block) + 0).toBe(sum + 0);
}

describe('encodeBlock', () => {
  it.each(makers)('brings back $name bit by bit, gaps of every kind, every size', ({ make }) => {
    const r = new Random(1);
    for (const n of sizes) {
      for (const { missing } of gapPatterns) {
        const values = withGaps(make(n, r), missing(n, r), r);
        expectBlock(values, encode(values));
      }
    }
  });

  it('brings back every n from 1 to 512', () => {
    const r = new Random(2);
    for (let n = 1; n <= 512; n++) {
      const maker = makers[n % makers.length];
      const gaps = gapPatterns[r.int(gapPatterns.length)];
      if (!maker || !gaps) throw new Error('no case');
      const values = withGaps(maker.make(n, r), gaps.missing(n, r), r);
      expectBlock(values, encode(values));
    }
  });

  it('brings back mixtures of all kinds of values', () => {
    const r = new Random(3);
    for (let round = 0; round < 300; round++) {
      const n = 1 + r.int(512);
      const parts = Array.from({ length: 1 + r.int(3) }, () => makers[r.int(makers.length)]?.make(n, r));
      let part = parts[0];
      const values = Float64Array.from({ length: n }, (_, i) => {
        if (r.int(20) === 0) part = parts[r.int(parts.length)];
        return part?.[i] ?? 0;
      });
      expectBlock(values, encode(values));
    }
  });

  it('is never larger than any codec by itself, nor than raw, on the load mix', () => {
    const r = new Random(4);
    for (const { make } of loadClasses) {
      const values = make(128, r);
      const size = encode(values);
      expect(size).toBeLessThanOrEqual(32 + 8 * 128);
      for (const { codec } of codecs) {
        const forced = encode(values, codec);
        // Estimates at choice time leave a word for rounding.
        if (forced > 0) expect(size).toBeLessThanOrEqual(forced + 8);
      }
    }
  });

  it('takes 16 bytes for a constant and 8 for nothing but gaps', () => {
    expect(encode(new Float64Array(512).fill(1.5))).toBe(16);
    expect(encode(new Float64Array(512).fill(Number.NaN))).toBe(8);
  });

  it('writes the same bytes whatever was in the buffer before', () => {
    const r = new Random(5);
    for (const { make } of makers) {
      const values = make(200, r);
      const size = encode(values);
      const first = m.u8.slice(block, block + size);
      m.u8.fill(0x5a, block, block + m.x.blockBound(200));
      m.x.encodeBlock(input, 200, block);
      expectWords(m.u8.subarray(block, block + size), first, 'second block');
    }
  });
});

describe('encodeWith', () => {
  it.each(codecs)('$name brings back what it can hold', ({ codec }) => {
    const r = new Random(6);
    let held = 0;
    for (const { make } of makers) {
      for (const n of [1, 2, 13, 128, 300, 512]) {
        for (const { missing } of gapPatterns) {
          const values = withGaps(make(n, r), missing(n, r), r);
          const size = encode(values, codec);
          if (size === 0) continue;
          held++;
          expect(m.x.blockCodec(block)).toBe(codec);
          expectBlock(values, size);
        }
      }
    }
    expect(held).toBeGreaterThan(30);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 10])(
    'decimal-frame divides integers up to 2^27 and beyond by 10^%i exactly',
    (places) => {
      const r = new Random(places);
      for (const limit of [1000, 2 ** 20, 2 ** 27, 2 ** 28, 2 ** 40]) {
        for (let round = 0; round < 20; round++) {
          // Half of them right below the limit, where the integers are longest.
          const integer = () => (r.int(2) ? r.int(limit) : limit - 1 - r.int(Math.min(limit, 2000)));
          const values = Float64Array.from({ length: 512 }, () => ((r.int(2) ? 1 : -1) * integer()) / 10 ** places + 0);
          const size = encode(values, Codec.DecimalFrame);
          expect(size).toBeGreaterThan(0);
          expectBlock(values, size);
        }
      }
    },
  );
});
