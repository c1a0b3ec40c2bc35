/** A query that has to contain everything says so to whatever it asks the store: counters, names, samples. */
import { expect, it } from 'vitest';
import { Engine } from '../../src/promql/engine.js';
import { Pace } from '../../src/promql/evaluate/pace.js';
import { parseSelector } from '../../src/promql/parse/parser.js';
import { StoreSource } from '../../src/promql/store/store-source.js';

/** A source that notes what it asks, and finds nothing. */
function watched() {
  const asked: string[] = [];
  const note = <T>(what: string, isStrong: boolean | undefined, answer: T): Promise<T> => {
    asked.push(`${what} ${isStrong ? 'strong' : 'session'}`);
    return Promise.resolve(answer);
  };
  const store = {
    treeChanges: (isStrong?: boolean) => note('changes', isStrong, '1'),
    levelNames: (_: number, isStrong?: boolean) => note('names', isStrong, ['axb']),
    leaf: ({ isStrong }: { isStrong?: boolean }) => note('leaf', isStrong, []),
  };
  return { asked, source: new StoreSource(store, ['m']) };
}

it.each([true, false])('in queries and lists of series: %s', async (isStrong) => {
  const expected = ['changes', 'names', 'leaf'].map((what) => `${what} ${isStrong ? 'strong' : 'session'}`);
  const selector = 'm{hostname=~"a.+b"}';
  for (const query of [selector, `sum(${selector})`, `${selector}[5m]`]) {
    const { asked, source } = watched();
    const limits = { lookback: 300_000, lookbackAdapts: true, timeout: 10_000, maxSamples: 1e6, maxMemory: 1e8 };
    const engine = new Engine(source, limits);
    const signal = new AbortController().signal;
    const result = await engine.execute({ query, start: 0, end: 0, step: 0, signal, isStrong });
    result.close();
    expect(asked, query).toEqual(expected);
  }
  const { asked, source } = watched();
  const pace = new Pace(Number.POSITIVE_INFINITY, new AbortController().signal);
  await source.series(parseSelector(selector), 0, 1, undefined, isStrong, pace);
  pace.close();
  expect(asked).toEqual(expected);
});
