import type { BackendToken, Config } from '../../src/config/config.js';
import type { Logger, LogLevel } from '../../src/log.js';
import { errorText } from '../../src/log.js';
import { type Store, StoreError } from '../../src/store/store.js';

export function configWith(store: Partial<Config['store']>, backendUrl?: string, backendToken?: BackendToken): Config {
  return {
    main: {
      host: 'localhost',
      port: 8080,
      ...(backendUrl !== undefined && { backendUrl }),
      ...(backendToken !== undefined && { backendToken }),
    },
    metrics: new Map(),
    store: {
      retentionSeconds: 48 * 3600,
      futureLimitSeconds: 600,
      memoryCapBytes: 0,
      checkpoints: { fileFormat: 'wal', directory: 'var' },
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

/** Notes what the jobs ask of it. */
export class JobStore implements Pick<Store, 'state' | 'checkpoint' | 'retain'> {
  state: Store['state'] = 'ready';
  retained: { to: number; except: Record<string, string[]> }[] = [];
  checkpoints = 0;
  atOnce = 0;
  mostAtOnce = 0;
  checkpointMs = 0;
  failing = false;

  async checkpoint(): Promise<void> {
    this.checkpoints++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, this.checkpointMs));
    this.atOnce--;
    if (this.failing) throw new StoreError('LOG_FAILED', 'the disk is full');
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
