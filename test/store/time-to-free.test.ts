import { afterEach, expect, it } from 'vitest';
import { logger } from '../../src/base/log.js';
import { Pool } from '../../src/store/pool.js';
import { configWith } from '../support/config.js';
import { temporaryDirectory } from '../support/directories.js';
import { smallCore } from '../support/small-core.js';

const NOW = 1_700_000_000;

let pool: Pool | undefined;
afterEach(() => pool?.stop());

it('says until when blocks must go, for the whole store and for each partition', async () => {
  // A cap of so much makes two partitions.
  const store = { memoryCapBytes: 6e9, checkpoints: { fileFormat: 'wal', directory: temporaryDirectory() } } as const;
  pool = new Pool({
    config: {
      ...configWith({ ...store, retentionSeconds: 1e9 }),
      metrics: new Map([['m', { frequency: 1, aggregation: null, precision: 'double' }]]),
    },
    log: logger('store'),
    modulePath: smallCore(256),
    onFatal: (error) => expect.fail(error.message),
  });
  await pool.start();
  const text = Array.from({ length: 100 }, (_, i) => `m,hostname=h${i} value=1 ${NOW - 100 + i}\n`).join('');
  const bytes = new TextEncoder().encode(text);
  await pool.write(bytes.buffer, bytes.length, 'c', 's');
  const open = (await pool.stats()).map(({ memory }) => memory.openBlocks);
  const [first = 0, second = 0] = open;
  expect(open).toEqual([expect.any(Number), expect.any(Number)]);
  expect(Math.min(first, second)).toBeGreaterThan(0);
  const half = await pool.timeToFree((first + second) / 2, [0, 0], NOW);
  expect(half).toBeGreaterThan(NOW - 60);
  expect(half).toBeLessThan(NOW - 40);
  expect(await pool.timeToFree(0, [0, second], NOW)).toBeGreaterThan(NOW - 10);
  expect(await pool.timeToFree(1, [first / 2, 1], NOW)).toBeLessThan(NOW - 30);
  expect(await pool.timeToFree(0, [0, 0], NOW)).toBeUndefined();
});
