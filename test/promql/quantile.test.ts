import { expect, it } from 'vitest';
import { quantileOf } from '../../src/promql/evaluate/functions/quantile.js';
import { seeded } from '../support/random.js';

/** The quantile of values that are sorted, NaN first. */
function bySorting(quantile: number, values: Float64Array): number {
  const sorted = values.toSorted();
  const missing = sorted.filter(Number.isNaN);
  const all = [...missing, ...sorted.subarray(0, sorted.length - missing.length)];
  const rank = quantile * (all.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(all.length - 1, lower + 1);
  const weight = rank - lower;
  return (all[lower] as number) * (1 - weight) + (all[upper] as number) * weight;
}

const random = seeded(5);
const kinds: Record<string, (at: number, length: number) => number> = {
  any: () => random() - 0.5,
  few: () => Math.floor(random() * 3),
  'zeros of both signs': () => [-0, 0, 1][Math.floor(random() * 3)] as number,
  'NaN and infinities': () =>
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, random()][Math.floor(random() * 4)] as number,
  rising: (at) => at,
  falling: (at) => -at,
  equal: () => 7,
  'a roof': (at, length) => Math.min(at, length - at),
};

it.each(Object.keys(kinds))('quantiles of %s are those of sorted values, to the bit', (kind) => {
  const wrong = [];
  for (let round = 0; round < 600; round++) {
    const length = 1 + Math.floor(random() * (round % 4 ? 30 : 900));
    const values = Float64Array.from({ length }, (_, at) =>
      (kinds[kind] as (at: number, length: number) => number)(at, length),
    );
    const quantile = round % 5 ? random() : ([0, 1, 0.5][round % 3] as number);
    const expected = bySorting(quantile, values);
    const found = quantileOf(quantile, values.slice());
    if (!Object.is(found, expected)) wrong.push({ quantile, values: [...values].slice(0, 10), found, expected });
  }
  expect(wrong).toEqual([]);
});

it('quantiles outside of [0, 1], of nothing and NaN of anything are what Prometheus says', () => {
  expect(quantileOf(-1, Float64Array.of(1))).toBe(Number.NEGATIVE_INFINITY);
  expect(quantileOf(1.1, Float64Array.of(1))).toBe(Number.POSITIVE_INFINITY);
  expect(quantileOf(0.5, new Float64Array(0))).toBeNaN();
  expect(quantileOf(Number.NaN, Float64Array.of(1))).toBeNaN();
});
