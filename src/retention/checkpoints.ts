import type { PartitionStats, Store } from '../core/store.js';
import { type Logger, limited } from '../log.js';
import { every } from './schedule.js';

/** How often the size of the log is looked at. */
const LOG_CHECK_SECONDS = 5;
/** After a failed checkpoint a big log alone does not start another before that. */
const RETRY_AFTER_MS = 60_000;
const LOG_SECONDS = 60;

export interface CheckpointOptions {
  store: Pick<Store, 'state' | 'stats' | 'checkpoint'>;
  log: Logger;
  intervalSeconds: number;
  /** Bytes of log, of all partitions, that start a checkpoint early; 0: no limit. */
  maxLogBytes: number;
  /** Told of each checkpoint that ended. */
  onEnd(seconds: number, failed: boolean): void;
}

export interface Checkpoints {
  /** Ends both timers; resolves when a checkpoint that is under way has ended. */
  stop(): Promise<void>;
}

/** Checkpoints by time and by size of the log, never two at once. Failures are logged and counted, never thrown. */
export function startCheckpoints(options: CheckpointOptions): Checkpoints {
  const { store, log, maxLogBytes } = options;
  const statsLog = limited(log, LOG_SECONDS);
  let running: Promise<void> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  /** What the last checkpoint left behind: the newest segment stays open, so the log never gets to 0. */
  let rest = 0;

  const checkpoint = async (why: string): Promise<void> => {
    if (store.state !== 'ready') return;
    log.debug(`checkpoint: ${why}`);
    const begin = performance.now();
    let failed = false;
    try {
      await store.checkpoint();
    } catch (error) {
      failed = true;
      failedAt = performance.now();
      log.err(`the checkpoint failed (${why}); the log keeps what it would have covered`, error);
    }
    options.onEnd((performance.now() - begin) / 1000, failed);
    if (!failed && maxLogBytes > 0) rest = (await logBytes()) ?? rest;
  };

  const once = (why: string): Promise<void> => {
    running ??= checkpoint(why).finally(() => {
      running = undefined;
    });
    return running;
  };

  const logBytes = async (): Promise<number | undefined> => {
    try {
      return (await store.stats()).reduce((total: number, partition: PartitionStats) => total + partition.log.bytes, 0);
    } catch (error) {
      statsLog.warn('cannot read the size of the log', error);
      return undefined;
    }
  };

  const checkSize = async (): Promise<void> => {
    if (running !== undefined || store.state !== 'ready' || performance.now() - failedAt < RETRY_AFTER_MS) return;
    const bytes = await logBytes();
    if (bytes === undefined) return;
    rest = Math.min(rest, bytes);
    if (bytes - rest >= maxLogBytes) await once(`the log has ${bytes} bytes, max-wal-size is ${maxLogBytes}`);
  };

  const schedules = [every(options.intervalSeconds, () => once('interval'))];
  if (maxLogBytes > 0) schedules.push(every(LOG_CHECK_SECONDS, checkSize));
  return {
    async stop(): Promise<void> {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
      await running;
    },
  };
}
