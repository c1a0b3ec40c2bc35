import { afterEach, expect, it } from 'vitest';
import type { Pool } from '../../src/store/pool.js';
import { T0 } from '../support/core-driver.js';
import { startPool, writeTo } from './running-pool.js';

const pools: Pool[] = [];

afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.stop())));

it('what says whether the tree has changed names the copy: two with as many changes have different names', async () => {
  // As after a restart of one of two stores that hold a partition.
  for (const host of ['a', 'b']) {
    const pool = await startPool();
    pools.push(pool);
    await writeTo(pool, `load,hostname=${host} value=1 ${T0}\n`);
  }
  const [a, b] = await Promise.all(pools.map((pool) => pool.treeChanges()));
  expect(a).not.toBe(b);
  expect(await pools[0]?.treeChanges()).toBe(a);
  await writeTo(pools[0] as Pool, `load,hostname=c value=1 ${T0}\n`);
  expect(await pools[0]?.treeChanges()).not.toBe(a);
});
