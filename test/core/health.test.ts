import { expect, it } from 'vitest';
import { NodeState } from '../../src/wasm/tables/codes.js';
import { metric, startCore, store, T0 } from '../support/core-driver.js';

const NOW = T0 + 100_000;
const UNTIL = NOW + 600;

const line = (time: number): string => `m,cluster=c,hostname=h value=1 ${time}\n`;

/** The state of a metric of a minute's frequency with samples at these times. */
function stateOf(times: number[], until = UNTIL): NodeState | undefined {
  const core = startCore(new Map([['m', metric(60)]]));
  store(core, times.map(line).join(''));
  return core.reads.nodeHealth('c', 'h', ['m'], NOW, until)?.[0];
}

const minutes = (from: number, n: number): number[] => Array.from({ length: n }, (_, i) => from + 60 * i);

it.each([
  ['now', [NOW], NodeState.Healthy],
  ['a little ahead', [NOW + 600], NodeState.Healthy],
  ['five minutes ago', [NOW - 330], NodeState.Healthy],
  ['six minutes ago', [NOW - 360], NodeState.Degraded],
  ['years ahead only', [NOW + 1e8], NodeState.Degraded],
  ['an hour ago, and years ahead', [NOW - 3600, NOW + 1e8], NodeState.Degraded],
  ['now, and years ahead', [NOW, NOW + 1e8], NodeState.Healthy],
  ['now, and an hour ahead, in one block', [NOW, NOW + 3600], NodeState.Healthy],
  ['an hour ago and ahead, in one block', [NOW - 3600, NOW + 3600], NodeState.Degraded],
  ['for days until now, and years ahead', [...minutes(NOW - 60_000, 1000), NOW + 1e8], NodeState.Healthy],
  ['for days until an hour ago, and years ahead', [...minutes(NOW - 60_000, 940), NOW + 1e8], NodeState.Degraded],
  ['for days, through now, by a clock that is ahead', minutes(NOW - 60_000, 2000), NodeState.Healthy],
  [
    'for days, through now, but not in the last hour',
    minutes(NOW - 60_000, 2000).filter((time) => time < NOW - 3600 || time > UNTIL),
    NodeState.Degraded,
  ],
])('a metric with a sample of %s', (_when, times, state) => {
  expect(stateOf(times)).toBe(state);
});

it('a metric counts as it is when the clock is not to be believed', () => {
  expect(stateOf([NOW + 1e8], 2 ** 62)).toBe(NodeState.Healthy);
});
