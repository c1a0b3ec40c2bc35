/** What a burst of answers has taken is given back once it is over. */
import { expect, it } from 'vitest';
import { AnswerBudget } from '../../src/store/query/budget.js';
import { runProgram } from '../support/programs.js';

it('says that it is calm once little is used after it was used up, once', () => {
  let calm = 0;
  const budget = new AnswerBudget(160, () => calm++);
  expect(budget.tryTake(160)).toBe(true);
  budget.release(160);
  expect(calm).toBe(0);
  expect(budget.tryTake(100)).toBe(true);
  expect(budget.tryTake(100)).toBe(false);
  budget.release(80);
  expect(calm).toBe(0);
  budget.release(10);
  expect(calm).toBe(1);
  budget.release(10);
  expect(calm).toBe(1);
});

it('collects all garbage then, young and old', async () => {
  const { stdout } = await runProgram(`
    import { constants, PerformanceObserver } from 'node:perf_hooks';
    import { collectSoon } from './base/heap.js';
    let forced = 0;
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) forced++;
      }
      if (forced > 0) { console.log('collected'); process.exit(); }
    }).observe({ entryTypes: ['gc'] });
    collectSoon();
    setInterval(() => {}, 1000);`);
  expect(stdout).toBe('collected\n');
});
