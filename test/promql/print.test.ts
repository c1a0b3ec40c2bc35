import { describe, expect, it } from 'vitest';
import { Labels } from '../../src/promql/evaluate/labels.js';
import { formatSample, formatTime } from '../../src/promql/print/numbers.js';
import { SampleStarts, sampleBytes, writeValue } from '../../src/promql/print/sample-text.js';
import { splitLevel } from '../../src/promql/store/level-name.js';
import { seeded } from '../support/random.js';

describe('numbers in answers', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [1.5, '1.5'],
    [1e-6, '0.000001'],
    [1e-7, '1e-07'],
    [-1.25e-9, '-1.25e-09'],
    [1e-300, '1e-300'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('prints the value %d as %s', (value, text) => {
    expect(formatSample(value)).toBe(text);
  });

  it.each([
    [1_700_000_000_000, '1700000000'],
    [1_700_000_000_500, '1700000000.500'],
    [1_700_000_000_050, '1700000000.050'],
    [-1500, '-1.500'],
    [0, '0'],
  ])('prints the time %d as %s', (milliseconds, text) => {
    expect(formatTime(milliseconds)).toBe(text);
  });
});

describe('values as bytes', () => {
  const text = (value: number): string => {
    const bytes = new Uint8Array(40);
    return Buffer.from(bytes.subarray(0, writeValue(value, bytes, 0))).toString();
  };

  it('are the shortest digits, whatever their size', () => {
    const random = seeded(5);
    const special = [
      0,
      -0,
      0.001,
      -0.001,
      0.1,
      999.999,
      1e12,
      999_999_999_999.999,
      1e15,
      1e15 - 1,
      123_456_789_012_345.67,
    ];
    for (const value of special) expect(text(value)).toBe(formatSample(value));
    for (let i = 0; i < 50_000; i++) {
      const size = 10 ** Math.floor(random() * 20 - 8);
      const value = (random() - 0.5) * size;
      const decimals = Math.round(value * 1000) / 1000;
      expect(text(value)).toBe(formatSample(value));
      expect(text(decimals)).toBe(formatSample(decimals));
    }
  });

  it('stand between times and commas, where there are samples', () => {
    const row = { labels: Labels.none, values: Float64Array.of(1, 2, 0.5), present: Uint8Array.of(0b101) };
    const textAt = (start: number, step: number) =>
      Buffer.from(sampleBytes(row, new SampleStarts({ start, step, count: 3 }))).toString();
    expect(textAt(0, 166_500)).toBe('[0,"1"],[333,"0.5"]');
    expect(textAt(1_700_000_000_000, 250)).toBe('[1700000000,"1"],[1700000000.500,"0.5"]');
    expect(textAt(-1500, 1000)).toBe('[-1.500,"1"],[0.500,"0.5"]');
    expect(textAt(9e15, 1000)).toBe('[9000000000000,"1"],[9000000000002,"0.5"]');
  });
});

describe('names of levels', () => {
  it.each([
    ['hwthread7', true, 'hwthread', '7'],
    ['memoryDomain0', true, 'memoryDomain', '0'],
    ['accelerator00000000:49:00.0', true, 'accelerator', '00000000:49:00.0'],
    ['corea', true, 'core', 'a'],
    ['core', true, 'core', ''],
    ['cpu0', true, 'cpu', '0'],
    ['fan2b', true, 'fan', '2b'],
    ['7up', true, '7up', ''],
    ['gpu', true, 'gpu', ''],
    ['corex1', false, 'corex', '1'],
  ])('%s (known types: %s) is %s and %s', (name, listed, type, id) => {
    expect(splitLevel(name, listed)).toEqual([type, id]);
  });
});
