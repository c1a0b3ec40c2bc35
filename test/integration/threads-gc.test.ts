/** V8's flags are the process's: threads that begin at the same moment must not take from each other what they set. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

const HEAP = new URL('../../dist/heap.js', import.meta.url).href;

it('threads that begin together can all collect their garbage', async () => {
  for (let round = 0; round < 10; round++) {
    const workers = Array.from(
      { length: 8 },
      () => new Worker(`import(${JSON.stringify(HEAP)}).then(({ settleHeap }) => settleHeap())`, { eval: true }),
    );
    const codes = await Promise.all(workers.map((worker) => once(worker, 'exit')));
    expect(codes.flat()).toEqual(workers.map(() => 0));
  }
});
