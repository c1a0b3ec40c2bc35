/** Windows that block headers answer give the bits that looking at each bin gives, whatever the blocks are. */
import { expect, it } from 'vitest';
import { LeafFunction } from '../../src/wasm/tables/codes.js';
import { metrics, startCore, store, T0 } from '../support/core-driver.js';
import { leafRequest, readLeaf } from '../support/leaf.js';
import { seeded } from '../support/random.js';

const BINS = 2600;
const MINUTE = 60_000;
const FUNCTIONS = [LeafFunction.Min, LeafFunction.Max, LeafFunction.Count, LeafFunction.Present];

/** The text of a bin's value; undefined: it is missing. */
const values: Record<string, (bin: number, random: () => number) => string | undefined> = {
  constant: (bin) => (bin === 2100 ? '8' : '7'),
  integers: (bin) => `${(bin * 7919) % 1000}`,
  decimals: (_, random) => `${Math.round(random() * 1e4) / 100}`,
  doubles: (_, random) => `${random() - 0.5}`,
  'zeros of both signs': (_, random) => (random() < 0.5 ? '-0.0' : '0'),
  'negative with zeros': (_, random) => (random() < 0.1 ? (random() < 0.5 ? '-0.0' : '0') : `${-random()}`),
  'few values': (bin) => (bin % 300 < 290 ? '0' : `${bin % 5}`),
  gaps: (bin, random) => (bin % 700 > 400 || random() < 0.3 ? undefined : `${random()}`),
};
const names = Object.keys(values);

const random = seeded(11);
const core = startCore(metrics(...names.map((_, i): [string, number] => [`m${i}`, 60])));
for (const [i, value] of Object.values(values).entries()) {
  const lines = new Array<string>(BINS).fill('');
  for (let bin = 0; bin < BINS; bin++) {
    const text = value(bin, random);
    // Every 97th sample comes late, and makes its block a loose one: until the next seal, or to the end.
    const at = bin % 97 === 0 ? Math.min(BINS - 1, bin + 700) : bin;
    if (text !== undefined) lines[at] += `m${i},cluster=c,hostname=h value=${text} ${T0 + bin * 60}\n`;
  }
  for (let from = 0; from < BINS; from += 50) store(core, lines.slice(from, from + 50).join(''));
}

/** A function over the windows of so many bins that end with the bins `ends`, a step each; they are as far from each other as the first two are. */
function asked(
  metric: number,
  fn: LeafFunction,
  bins: number,
  [first = 0, second]: number[],
  count: number,
  step = MINUTE,
) {
  const width = second === undefined ? step : (second - first) * MINUTE;
  const shape = { start: (T0 + first * 60) * 1000, step: width, count, range: bins * MINUTE };
  const [part] = readLeaf(core, leafRequest(`m${metric}`, { ...shape, function: fn, depths: 1 << 2 }));
  return Array.from({ length: count }, (_, i) =>
    ((part?.present[i >> 3] ?? 0) >> (i & 7)) & 1 ? part?.rows[0]?.[i] : undefined,
  );
}

it.each(names.map((name, metric) => ({ name, metric })))('one window over $name', ({ metric }) => {
  const wrong = [];
  for (let round = 0; round < 150; round++) {
    const bins = 1 + Math.floor(random() * (round % 3 ? BINS : 200));
    const end = Math.floor(random() * (BINS + 100));
    for (const fn of FUNCTIONS) {
      const [byHeaders] = asked(metric, fn, bins, [end], 1);
      // Two windows that overlap are looked at bin by bin.
      const [byBins] = asked(metric, fn, bins, [end], 2, 1);
      if (!Object.is(byHeaders, byBins)) wrong.push({ fn, bins, end, byHeaders, byBins });
    }
  }
  expect(wrong).toEqual([]);
});

it('windows one behind the other are what each of them is', () => {
  for (const [metric] of names.entries()) {
    for (const fn of FUNCTIONS) {
      const all = asked(metric, fn, 1030, [200, 1230], 3);
      expect(all).toEqual([200, 1230, 2260].map((end) => asked(metric, fn, 1030, [end], 2, 1)[0]));
      expect(all).toContainEqual(expect.any(Number));
    }
  }
});
