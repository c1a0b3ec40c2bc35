/**
 * When the jobs that run by the clock did so last: `<checkpoints.directory>/jobs.json`. Their intervals count from there and not
 * from the start of the process: a server that is restarted every night would never come to one that is due every other day.
 *
 *   {"version": 1, "retention": 1700000000, "cleanup": 1699900000}      unix seconds
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.js';
import { replaceFile } from './files.js';

const NAME = 'jobs.json';

export type TimedJob = 'retention' | 'cleanup';

export class JobTimes {
  readonly #path: string;
  readonly #log: Logger;
  readonly #times: Partial<Record<TimedJob, number>>;

  /** @param root the checkpoint directory, which must be ours. A file that can't be used counts as none, with a warning. */
  constructor(root: string, log: Logger) {
    this.#path = join(root, NAME);
    this.#log = log;
    this.#times = this.#read();
  }

  #read(): Partial<Record<TimedJob, number>> {
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.warn(`${this.#path}: it is made anew`, error);
      return {};
    }
    const { version, retention, cleanup } = (value ?? {}) as Record<string, unknown>;
    if (version === 1 && isTime(retention) && isTime(cleanup)) {
      return { ...(retention !== undefined && { retention }), ...(cleanup !== undefined && { cleanup }) };
    }
    this.#log.warn(`${this.#path}: expected {"version": 1, "retention": seconds, "cleanup": seconds}; it is made anew`);
    return {};
  }

  /** When the job ran last, unix seconds; undefined: it never did. */
  last(job: TimedJob): number | undefined {
    return this.#times[job];
  }

  /** The job has run. When that can't be written, the next start repeats it, which does no harm. @param now unix seconds. */
  done(job: TimedJob, now: number): void {
    this.#times[job] = Math.floor(now);
    try {
      replaceFile(this.#path, `${JSON.stringify({ version: 1, ...this.#times })}\n`);
    } catch (error) {
      this.#log.warn(`${this.#path}: not written, the ${job} is repeated after a restart`, error);
    }
  }
}

function isTime(value: unknown): value is number | undefined {
  return value === undefined || Number.isSafeInteger(value);
}
