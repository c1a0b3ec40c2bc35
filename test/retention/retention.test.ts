import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Retention, type RetentionOptions, startRetention } from '../../src/retention/retention.js';
import { every } from '../../src/retention/schedule.js';
import { configWith, JobStore, keptLog } from './fixtures.js';

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
  let log: ReturnType<typeof keptLog>;
  let jobs: string[];
  let retention: Retention;

  beforeEach(() => {
    store = new JobStore();
    log = keptLog();
    jobs = [];
  });
  afterEach(async () => {
    const stopped = retention.stop();
    await pass(1000);
    await stopped;
  });

  const start = (config: RetentionOptions['config'], more: Partial<RetentionOptions> = {}): void => {
    const onJob: RetentionOptions['onJob'] = (job, _, failed) => {
      jobs.push(failed ? `${job} failed` : job);
    };
    retention = startRetention({ store, config, log, onJob, ...more });
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
    start(configWith({ checkpointIntervalSeconds: 100 * DAY }, 'http://backend'), { fetch: fetcher });
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

  it('checkpoints at each interval, never two at once', async () => {
    store.checkpointMs = 90_000;
    start(configWith({ checkpointIntervalSeconds: 60 }));
    await pass(600);
    expect(store.mostAtOnce).toBe(1);
    expect(store.checkpoints).toBe(5);
  });

  it('checkpoints when the log has grown by max-wal-size, not before', async () => {
    start(configWith({ checkpoints: { fileFormat: 'wal', directory: 'var', maxWalSize: 1000 } }));
    store.logBytes = 998;
    await pass(30);
    expect(store.checkpoints).toBe(0);
    store.logBytes = 1000;
    store.logRest = 400;
    await pass(6);
    expect(store.checkpoints).toBe(1);
    store.logBytes = 1398;
    await pass(30);
    expect(store.checkpoints).toBe(1);
    store.logBytes = 1400;
    await pass(30);
    expect(store.checkpoints).toBe(2);
  });

  it('never overlaps a checkpoint by size with one by interval', async () => {
    store.checkpointMs = 7_000;
    store.logBytes = 5000;
    store.logRest = 0;
    start(
      configWith({
        checkpointIntervalSeconds: 6,
        checkpoints: { fileFormat: 'wal', directory: 'var', maxWalSize: 1000 },
      }),
    );
    for (let i = 0; i < 20; i++) {
      store.logBytes = 5000;
      await pass(7);
    }
    expect(store.mostAtOnce).toBe(1);
    expect(store.checkpoints).toBeGreaterThan(5);
  });

  it('does not hammer a full disk', async () => {
    store.failing = true;
    store.logBytes = 5000;
    start(configWith({ checkpoints: { fileFormat: 'wal', directory: 'var', maxWalSize: 1000 } }));
    await pass(300);
    expect(store.checkpoints).toBeLessThanOrEqual(5);
    expect(store.checkpoints).toBeGreaterThanOrEqual(4);
    expect(jobs.every((job) => job === 'checkpoint failed')).toBe(true);
    expect(log.lines.join()).toContain('err the checkpoint failed (the log has 5000 bytes, max-wal-size is 1000)');
    store.failing = false;
    await pass(66);
    expect(jobs.at(-1)).toBe('checkpoint');
  });

  it('leaves a store alone that is still loading', async () => {
    store.state = 'loading';
    store.logBytes = 1e9;
    start(configWith({ checkpoints: { fileFormat: 'wal', directory: 'var', maxWalSize: 1000 } }));
    await pass(3 * DAY);
    expect(store.checkpoints).toBe(0);
    expect(store.retained).toEqual([]);
  });

  it('does nothing after it was stopped', async () => {
    start(configWith({}));
    await retention.stop();
    await pass(10 * DAY);
    expect(store.retained).toEqual([]);
    expect(store.checkpoints).toBe(0);
  });
});
