/** V8's flags are the process's: they hold for all threads, and threads that begin at the same moment must not take them from each other. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { runProgram } from '../support/programs.js';
import { config } from '../support/server-config.js';
import { startServer } from '../support/server-process.js';

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

it('the young generation of a server stays small, whatever survives', async () => {
  const dir = temporaryDirectory();
  const preload = join(dir, 'survive.mjs');
  writeFileSync(
    preload,
    `import { getHeapSpaceStatistics } from 'node:v8';
     import { isMainThread } from 'node:worker_threads';
     if (isMainThread) process.on('exit', () => {
       const kept = [];
       for (let i = 0; i < 3e6; i++) kept[i % 30_000] = { i: [i] };
       const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
       console.log('young generation:', young.space_size, 'bytes');
     });`,
  );
  const server = await startServer(config(), { dir, env: { NODE_OPTIONS: `--import ${preload}` } });
  expect(await server.stop()).toBe(0);
  expect(Number(/young generation: (\d+) bytes/.exec(server.log())?.[1])).toBeLessThan(10e6);
});
