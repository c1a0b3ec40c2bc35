import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Pace, QueryTimeout } from '../../src/promql/evaluate/pace.js';
import { until } from '../support/wait.js';

const NEVER = new AbortController().signal;

it.each([1000 * 3600 * 1000, Number.POSITIVE_INFINITY])(
  'work that may take %d ms is not stopped at once',
  async (ms) => {
    const pace = new Pace(performance.now() + ms, NEVER);
    const { stopped } = pace;
    // A timer that is set to more than it can count fires after one millisecond.
    await sleep(20);
    expect(stopped.aborted).toBe(false);
    pace.check();
    pace.close();
  },
);

it('work that has taken longer than it may is stopped, wherever it is done', async () => {
  const pace = new Pace(performance.now() + 10, NEVER);
  await until(() => pace.stopped.aborted);
  expect(pace.stopped.reason).toBeInstanceOf(QueryTimeout);
  await until(() => {
    try {
      pace.check();
      return false;
    } catch (error) {
      return error instanceof QueryTimeout;
    }
  });
  pace.close();
});
