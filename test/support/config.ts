import type { Config, MainConfig, StoreConfig } from '../../src/config/config.js';
import { metric } from './core-driver.js';

/** A configuration as it is once it has been read: one metric, two days, a port that is free. */
export function configWith(store: Partial<StoreConfig> = {}, main: Partial<MainConfig> = {}): Config {
  return {
    main: { host: '127.0.0.1', port: 0, ...main },
    tagRules: [],
    metrics: new Map([['cpu_load', metric(60)]]),
    store: {
      retentionSeconds: 172_800,
      futureLimitSeconds: 600,
      memoryCapBytes: 0,
      checkpoints: { fileFormat: 'wal', directory: './var/checkpoints', maxWalSize: 0 },
      checkpointIntervalSeconds: 43_200,
      numWorkers: 0,
      cleanup: { mode: 'delete' },
      natsSubscriptions: [],
      walSync: 'interval',
      maxBodySize: 64 << 20,
      ...store,
    },
    promql: {
      lookbackSeconds: 300,
      lookbackAdapts: true,
      timeoutSeconds: 120,
      maxSamples: 50_000_000,
      maxQueries: 20,
      maxMemoryBytes: 256 << 20,
    },
  };
}
