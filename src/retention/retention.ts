import { backendTokenProblem } from '../config/backend-token.js';
import type { JobTimes, TimedJob } from '../persistence/job-times.js';
import type { Store } from '../store/store.js';
import type { Job } from '../telemetry/telemetry.js';
import { type RoundOptions, retentionRounds } from './rounds.js';
import { every } from './schedule.js';

/** A job that is overdue waits so long after a start, or a tenth of its interval: other work comes first then. */
const OVERDUE_SECONDS = 60;

export interface RetentionOptions extends RoundOptions {
  store: Pick<Store, 'state' | 'checkpoint' | 'retain'>;
  /** Deletes or archives checkpoint data that is older than the retention; run every retention. */
  cleanup?: () => Promise<void>;
  /** When the jobs ran last, over restarts. */
  times: Pick<JobTimes, 'last' | 'done'>;
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
 * overlaps itself, throws, or ends the others. Retention and cleanup count from their last successful run, over restarts.
 */
export function startRetention(options: RetentionOptions): Retention {
  const { store, config, log, cleanup, onJob, times, now = Date.now } = options;
  const { retentionSeconds, checkpointIntervalSeconds } = config.store;

  const seconds = (): number => now() / 1000;
  /** Seconds until a job is due for the first time. */
  const firstOf = (job: TimedJob, interval: number): number => {
    const last = times.last(job);
    if (last === undefined) {
      times.done(job, seconds());
      return interval;
    }
    // A clock that was ahead must not put it off.
    return Math.min(Math.max(last + interval - seconds(), Math.min(OVERDUE_SECONDS, interval / 10)), interval);
  };
  const timed = async (job: Job, task: () => Promise<boolean>): Promise<void> => {
    const begin = performance.now();
    let failed: boolean;
    try {
      failed = !(await task());
    } catch (error) {
      failed = true;
      log.err(`the ${job} failed, next try at its next turn`, error);
    }
    if (!failed && job !== 'checkpoint') times.done(job, seconds());
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
    every(retentionSeconds / 2, () => timed('retention', round), firstOf('retention', retentionSeconds / 2)),
    every(checkpointIntervalSeconds, () => timed('checkpoint', checkpoint)),
  ];
  if (cleanup !== undefined) {
    const task = async (): Promise<boolean> => {
      await cleanup();
      return true;
    };
    jobs.push(every(retentionSeconds, () => timed('cleanup', task), firstOf('cleanup', retentionSeconds)));
  }
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(jobs.map((job) => job.stop()));
    },
  };
}
