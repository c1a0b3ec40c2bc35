import { backendTokenProblem } from '../config/backend-token.js';
import type { Store } from '../store/store.js';
import type { Job } from '../telemetry/telemetry.js';
import { type RoundOptions, retentionRounds } from './rounds.js';
import { every } from './schedule.js';

export interface RetentionOptions extends RoundOptions {
  store: Pick<Store, 'state' | 'checkpoint' | 'retain'>;
  /** Deletes or archives checkpoint data that is older than the retention; run every retention. */
  cleanup?: () => Promise<void>;
  /** Told of each run of a job, for telemetry. */
  onJob?: (job: Job, seconds: number, failed: boolean) => void;
}

export interface Retention {
  /** Ends the timers and waits for what is under way, but not for the backend. Call it before `Store.stop`. */
  stop(): Promise<void>;
}

/**
 * The jobs that run by themselves: freeing what is older than the retention (every half of it), checkpoints (those that
 * the size of the log asks for are the workers' own), cleanup of checkpoint files (every retention). None of them ever
 * overlaps itself, throws, or ends the others.
 */
export function startRetention(options: RetentionOptions): Retention {
  const { store, config, log, cleanup, onJob } = options;
  const { retentionSeconds, checkpointIntervalSeconds } = config.store;

  const timed = async (job: Job, task: () => Promise<boolean>): Promise<void> => {
    const begin = performance.now();
    let failed: boolean;
    try {
      failed = !(await task());
    } catch (error) {
      failed = true;
      log.err(`the ${job} failed, next try at its next turn`, error);
    }
    onJob?.(job, (performance.now() - begin) / 1000, failed);
  };

  const tokenProblem = backendTokenProblem(config.main);
  if (tokenProblem !== undefined) log.warn(tokenProblem);

  const stopping = new AbortController();
  const round = retentionRounds(options, stopping.signal);
  const checkpoint = async (): Promise<boolean> => {
    if (store.state === 'ready') await store.checkpoint('interval');
    return true;
  };
  const jobs = [
    every(retentionSeconds / 2, () => timed('retention', round)),
    every(checkpointIntervalSeconds, () => timed('checkpoint', checkpoint)),
  ];
  if (cleanup !== undefined) {
    const task = async (): Promise<boolean> => {
      await cleanup();
      return true;
    };
    jobs.push(every(retentionSeconds, () => timed('cleanup', task)));
  }
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(jobs.map((job) => job.stop()));
    },
  };
}
