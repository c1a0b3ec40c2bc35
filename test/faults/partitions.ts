/** Partitions for fault tests: opened on a directory, written to, checkpointed, and killed by being forgotten. */
import { expect } from 'vitest';
import { Jobs } from '../../src/base/jobs.js';
import { type Logger, logger } from '../../src/base/log.js';
import type { MetricConfig } from '../../src/config/config.js';
import { CheckpointQueue } from '../../src/partition/checkpointer.js';
import { Partition } from '../../src/partition/partition.js';
import type { Core } from '../../src/wasm/core.js';
import { configWith } from '../support/config.js';
import { newCore } from '../support/core-driver.js';

/** A partition and its core, to look into. */
export interface Opened {
  partition: Partition;
  core: Core;
}

/** Opens the only partition of a checkpoint directory. @param maxWalSize bytes; 0: the log triggers no checkpoint. */
export async function openPartition(
  directory: string,
  metrics: ReadonlyMap<string, MetricConfig>,
  log: Logger = logger('test'),
  maxWalSize = 0,
): Promise<Opened> {
  const checkpointed = { fileFormat: 'wal', directory, maxWalSize } as const;
  // Times of the tests are fixed, and long ago.
  const config = configWith({
    checkpoints: checkpointed,
    retentionSeconds: 1e9,
    futureLimitSeconds: 0,
    walSync: 'off',
  });
  const core = newCore(metrics);
  const checkpoints = new CheckpointQueue();
  const options = { core, worker: 0, config: config.store, logger: log, jobs: new Jobs(), checkpoints };
  return { core, partition: await Partition.load(options, 0, () => {}) };
}

/** Stores lines, none of which is bad, and has them in the log. */
export function writeLines({ partition }: Opened, text: string): void {
  expect(partition.write(Buffer.from(text), '', 1, 0).refused).toBe(0);
  expect(partition.flush()).toBeUndefined();
}
