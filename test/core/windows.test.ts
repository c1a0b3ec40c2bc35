/** The core's functions over windows of bins are those of src/promql/evaluate/windows.ts over samples. */
import { describe, expect, it } from 'vitest';
import { type Window, windowFunctions } from '../../src/promql/evaluate/windows.js';
import { coreFunctions } from '../../src/promql/store/store-source.js';
import { encodeLeaf } from '../../src/wasm/leaf.js';
import { LeafFunction } from '../../src/wasm/tables/codes.js';
import { line, metrics, startCore, store, T0 } from '../support/core-driver.js';
import { leafRequest, readLeaf } from '../support/leaf.js';
import { seeded } from '../support/random.js';

const FREQUENCY = 60;
const BINS = 1500;
/** `absent_over_time` is made of what `present_over_time` gives. */
const names = [...coreFunctions].filter(([name]) => name !== 'absent_over_time');

/** Values of a series by bin, NaN = missing: walks, zeros, gaps, a counter that is set back, and a giant among small ones. */
const series: Record<string, (bin: number, random: () => number) => number> = {
  walk: (bin, random) => (bin % 97 < 3 ? Number.NaN : Math.round(1e6 * Math.sin(bin / 50) + 1000 * random()) / 64),
  zeros: (bin, random) => (bin % 200 < 150 ? 0 : random()),
  sparse: (_, random) => (random() < 0.02 ? random() - 0.5 : Number.NaN),
  counter: (bin, random) => (bin % 400) * 1000 + Math.floor(random() * 100),
  giant: (bin, random) => (bin === 300 ? 1e300 : bin === 310 ? -1e300 : random() / 3),
  huge: (bin) => (bin % 2 === 0 ? 1.7e308 : 1.6e308),
  // Two samples that are nearer to each other than to the window's start; the first is a little more than what is gained.
  pairs: (bin) => [105, 205, Number.NaN, Number.NaN][bin % 4] as number,
  falling: (bin) => (1 - bin) / 7,
};

interface Shape {
  range: number;
  step: number;
  count: number;
  start: number;
}

function expected(name: string, values: Float64Array, { range, step, count, start }: Shape): (number | undefined)[] {
  const compute = windowFunctions.get(name);
  if (compute === undefined) throw new Error(`no function ${name}`);
  const times: number[] = [];
  const kept: number[] = [];
  values.forEach((value, bin) => {
    if (Number.isNaN(value)) return;
    times.push((T0 + bin * FREQUENCY) * 1000);
    kept.push(value);
  });
  const all = { times: Float64Array.from(times), values: Float64Array.from(kept), parameters: [120] };
  let from = 0;
  let to = 0;
  return Array.from({ length: count }, (_, i) => {
    const end = start + i * step;
    while (from < times.length && (times[from] as number) <= end - range) from++;
    while (to < times.length && (times[to] as number) <= end) to++;
    if (from >= to) return undefined;
    const window: Window = { ...all, from, to, start: end - range, end, time: end };
    return compute(window);
  });
}

/** Their sums over windows that overlap are added up otherwise; all other functions give the same bits. */
const addedOtherwise = new Set(['sum_over_time', 'avg_over_time']);

function isRight(name: string, found: number | undefined, value: number | undefined): boolean {
  if (found === undefined || value === undefined || !addedOtherwise.has(name)) return Object.is(found, value);
  return found === value || Math.abs(found - value) <= 1e-12 * Math.abs(value);
}

/** The newest sample in (time - lookback, time], times in ms; its own in s. */
function newest(values: Float64Array, time: number, lookback: number): { value: number; time: number } | undefined {
  for (let bin = Math.min(values.length - 1, Math.floor((time / 1000 - T0) / FREQUENCY)); bin >= 0; bin--) {
    const at = T0 + bin * FREQUENCY;
    if (at * 1000 <= time - lookback) return undefined;
    // The text of -0 is that of 0.
    const value = (values[bin] as number) + 0;
    if (!Number.isNaN(value)) return { value, time: at };
  }
  return undefined;
}

