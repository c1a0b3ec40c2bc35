import { describe, expect, it } from 'vitest';
import { Labels } from '../../src/promql/evaluate/labels.js';
import { type Grid, type Row, timeAt } from '../../src/promql/evaluate/rows.js';
import { printRow } from '../../src/promql/print/json.js';
import { formatSample, formatTime } from '../../src/promql/print/numbers.js';
import { splitLevel } from '../../src/promql/store/level-name.js';
import { PRINT_STEPS, SamplePrinter } from '../../src/wasm/sample-printer.js';
import { coreModule } from '../support/core-driver.js';
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

describe('samples that the core prints', () => {
  const printer = new SamplePrinter(coreModule());
  const textOf = (row: Row, grid: Grid): string => {
    let text = '';
    for (const part of printRow(row, grid, printer)) text += Buffer.from(part).toString();
    return text;
  };
  const rowOf = (values: readonly number[], present: readonly number[]): Row => ({
    labels: Labels.none,
    values: Float64Array.from(values),
    present: Uint8Array.from(present),
  });

  it('have values of the shortest digits and times of their steps', () => {
    const random = seeded(5);
    const values = [0, -0, 1e15, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 1.5e-7, -1e21];
    // More than are printed at once.
    while (values.length < 5000) {
      const value = (random() - 0.5) * 10 ** Math.floor(random() * 20 - 8);
      values.push(value, Math.round(value * 1000) / 1000);
    }
    const grid = { start: 1_700_000_000_500, step: 500, count: values.length };
    const row = rowOf(values, [...new Uint8Array(Math.ceil(values.length / 8)).fill(255)]);
    const expected = values.map((value, at) => `[${formatTime(timeAt(grid, at))},"${formatSample(value)}"]`);
    expect(textOf(row, grid).replaceAll('],[', ']\n[').split('\n')).toEqual(expected);
  });

  it('stand between commas, where there are any', () => {
    const row = rowOf([1, 2, 0.5], [0b101]);
    const textAt = (start: number, step: number) => textOf(row, { start, step, count: 3 });
    expect(textAt(0, 166_500)).toBe('[0,"1"],[333,"0.5"]');
    expect(textAt(1_700_000_000_000, 250)).toBe('[1700000000,"1"],[1700000000.500,"0.5"]');
    expect(textAt(-1500, 1000)).toBe('[-1.500,"1"],[0.500,"0.5"]');
    expect(textAt(9e15, 1000)).toBe('[9000000000000,"1"],[9000000000002,"0.5"]');
    const late = rowOf([...new Float64Array(PRINT_STEPS), 7], [...new Uint8Array(PRINT_STEPS / 8), 1]);
    expect(textOf(late, { start: 0, step: 1000, count: PRINT_STEPS + 1 })).toBe(`[${PRINT_STEPS},"7"]`);
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
