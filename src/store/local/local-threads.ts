/** Main thread. Makes the workers that have the partitions of this process, and has them load on all cores. */

import { logSettings } from '../../base/log.js';
import type { Config } from '../../config/config.js';
import { startLoaders } from '../load/loaders.js';
import type { ThreadStart } from '../load/protocol.js';
import { LocalClient, type LocalClientOptions } from './local-client.js';
import { LocalPartitions, partitionsOf } from './local-partitions.js';
import { inlineShard, threadShard } from './shard-link.js';

export interface LocalThreadsOptions extends LocalClientOptions {
  /** Of dist/core.wasm. */
  module: WebAssembly.Module;
  config: Config;
  /** Of the whole store. */
  partitions: number;
}

/** What every thread is started with. */
function startOfAll({ module, config, partitions }: LocalThreadsOptions): ThreadStart {
  const { metrics, tagRules, store, cluster } = config;
  return {
    module,
    partitionCount: partitions,
    metrics: [...metrics],
    tagRules,
    // How much a copy of a cluster may hold depends on how many there are: the cap sees to it once they are open.
    store: cluster ? { ...store, memoryCapBytes: 0 } : store,
    log: logSettings(),
  };
}

/** Starts the workers, which read their code and wait. In a cluster they begin without a partition. */
export function startThreads(options: LocalThreadsOptions): LocalPartitions {
  const { config } = options;
  const workers = Math.max(1, config.store.numWorkers);
  const link = config.store.numWorkers === 0 ? inlineShard : threadShard;
  const initial = Array.from({ length: workers }, (_, worker) =>
    config.cluster ? [] : partitionsOf(worker, workers, options.partitions),
  );
  const clients = initial.map((partitions, worker) => {
    const start = { ...startOfAll(options), worker, partitions };
    return new LocalClient((listener) => link(start, listener), options);
  });
  return new LocalPartitions(clients, initial);
}

/** Has the partitions loaded that are open from the start, on all cores, also on those that will have no worker. */
export async function loadOnAllCores(local: LocalPartitions, options: LocalThreadsOptions): Promise<void> {
  const { config } = options;
  const { numWorkers } = config.store;
  // Partitions of a cluster are opened one by one.
  const loaders = numWorkers && !config.cluster ? startLoaders(startOfAll(options), numWorkers) : undefined;
  try {
    const loads = local.load(loaders?.help);
    await (loaders ? Promise.race([loads, loaders.failed]) : loads);
  } finally {
    await loaders?.end();
  }
}
