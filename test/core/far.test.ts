import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/wasm/core.js';
import { LineError } from '../../src/wasm/tables/codes.js';
import {
  ask,
  checkpoint,
  load,
  metric,
  replay,
  seriesQuery,
  startCore,
  store,
  takeLog,
} from '../support/core-driver.js';

/** Bins that a series may reach from its first sample; see assembly/series/samples.ts. */
const FARTHEST = 2 ** 30;
const METRICS = new Map([['fast', metric(1, 'sum')]]);
const RANGE = { cluster: 'c', from: 0, to: 2 ** 40, withStats: true, withData: true, withPadding: false };

/** A series with two samples as far apart as they may be. */
function farApart(): Core {
  const core = startCore(METRICS);
  const first = 1_000_000_000;
  store(
    core,
    `fast,cluster=c,hostname=a value=1 ${first}\nfast,cluster=c,hostname=a value=2 ${first + FARTHEST - 1}\n`,
  );
  return core;
}

/** The core still works and has not taken much memory for what it could not do. */
function expectUnharmed(core: Core): void {
  store(core, `fast,cluster=c,hostname=b value=3 1700000000\n`);
  const [[answer] = []] = ask(core, RANGE, [seriesQuery({ metric: 'fast', host: 'b' })]);
  expect(answer?.data).toEqual([3]);
  expect(core.figures.linearMemory).toBeLessThan(512 << 20);
}

describe('samples far apart', () => {
  it('are kept up to a bound, beyond which lines are refused', () => {
    const core = farApart();
    const line = (time: number): Buffer => Buffer.from(`fast,cluster=c,hostname=a value=1 ${time}\n`);
    expect(core.writes.ingest(line(1_000_000_000 + FARTHEST + 5), '', 0, 0).refusals).toEqual([
      [1, LineError.TimestampTooFar],
    ]);
    expect(core.writes.ingest(line(99_999_999_999), '', 0, 0)).toMatchObject({ refused: 1 });
    const near = { ...RANGE, from: 1_000_000_000, to: 1_000_000_003 };
    expect(ask(core, near, [seriesQuery({ metric: 'fast', host: 'a' })])[0]?.[0]?.data).toEqual([1, null, null]);
    const far = { ...RANGE, from: 1_000_000_000 + FARTHEST - 3 };
    expect(ask(core, far, [seriesQuery({ metric: 'fast', host: 'a' })])[0]?.[0]?.data).toEqual([null, null, 2]);
  });

  it('are rolled up and resampled in bounds', () => {
    const core = startCore(METRICS);
    const far = 1_000_000_000 + 2 ** 24;
    for (const thread of [0, 1]) {
      const line = (time: number): string =>
        `fast,cluster=c,hostname=a,type=hwthread,type-id=${thread} value=1 ${time}\n`;
      store(core, line(1_000_000_000) + line(far));
    }
    const query = seriesQuery({ metric: 'fast', host: 'a' });
    expect(ask(core, RANGE, [query])[0]?.[0]?.error).toContain('range too long');
    expect(ask(core, { ...RANGE, to: far }, [{ ...query, resolution: 2 ** 20 }])[0]?.[0]?.data?.length).toBe(16);
    expect(ask(core, { ...RANGE, from: far - 5 }, [query])[0]?.[0]?.data).toEqual([null, null, null, null, null, 2]);
  });

  for (const withData of [true, false]) {
    it(`can be asked for all at once without harm, ${withData ? 'with' : 'without'} data`, () => {
      const core = farApart();
      const query = seriesQuery({ metric: 'fast', host: 'a' });
      const [[answer] = []] = ask(core, { ...RANGE, withData }, [query]);
      if (withData)
        expect(answer?.error).toBe('range too long: 1073741824 samples, at most 16777216 are answered at once');
      else expect(answer).toMatchObject({ avg: 1.5, min: 1, max: 2, to: 1_000_000_000 + FARTHEST });
      expectUnharmed(core);
    });
  }

  it('can be exported for a window, and not as a whole, without harm', () => {
    const core = farApart();
    expect(core.series.exportRun(0, 1_000_000_000, 1_000_000_002)?.values).toEqual(new Float64Array([1, Number.NaN]));
    expect(() => core.series.exportRun(0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toThrow('memory');
    expectUnharmed(core);
  });

  it('survive checkpoint and log', () => {
    const core = farApart();
    const log = takeLog(core);
    const loaded = startCore(METRICS);
    load(loaded, [checkpoint(core, true)]);
    const replayed = startCore(METRICS);
    replay(replayed, log);
    for (const copy of [loaded, replayed]) {
      copy.files.loadEnd();
      const far = { ...RANGE, from: 1_000_000_000 + FARTHEST - 3 };
      expect(ask(copy, far, [seriesQuery({ metric: 'fast', host: 'a' })])[0]?.[0]?.data).toEqual([null, null, 2]);
    }
  });

  it('in more blocks than 16 bits count survive a checkpoint', () => {
    const core = startCore(METRICS);
    const blocks = 70_000;
    let text = '';
    for (let i = 0; i < blocks; i++) text += `fast,cluster=c,hostname=a value=${i} ${1_000_000_000 + 600 * i}\n`;
    store(core, text);
    core.writes.logTaken();
    const loaded = startCore(METRICS);
    load(loaded, [checkpoint(core, true)]);
    loaded.files.loadEnd();
    loaded.figures.countBegin();
    for (let from = 0; from >= 0; ) from = loaded.figures.countStep(from, 100);
    expect(loaded.figures.counted.samples).toBe(blocks);
  });
});
