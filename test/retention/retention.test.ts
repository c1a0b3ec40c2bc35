import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Retention, type RetentionOptions, startRetention } from '../../src/retention/retention.js';
import { every } from '../../src/retention/schedule.js';
import { configWith } from '../support/config.js';
import { KeptLog } from '../support/kept-log.js';
import { JobStore } from './fixtures.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(seconds * 1000);

describe('every', () => {
  it('runs at whole intervals, never two at once, and leaves out what a long run missed', async () => {
    const begun: number[] = [];
    const schedule = every(10, async () => {
      begun.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, begun.length === 2 ? 25_000 : 1000));
    });
    const start = performance.now();
    await pass(61);
    expect(begun.map((ms) => Math.round(ms / 1000))).toEqual([10, 20, 50, 60]);
    await vi.advanceTimersByTimeAsync(2000);
    await schedule.stop();
    await pass(100);
    expect(begun.length).toBe(4);
  });

  it('waits for intervals that setTimeout cannot hold', async () => {
    let runs = 0;
    const schedule = every(60 * DAY, async () => {
      runs++;
    });
    await pass(60 * DAY - 1);
    expect(runs).toBe(0);
    await pass(2);
    expect(runs).toBe(1);
    await pass(60 * DAY);
    expect(runs).toBe(2);
    await schedule.stop();
  });

  it('waits for a run that is under way when it is stopped', async () => {
    let ended = false;
    const schedule = every(1, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5000));
      ended = true;
    });
    await pass(2);
    const stopped = schedule.stop();
    expect(ended).toBe(false);
    await pass(5);
    await stopped;
    expect(ended).toBe(true);
  });
});

describe('startRetention', () => {
  let store: JobStore;
  let log: KeptLog;
  let jobs: string[];
  let retention: Retention;
  let ran: Map<string, number>;
  const times: RetentionOptions['times'] = {
    last: (job) => ran.get(job),
    done: (job, now) => ran.set(job, now),
  };

  beforeEach(() => {
    ran = new Map();
    store = new JobStore();
    log = new KeptLog();
    jobs = [];
  });
  afterEach(() => stop());

  /** Stops the jobs. What is under way ends with a timer, and time passes only here. */
  const stop = async (): Promise<void> => {
    const stopped = retention.stop();
    await pass(1000);
    await stopped;
  };

  const start = (config: RetentionOptions['config'], more: Partial<RetentionOptions> = {}): void => {
    const onJob: RetentionOptions['onJob'] = (job, _, failed) => {
      jobs.push(failed ? `${job} failed` : job);
    };
    retention = startRetention({ store, config, log, onJob, times, ...more });
  };

  it('frees every half retention what is older than the retention then', async () => {
    start(configWith({ checkpointIntervalSeconds: 100 * DAY }));
    await pass(DAY - 1);
    expect(store.retained).toEqual([]);
    await pass(1 + DAY);
    expect(store.retained.map(({ to }) => to)).toEqual([1_700_000_000 - DAY, 1_700_000_000]);
    expect(jobs).toEqual(['retention', 'retention']);
  });

  it('goes on when a round fails', async () => {
    start(configWith({ checkpointIntervalSeconds: 100 * DAY }));
    store.failing = true;
    await pass(DAY);
    store.failing = false;
    await pass(DAY);
    expect(jobs).toEqual(['retention failed', 'retention']);
    expect(log.lines[0]).toBe('err the retention failed, next try at its next turn: a worker died');
  });

  it('asks the backend at each round', async () => {
    const asked: unknown[] = [];
    const fetcher: typeof fetch = async (input) => {
      asked.push(input);
      return new Response(asked.length === 1 ? 'oops' : '{"alpha":["n1"]}');
    };
    start(configWith({ checkpointIntervalSeconds: 100 * DAY }, { backendUrl: 'http://backend' }), { fetch: fetcher });
    await pass(2 * DAY);
    expect(asked).toEqual([
      `http://backend/api/jobs/used_nodes?ts=${1_700_000_000 - DAY}`,
      'http://backend/api/jobs/used_nodes?ts=1700000000',
    ]);
    expect(store.retained).toEqual([{ to: 1_700_000_000, except: { alpha: ['n1'] } }]);
    expect(jobs).toEqual(['retention failed', 'retention']);
  });

  it('cleans up every retention', async () => {
    let cleanups = 0;
    const cleanup = async (): Promise<void> => {
      if (++cleanups === 1) throw new Error('the archive is full');
    };
    start(configWith({ checkpointIntervalSeconds: 100 * DAY }), { cleanup });
    await pass(4 * DAY);
    expect(cleanups).toBe(2);
    expect(jobs.filter((job) => job.startsWith('cleanup'))).toEqual(['cleanup failed', 'cleanup']);
  });

  it('cleans up and frees a server that is restarted every night, however long its retention is', async () => {
    let cleanups = 0;
    const cleanup = async (): Promise<void> => {
      cleanups++;
    };
    const config = configWith({ retentionSeconds: 2 * DAY + HOUR, checkpointIntervalSeconds: 100 * DAY });
    for (let night = 0; night < 10; night++) {
      start(config, { cleanup });
      await pass(DAY - 1060);
      await stop();
      await pass(60);
    }
    start(config, { cleanup });
    // Half of the retention, and all of it, are longer than the nights are apart.
    expect(store.retained.length).toBe(9);
    expect(cleanups).toBe(4);
  });

  it('repeats after a restart what has failed, soon but not at once', async () => {
    let cleanups = 0;
    const cleanup = async (): Promise<void> => {
      if (++cleanups === 1) throw new Error('the archive is full');
    };
    start(configWith({}), { cleanup });
    await pass(2 * DAY);
    expect(cleanups).toBe(1);
    await stop();
    start(configWith({}), { cleanup });
    await pass(59);
    expect(cleanups).toBe(1);
    await pass(2);
    expect(cleanups).toBe(2);
    await pass(2 * DAY - 2);
    expect(cleanups).toBe(2);
    await pass(2);
    expect(cleanups).toBe(3);
  });

  it('puts nothing off because a clock was ahead', async () => {
    ran.set('cleanup', 9e9);
    let cleanups = 0;
    start(configWith({}), {
      cleanup: async () => {
        cleanups++;
      },
    });
    await pass(2 * DAY);
    expect(cleanups).toBe(1);
  });

  it('checkpoints at each interval, never two at once', async () => {
    store.checkpointMs = 90_000;
    start(configWith({ checkpointIntervalSeconds: 60 }));
    await pass(600);
    expect(store.mostAtOnce).toBe(1);
    expect(store.checkpoints).toBe(5);
  });

  it('goes on when a checkpoint fails', async () => {
    store.failing = true;
    start(configWith({ checkpointIntervalSeconds: 60 }));
    await pass(61);
    store.failing = false;
    await pass(60);
    expect(jobs).toEqual(['checkpoint failed', 'checkpoint']);
    expect(log.lines[0]).toBe('err the checkpoint failed, next try at its next turn: the disk is full');
  });

  it('leaves a store alone that is still loading', async () => {
    store.state = 'loading';
    start(configWith({}));
    await pass(3 * DAY);
    expect(store.checkpoints).toBe(0);
    expect(store.retained).toEqual([]);
  });

  it('does nothing after it was stopped', async () => {
    start(configWith({}));
    await stop();
    await pass(10 * DAY);
    expect(store.retained).toEqual([]);
    expect(store.checkpoints).toBe(0);
  });
});
