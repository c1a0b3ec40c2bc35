/** Partitions for fault tests: opened on a directory, written to, checkpointed, and killed by being forgotten. */
import { expect } from 'vitest';
import type { MetricConfig, StoreConfig } from '../../src/config/config.js';
import { type Logger, logger } from '../../src/log.js';
import { CheckpointQueue } from '../../src/partition/checkpointer.js';
import { Jobs } from '../../src/partition/jobs.js';
import { Partition } from '../../src/partition/partition.js';
import type { Core } from '../../src/wasm/core.js';
import { newCore } from './cores.js';

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
  const config: StoreConfig = {
    retentionSeconds: 1e9,
    futureLimitSeconds: 0,
    memoryCapBytes: 0,
    checkpoints: { fileFormat: 'wal', directory, maxWalSize },
    checkpointIntervalSeconds: 3600,
    numWorkers: 1,
    cleanup: { mode: 'delete' },
    natsSubscriptions: [],
    walSync: 'off',
    maxBodySize: 1 << 20,
  };
  const core = newCore(metrics);
  const checkpoints = new CheckpointQueue();
  const options = { core, worker: 0, config, logger: log, jobs: new Jobs(), checkpoints };
  return { core, partition: await Partition.load(options, 0) };
}

/** Stores lines, none of which is bad, and has them in the log. */
export function writeLines({ partition }: Opened, text: string): void {
  expect(partition.write(Buffer.from(text), '', 1, 0).refused).toBe(0);
  expect(partition.flush()).toBeUndefined();
}