describe('windows in the core', () => {
  const random = seeded(3);
  const core = startCore(metrics(...Object.keys(series).map((name): [string, number] => [name, FREQUENCY])));
  const data = new Map<string, Float64Array>();
  for (const [name, make] of Object.entries(series)) {
    const values = Float64Array.from({ length: BINS }, (_, bin) => make(bin, random));
    data.set(name, values);
    let text = '';
    values.forEach((value, bin) => {
      if (!Number.isNaN(value)) text += line(name, 'h', T0 + bin * FREQUENCY, value);
    });
    store(core, text, 'c');
  }

  function asked(metric: string, fn: LeafFunction, shape: Shape, lookback = 0): (number | undefined)[] {
    const request = leafRequest(metric, { ...shape, lookback, function: fn, parameter: 120, depths: 1 << 2 });
    const [part] = readLeaf(core, request);
    return Array.from({ length: shape.count }, (_, step) =>
      ((part?.present[step >> 3] ?? 0) >> (step & 7)) & 1 ? part?.rows[0]?.[step] : undefined,
    );
  }

  const first = T0 * 1000;
  const shapes: Record<string, Shape> = {
    'overlap much': { start: first - 600_000, range: 3_600_000, step: 60_000, count: 1550 },
    'overlap a little, off the grid': { start: first + 12_345, range: 600_001, step: 432_000, count: 210 },
    'do not overlap': { start: first, range: 60_000, step: 3_600_000, count: 30 },
    'hold two of four bins': { start: first + 61_000, range: 126_000, step: 240_000, count: 300 },
    'are one': { start: first + BINS * 60_000, range: BINS * 60_000, step: 1, count: 1 },
    'hold all': { start: first + BINS * 60_000, range: 1e12, step: 1000, count: 100 },
  };

  for (const [name, fn] of names) {
    it(`${name} is what it is over samples`, () => {
      for (const [metric, values] of data) {
        for (const [which, shape] of Object.entries(shapes)) {
          const found = asked(metric, fn, shape);
          const wrong = expected(name, values, shape).flatMap((value, step) =>
            isRight(name, found[step], value) ? [] : [{ step, value, found: found[step] }],
          );
          expect(wrong, `${name}(${metric}), windows that ${which}`).toEqual([]);
        }
      }
    });
  }

  it('are left to writes the sooner the longer their function takes for a bin', () => {
    const steps = (fn: LeafFunction): number => {
      const all = { start: first + BINS * 60_000, range: 1e12, step: 1000, count: 2000, depths: 1 << 2 };
      const leaf = core.reads.leafBegin(encodeLeaf(leafRequest('falling', { ...all, function: fn })));
      let count = 1;
      while (!core.reads.leafStep(leaf, 1 << 22).done) count++;
      core.reads.leafEnd(leaf);
      return count;
    };
    const cheap = steps(LeafFunction.Resets);
    expect(cheap).toBeGreaterThan(10);
    expect(steps(LeafFunction.Rate) / cheap).toBeGreaterThan(1.8);
    expect(steps(LeafFunction.Deriv) / cheap).toBeGreaterThan(3);
  });

  const MINUTE = FREQUENCY * 1000;
  const end = first + BINS * MINUTE;
  const instants: Record<string, Shape> = {
    'each bin': { range: 0, start: first - 20 * MINUTE, step: MINUTE, count: BINS + 40 },
    'every second bin': { range: 0, start: first - 3 * MINUTE, step: 2 * MINUTE, count: 780 },
    'every seventh bin, between bins': { range: 0, start: first - 7 * MINUTE + 1, step: 7 * MINUTE, count: 230 },
    'off the bins': { range: 0, start: first - 1000, step: 47_001, count: 2000 },
    'behind the data': { range: 0, start: end + MINUTE, step: MINUTE, count: 50 },
    'before the data': { range: 0, start: first - 100 * MINUTE, step: MINUTE, count: 90 },
  };

  it('an instant is the newest sample that is not too old', () => {
    for (const lookback of [1000, MINUTE, 3 * MINUTE - 1, 5 * MINUTE, 2 * BINS * MINUTE]) {
      for (const [which, shape] of Object.entries(instants)) {
        for (const [metric, values] of data) {
          const message = `${metric}, ${which}, looking ${lookback} ms back`;
          const want = Array.from({ length: shape.count }, (_, i) =>
            newest(values, shape.start + i * shape.step, lookback),
          );
          expect(asked(metric, LeafFunction.Instant, shape, lookback), message).toEqual(want.map((one) => one?.value));
          expect(asked(metric, LeafFunction.InstantTime, shape, lookback), message).toEqual(
            want.map((one) => one?.time),
          );
        }
      }
    }
  });
});
