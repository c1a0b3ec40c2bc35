import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { ask, exportAll, metric, replay, seriesQuery, startCore, store, T0, takeLog } from '../support/core-driver.js';
import { printDecimals } from '../support/exact-decimals.js';
import { seeded } from '../support/random.js';

const METRICS = new Map<string, MetricConfig>([
  ['exact', metric(60)],
  ['single', metric(60, null, 'single')],
  ...Array.from({ length: 10 }, (_, n): [string, MetricConfig] => [`decimals${n}`, metric(60, null, n)]),
]);

/** Values of many sizes, some on the very edge between two decimals. */
function values(count: number): number[] {
  const random = seeded(31);
  return Array.from({ length: count }, (_, i) => {
    const r = random();
    if (i % 4 === 0) return (Math.floor(r * 2e6) - 1e6) / 2000;
    if (i % 4 === 1) return Math.floor(r * 1e9) / 1e6;
    if (i % 4 === 2) return (r - 0.5) * 10 ** Math.floor(random() * 30 - 10);
    return Number(`${Math.floor(r * 1e5)}.${Math.floor(random() * 1e3)}5`);
  });
}

describe('precision', () => {
  const list = values(2000);
  const core = startCore(METRICS);
  for (const name of METRICS.keys()) {
    store(core, list.map((value, i) => `${name},cluster=c,hostname=a value=${value} ${T0 + 60 * i}\n`).join(''));
  }
  const stored = (name: string): number[] => {
    const [found] = [...exportAll([core]).values()].filter(({ metric: own }) => own === name);
    return [...(found?.values ?? [])];
  };

  it('double keeps every bit', () => {
    expect(stored('exact')).toEqual(list);
  });

  it('single keeps what a float32 holds', () => {
    expect(stored('single')).toEqual(list.map(Math.fround));
    store(
      core,
      `single,cluster=c,hostname=b value=1e300 ${T0}\nsingle,cluster=c,hostname=b value=-1e-300 ${T0 + 60}\n`,
    );
    const all = [...exportAll([core]).values()].find(({ levels }) => levels[1] === 'b');
    expect([...(all?.values ?? [])]).toEqual([1e300, -0]);
  });

  it('a number of decimals keeps what prints the same', () => {
    for (let decimals = 1; decimals < 10; decimals++) {
      const got = stored(`decimals${decimals}`);
      for (const [i, value] of list.entries()) {
        const wanted = Math.abs(value) < 2 ** 52 / 10 ** decimals ? printDecimals(value, decimals) : value;
        expect(Object.is(got[i], wanted) || got[i] === wanted, `${value} with ${decimals}: ${got[i]}`).toBe(true);
      }
    }
    expect(stored('decimals0').every((value) => Number.isInteger(value) || Math.abs(value) >= 2 ** 52)).toBe(true);
  });

  it('three decimals change no answer', () => {
    const range = { cluster: 'c', from: 0, to: T0 * 2, withStats: false, withData: true, withPadding: false };
    const queries = ['exact', 'decimals3'].map((name) => seriesQuery({ metric: name, host: 'a' }));
    const [exact, rounded] = ask(core, range, queries);
    expect(rounded?.[0]?.data).toEqual(exact?.[0]?.data);
    expect(exact?.[0]?.data?.length).toBe(list.length);
  });

  it('the log holds what is stored', () => {
    const loaded = startCore(METRICS);
    replay(loaded, takeLog(core));
    loaded.files.loadEnd();
    expect(exportAll([loaded])).toEqual(exportAll([core]));
  });
});
