/** V8's flags are the process's: threads that begin at the same moment must not take from each other what they set. */
import { expect, it } from 'vitest';
import { runProgram } from '../support/programs.js';

const ROUNDS = 10;

it('threads that begin together can all collect their garbage', async () => {
  const { stdout } = await runProgram(`
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const heap = new URL('./base/heap.js', import.meta.url).href;
    const thread = () => new Worker('import("' + heap + '").then(({ settleHeap }) => settleHeap())', { eval: true });
    for (let round = 0; round < ${ROUNDS}; round++) {
      const threads = Array.from({ length: 8 }, thread);
      const codes = await Promise.all(threads.map((each) => once(each, 'exit')));
      console.log(codes.join());
    }`);
  expect(stdout).toBe('0,0,0,0,0,0,0,0\n'.repeat(ROUNDS));
});
