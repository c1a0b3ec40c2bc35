/** How far readers leave a thread to writes. Time goes on only where a test or a step says so. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Jobs } from '../../src/base/jobs.js';
import { Patience } from '../../src/base/patience.js';
import { nextTurn } from '../../src/base/turns.js';
import { LeafAggregation, LeafFunction, type LeafRequest } from '../../src/store/store.js';
import { startPool, writeTo } from '../store/running-pool.js';

const LEAF: LeafRequest = {
  start: 0,
  step: 1,
  count: 1,
  shift: 0,
  fixed: undefined,
  range: 0,
  lookback: 300_000,
  adaptiveLookback: false,
  function: LeafFunction.Instant,
  parameter: 0,
  aggregation: LeafAggregation.None,
  grouping: 0,
  room: 1e9,
  metrics: ['load'],
  levels: [],
  depths: 30,
};

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a thread that has writes and readers', () => {
  let now: number;
  let patience: Patience;
  let jobs: Jobs;
  let steps: number;

  beforeEach(() => {
    now = 1000;
    steps = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    patience = new Patience();
    jobs = new Jobs(patience);
  });

  /** A job without an end, whose steps take a millisecond each. */
  const read = (): void =>
    jobs.add(() => {
      now++;
      steps++;
      return true;
    });

  /** Lets so many milliseconds go by beside the steps, of each of which writes take a part. @returns all that went by. */
  function passes(milliseconds: number, part: number): number {
    const since = now;
    for (let i = 0; i < milliseconds; i++) {
      now++;
      if (part > 0) patience.wrote(part);
      vi.advanceTimersByTime(1);
    }
    return now - since;
  }

  it('gives readers the whole of it while nobody writes, and nearly that when writes take little', () => {
    read();
    passes(100, 0);
    expect(steps).toBeGreaterThanOrEqual(100);
    steps = 0;
    passes(1000, 0.02);
    expect(steps).toBeGreaterThanOrEqual(1000);
  });

  it('gives readers a small share while writes take much of it, but never less than that', () => {
    passes(200, 0.3);
    read();
    for (const part of [0.3, 1]) {
      steps = 0;
      const all = passes(2000, part);
      expect(steps / all).toBeLessThan(1 / 10);
      expect(steps / all).toBeGreaterThan(1 / 16);
    }
  });

  it('is the readers’ again as soon as writes have ended', () => {
    passes(200, 1);
    read();
    passes(500, 0);
    steps = 0;
    passes(100, 0);
    expect(steps).toBeGreaterThanOrEqual(100);
  });

  it('lets other jobs go on, however much is written', () => {
    passes(200, 1);
    const others = new Jobs();
    let made = 0;
    others.add(() => ++made < 100);
    passes(100, 1);
    expect(made).toBe(100);
  });
});

it('the worker’s readers and those of the main thread know of writes, and have patience', async () => {
  const wrote = vi.spyOn(Patience.prototype, 'wrote');
  const worked = vi.spyOn(Patience.prototype, 'worked');
  const pool = await startPool();
  try {
    const threads = Array.from(
      { length: 40 },
      (_, id) => `load,hostname=h,type=hwthread,type-id=${id} value=1 1000000000`,
    );
    await writeTo(pool, threads.join('\n'));
    expect(wrote).toHaveBeenCalledTimes(2);
    // Megabytes: all pieces but the first are made in steps.
    const rows = await pool.leaf({ ...LEAF, start: 1e12, step: 1, count: 11_000 }, new AbortController().signal, {
      take() {},
      give() {},
    });
    expect(rows).toHaveLength(40);
    expect(worked.mock.calls.length).toBeGreaterThan(5);
    worked.mockClear();
    await nextTurn(1);
    expect(worked).toHaveBeenCalledWith(1);
  } finally {
    await pool.stop();
  }
});
