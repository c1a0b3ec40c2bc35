import { logger } from '../../src/base/log.js';
import { type NatsState, newNatsState } from '../../src/nats/state.js';
import { Refusals } from '../../src/partition/refusals.js';
import type { PartitionStats, Store } from '../../src/store/store.js';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../../src/telemetry/telemetry.js';
import { codecNames } from '../../src/wasm/tables/codec-names.js';
import { LineError } from '../../src/wasm/tables/codes.js';

/** Two partitions with figures that are easy to tell apart. */
export function twoPartitions(): PartitionStats[] {
  const refusedByReason = new Array<number>(LineError.TimestampTooOld + 1).fill(0);
  refusedByReason[LineError.BadValue] = 3;
  const first: PartitionStats = {
    partition: 0,
    worker: 0,
    lines: 1000,
    stored: 900,
    skipped: 97,
    leftOut: 0,
    refused: 3,
    refusals: new Refusals().figures(refusedByReason),
    series: 50,
    hosts: 5,
    samples: 40_000,
    memory: { index: 1000, openBlocks: 2000, sealedBlocks: 3000, rollups: 500, total: 6500 },
    linearMemory: 65_536,
    blocks: { constant: 7, raw: 1 },
    missingFiles: 0,
    log: { bytes: 5000, segments: 2, writes: 30, syncs: 10, syncSeconds: 0.5, failed: null },
    checkpoint: { last: 1_700_000_500, seconds: 1.5, bytes: 10_000, count: 2 },
  };
  const second: PartitionStats = {
    ...first,
    partition: 1,
    worker: 1,
    blocks: Object.fromEntries(codecNames.map((name) => [name, 1])),
    log: { ...first.log, failed: 'ENOSPC: no space left on /data/node0001.log' },
    checkpoint: { last: 1_700_000_000, seconds: 0.5, bytes: 1, count: 1 },
  };
  return [first, second];
}

export interface Bench {
  telemetry: Telemetry;
  store: { state: Store['state']; stats: Store['stats'] };
  nats: NatsState;
}

export function bench(more: Partial<TelemetryOptions> = {}): Bench {
  const store: Bench['store'] = { state: 'ready', stats: async () => twoPartitions() };
  const nats = newNatsState();
  const telemetry = createTelemetry({
    clockIsTrusted: () => true,
    store,
    log: logger('telemetry'),
    version: '1.2.3',
    commit: 'abc',
    config: { memoryCapBytes: 100e9, checkpointIntervalSeconds: 43_200 },
    nats: () => nats,
    cluster: () => ({
      members: 3,
      copiesMissing: 1,
      partitionsMissing: 0,
      copies: 22,
      ready: 21,
      lagSeconds: 0.5,
      isCutOff: false,
      messages: 1000,
      publishSeconds: 2,
      publishFailures: 3,
      failovers: 4,
      staleAnswers: 5,
      bootstrapBytes: 6,
    }),
    ...more,
  });
  return { telemetry, store, nats };
}

/** Everything that can be exposed, with some traffic. */
export async function fullOutput(): Promise<string> {
  const { telemetry } = bench();
  telemetry.observe('/api/write', 0.002, 200, 50_000);
  telemetry.observe('/api/query', 0.02, 200, 3_000_000);
  telemetry.observe('/api/query', 0.001, 401, 80);
  telemetry.query({ seconds: { queue: 0, evaluation: 0.01, answer: 0.02 }, samples: 5000, refusal: undefined });
  telemetry.query({ seconds: { queue: 0.1 }, samples: 0, refusal: 'limit' });
  telemetry.job('checkpoint', 2, false);
  telemetry.job('retention', 0.2, true);
  telemetry.freed(12);
  const text = await telemetry.metrics();
  telemetry.close();
  return text;
}
