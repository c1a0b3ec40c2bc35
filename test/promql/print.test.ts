import { describe, expect, it } from 'vitest';
import { formatSample, formatTime } from '../../src/promql/print/numbers.js';
import { splitLevel } from '../../src/promql/store/level-name.js';

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
