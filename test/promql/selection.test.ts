/** Which names matchers choose, and how often they are asked. */
import { expect, it } from 'vitest';
import { Pace } from '../../src/promql/evaluate/pace.js';
import type { Matcher } from '../../src/promql/parse/matcher.js';
import { parseSelector } from '../../src/promql/parse/parser.js';
import { Selector } from '../../src/promql/store/selection.js';

const pace = new Pace(Number.POSITIVE_INFINITY, new AbortController().signal);

it('asks regular expressions once a name until the tree changes', async () => {
  let hosts: readonly string[] = ['a1', 'a2', 'b1'];
  let asked: string[] = [];
  const selector = new Selector(['m', 'n'], { names: async (depth) => (depth === 2 ? hosts : []) });
  const hostsOf = async (text: string): Promise<unknown> => {
    asked = [];
    const matchers = parseSelector(text).map((matcher): Matcher => {
      const watched: Matcher = Object.create(matcher);
      watched.matches = (value) => {
        if (matcher.label === 'hostname' && value !== '') asked.push(value);
        return matcher.matches(value);
      };
      return watched;
    });
    const selection = await selector.select(matchers, false, pace);
    return selection?.levels[1];
  };
  expect(await hostsOf('m{hostname=~"a.*"}')).toEqual({ only: ['a1', 'a2'] });
  expect(asked).toEqual(['a1', 'a2', 'b1']);
  expect(await hostsOf('n{hostname=~"a.*"}')).toEqual({ only: ['a1', 'a2'] });
  expect(asked).toEqual([]);
  expect(await hostsOf('m{hostname!~"a.*"}')).toEqual({ only: ['b1'] });
  expect(await hostsOf('m{hostname=~"b.*"}')).toEqual({ only: ['b1'] });
  hosts = [...hosts, 'a3'];
  expect(await hostsOf('m{hostname=~"a.*"}')).toEqual({ only: ['a1', 'a2', 'a3'] });
  expect(asked).toEqual([...hosts]);
});
