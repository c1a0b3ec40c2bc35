import { expect, it } from 'vitest';
import { valuesOf } from '../bench/values.js';
import { seededRandom } from '../src/simulate/random.js';

it.each(['percent', 'steady', 'gauge', 'load', 'rate', 'counter', 'rare', 'constant'] as const)(
  'keeps %s values plausible for days',
  (kind) => {
    const next = valuesOf(kind, 50, seededRandom(5));
    const values = Array.from({ length: 5000 }, () => Number.parseFloat(next()));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    const limit = { percent: 100, steady: 100, constant: 50, rare: 4, load: 1e3, gauge: 1e6, rate: 1e6, counter: 1e9 };
    expect(Math.max(...values)).toBeLessThanOrEqual(limit[kind]);
    if (kind === 'steady') expect(values.reduce((sum, value) => sum + value) / values.length).toBeCloseTo(50, -1);
  },
);
