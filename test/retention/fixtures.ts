import type { Config } from '../../src/config/config.js';
import { type PartitionStats, type Store, StoreError } from '../../src/core/store.js';
import type { Logger, LogLevel } from '../../src/log.js';
import { errorText } from '../../src/log.js';

export function configWith(store: Partial<Config['store']>, backendUrl?: string): Config {
  return {
    main: { host: 'localhost', port: 8080, ...(backendUrl === undefined ? {} : { backendUrl }) },
    metrics: new Map(),
    store: {
      retentionSeconds: 48 * 3600,
      memoryCapBytes: 0,
      checkpoints: { fileFormat: 'wal', directory: 'var', maxWalSize: 0 },
      checkpointIntervalSeconds: 12 * 3600,
      numWorkers: 0,
      cleanup: { mode: 'delete' },
      natsSubscriptions: [],
      walSync: 'interval',
      maxBodySize: 1 << 20,
      ...store,
    },
  };
}

export function partitionStats(change: Partial<PartitionStats> = {}): PartitionStats {
  return {
    partition: 0,
    worker: 0,
    lines: 0,
    stored: 0,
    skipped: 0,
    refused: 0,
    refusedByReason: [],
    series: 0,
    hosts: 0,
    samples: 0,
    memory: { index: 0, openBlocks: 0, sealedBlocks: 0, total: 0 },
    linearMemory: 0,
    blocks: {},
    log: { bytes: 0, segments: 1, writes: 0, syncs: 0, syncSeconds: 0, failed: null },
    checkpoint: { last: 0, seconds: 0, bytes: 0, count: 0 },
    ...change,
  };
}

/** Notes what the jobs ask of it. */
export class JobStore implements Pick<Store, 'state' | 'stats' | 'checkpoint' | 'retain'> {
  state: Store['state'] = 'ready';
  retained: { to: number; except: Record<string, string[]> }[] = [];
  checkpoints = 0;
  atOnce = 0;
  mostAtOnce = 0;
  logBytes = 0;
  /** What is left of the log after a checkpoint. */
  logRest = 0;
  checkpointMs = 0;
  failing = false;

  async stats(): Promise<PartitionStats[]> {
    const log = { ...partitionStats().log, bytes: this.logBytes / 2 };
    return [partitionStats({ log }), partitionStats({ partition: 1, log })];
  }

  async checkpoint(): Promise<void> {
    this.checkpoints++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, this.checkpointMs));
    this.atOnce--;
    if (this.failing) throw new StoreError('LOG_FAILED', 'the disk is full');
    this.logBytes = this.logRest;
  }

  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    if (this.failing) throw new StoreError('INTERNAL', 'a worker died');
    this.retained.push({ to, except: Object.fromEntries([...except].map(([name, hosts]) => [name, [...hosts]])) });
    return 7;
  }
}

/** A log that keeps its lines. */
export function keptLog(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const at = (level: LogLevel) => (message: string, error?: unknown) => {
    lines.push(`${level} ${message}${error === undefined ? '' : `: ${errorText(error)}`}`);
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), err: at('err'), crit: at('crit') };
}
