/** A store in this process with two metrics, 'load' (60 s, avg) and 'flops' (1 s, sum). */
import { expect } from 'vitest';
import { logger } from '../../src/base/log.js';
import type { MetricConfig } from '../../src/config/config.js';
import { Pool } from '../../src/store/pool.js';
import { configWith } from '../support/config.js';
import { metric } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/directories.js';

const METRICS = new Map<string, MetricConfig>([
  ['load', metric(60, 'avg')],
  ['flops', metric(1, 'sum')],
]);

/** Starts a store, to be stopped by the caller. @param memoryCapBytes decides how many partitions there are. */
export async function startPool(memoryCapBytes = 0): Promise<Pool> {
  const store = { memoryCapBytes, checkpoints: { fileFormat: 'wal' as const, directory: temporaryDirectory() } };
  const pool = new Pool({
    config: { ...configWith({ retentionSeconds: 1e9, ...store }), metrics: METRICS },
    log: logger('store'),
    modulePath: new URL('../../dist/core.wasm', import.meta.url),
    onFatal: (error) => expect.fail(error.message),
  });
  await pool.start();
  return pool;
}

/** Stores lines of cluster `c` with times in seconds. */
export async function writeTo(pool: Pool, lines: string): Promise<void> {
  const text = new TextEncoder().encode(lines);
  await pool.write(text.slice().buffer, text.length, 'c', 's');
}
