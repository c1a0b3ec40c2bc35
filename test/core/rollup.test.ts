import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SeriesQuery } from '../../src/store/store.js';
import { Core } from '../../src/wasm/core.js';
import {
  askText,
  checkpoint,
  load,
  metric,
  replay,
  seriesQuery,
  startCore,
  store,
  T0,
  takeLog,
} from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { smallCore } from '../support/small-core.js';

const METRICS = new Map([
  ['flops', metric(60, 'sum')],
  ['clock', metric(60, 'avg')],
]);
const THREADS = 8;
const RANGE = { cluster: 'c', from: T0 - 3600, to: T0 + 1e6, withStats: true, withData: true, withPadding: true };
const QUERIES = [...METRICS.keys()].map((name) => seriesQuery({ metric: name, host: 'h' }));

const sample = (name: string, thread: number, bin: number, value: number): string =>
  `${name},cluster=c,hostname=h,type=hwthread,type-id=${thread} value=${value} ${T0 + 60 * bin}\n`;

/** Writes bins [from, to) of all threads. The values differ so much in size that the order of adding shows. */
function fill(core: Core, from: number, to: number, { threads = THREADS, seed = 1 } = {}): void {
  const random = seeded(seed + from);
  let text = '';
  for (let bin = from; bin < to; bin++) {
    for (let thread = 0; thread < threads; thread++) {
      for (const name of METRICS.keys()) text += sample(name, thread, bin, random() * 10 ** (3 * (thread % 5)));
    }
  }
  store(core, text);
  core.writes.logTaken();
}

/** A core whose roll-ups have been asked for. */
function warmCore(bins = 700): Core {
  const core = startCore(METRICS);
  fill(core, 0, bins);
  expect(core.figures.memory.rollups).toBe(0);
  askText(core, RANGE, QUERIES);
  expect(core.figures.memory.rollups).toBeGreaterThan(2 * 8 * 500);
  return core;
}

/** The answer, which must be the one that nothing kept leads to. */
function answer(core: Core, queries: SeriesQuery[] = QUERIES, range = RANGE): string {
  const kept = core.figures.memory.rollups;
  expect(kept).toBeGreaterThan(0);
  const text = askText(core, range, queries);
  core.writes.retainEnd();
  expect(core.figures.memory.rollups).toBe(0);
  expect(text).toBe(askText(core, range, queries));
  return text;
}

/** What happens to a core between two answers must show in the second. */
function changes(core: Core, change: () => void): void {
  const before = askText(core, RANGE, QUERIES);
  change();
  expect(answer(core)).not.toBe(before);
}

describe('a kept roll-up', () => {
  it('gives the same answer, and does not grow by being asked again', () => {
    const core = warmCore();
    const { rollups } = core.figures.memory;
    const first = askText(core, RANGE, QUERIES);
    expect(askText(core, RANGE, QUERIES)).toBe(first);
    expect(core.figures.memory.rollups).toBe(rollups);
    expect(answer(core)).toBe(first);
  });

  it('serves any range, whichever was asked first', () => {
    for (const [a, b] of [
      [200, 400],
      [0, 100],
      [300, 690],
    ]) {
      const core = startCore(METRICS);
      fill(core, 0, 700);
      const range = (from = 0, to = 0): typeof RANGE => ({ ...RANGE, from: T0 + from * 60 + 17, to: T0 + to * 60 });
      askText(core, range(a, b), QUERIES);
      for (const [from, to] of [
        [100, 300],
        [350, 500],
        [0, 690],
        [400, 600],
        [150, 250],
        [0, 64],
      ]) {
        const text = askText(core, range(from, to), QUERIES);
        const fresh = startCore(METRICS);
        fill(fresh, 0, 700);
        expect(text).toBe(askText(fresh, range(from, to), QUERIES));
      }
    }
  });

  it('grows with time', () => {
    const core = warmCore();
    const { rollups } = core.figures.memory;
    for (let bin = 700; bin < 1500; bin += 7) {
      fill(core, bin, bin + 7);
      askText(core, RANGE, QUERIES);
    }
    expect(core.figures.memory.rollups).toBeGreaterThan(rollups + 2 * 8 * 600);
    answer(core);
  });

  it('is not made of a few series, few bins, or bins with other limits', () => {
    const few = startCore(METRICS);
    fill(few, 0, 700, { threads: 3 });
    askText(few, RANGE, QUERIES);
    askText(few, { ...RANGE, to: T0 + 60 * 30 }, QUERIES);
    expect(few.figures.memory.rollups).toBe(0);
    const shifted = startCore(METRICS);
    fill(shifted, 0, 700);
    let text = '';
    for (let bin = 0; bin < 700; bin++) {
      text += `flops,cluster=c,hostname=h,type=hwthread,type-id=99 value=${bin} ${T0 + 60 * bin + 13}\n`;
    }
    store(shifted, text);
    for (const from of [RANGE.from, T0 + 6000]) {
      askText(shifted, { ...RANGE, from }, [seriesQuery({ metric: 'flops', host: 'h' })]);
    }
    expect(shifted.figures.memory.rollups).toBe(0);
  });

  it('is of the series that were named, in their order', () => {
    const core = startCore(METRICS);
    fill(core, 0, 700);
    const group = (...typeIds: string[]): SeriesQuery =>
      seriesQuery({ metric: 'flops', host: 'h', type: 'hwthread', typeIds, aggregate: true });
    const queries = [group('0', '1', '2', '3'), group('4', '2', '3', '1'), group('1', '2', '3', '4', '5')];
    askText(core, RANGE, queries);
    expect(JSON.parse(answer(core, queries)).length).toBe(3);
  });

  it('is not asked for what comes after it: scale, resolution, statistics', () => {
    const core = warmCore(2500);
    const variants = QUERIES.flatMap((query) => [
      { ...query, scaleBy: -2.5 },
      { ...query, resolution: 600 },
      { ...query, resolution: 120, scaleBy: 1e-3 },
    ]);
    answer(core, variants);
    askText(core, RANGE, QUERIES);
    answer(core, variants, { ...RANGE, withData: false });
  });
});

describe('a kept roll-up ends', () => {
  it('with a sample for a sealed bin', () => {
    const core = warmCore();
    changes(core, () => store(core, sample('flops', 3, 300, 1e9)));
    askText(core, RANGE, QUERIES);
    // The block is loose now.
    changes(core, () => store(core, sample('flops', 3, 301, 1e9)));
  });

  it('with a sample for a bin that is not one of the newest, open or sealed', () => {
    const core = warmCore();
    for (let late = 1; late < 200; late++) {
      changes(core, () => store(core, sample('flops', 5, 700 - late, 1e9 * late)));
    }
  });

  it('with a sample for a bin that was missing', () => {
    const core = startCore(METRICS);
    fill(core, 0, 300);
    fill(core, 400, 700);
    askText(core, RANGE, QUERIES);
    changes(core, () => fill(core, 350, 351));
    askText(core, RANGE, QUERIES);
    changes(core, () => fill(core, -5, -4));
  });

  it('with a series that comes later', () => {
    const core = warmCore();
    changes(core, () => store(core, sample('clock', 50, 700, 5)));
  });

  it('with blocks that are freed, also while the pass goes on', () => {
    const core = warmCore();
    changes(core, () => {
      for (let i = 0; i < 5; i++) core.writes.retainStep(i, 1, T0 + 60 * 600);
    });
  });

  it('with a series that is freed, when another takes its place in memory', () => {
    const core = warmCore();
    changes(core, () => {
      core.writes.retainStep(0, core.series.end, T0 + 1e9);
      expect(core.figures.series).toBe(0);
      fill(core, 0, 700, { seed: 99 });
    });
  });

  it('with the last series, when it is freed and made anew in the same place', () => {
    const core = startCore(METRICS);
    const bins = (thread: number, value: number): string =>
      Array.from({ length: 200 }, (_, bin) => sample('flops', thread, bin, bin * value)).join('');
    for (let thread = 0; thread < 4; thread++) store(core, bins(thread, 1));
    // Each other series fills a hole in memory, until the one that the last series leaves is the best for its successor.
    for (let others = 1; others < 300; others++) {
      store(core, `flops,cluster=c,hostname=o,type=hwthread,type-id=${others} value=1 ${T0}\n`);
      changes(core, () => {
        core.writes.retainStep(3, 1, T0 + 1e9);
        // Its number is free again.
        core.writes.logStartSegment();
        store(core, bins(3, others + 1));
        core.writes.logTaken();
      });
    }
  });

  it('with blocks that are read from a file, whether the last of them is still open or full', () => {
    const other = startCore(METRICS);
    // The same series in the same order seal at the same lengths, so blocks take the place of blocks.
    fill(other, 0, 1);
    for (const [from, n] of [
      [0, 6],
      [7, 9],
    ] as const) {
      other.writes.retainStep(from, n, T0 + 1e9);
    }
    expect(other.figures.series).toBe(1);
    let files = 0;
    for (let bin = 1; bin < 700; bin++) {
      const file = bin < 300 ? undefined : checkpoint(other, true);
      const { sealedBlocks } = other.figures.memory;
      store(other, sample('flops', 3, bin, bin + 0.5));
      if (!file || other.figures.memory.sealedBlocks === sealedBlocks) continue;
      for (const read of [file, checkpoint(other, true)]) {
        const core = warmCore();
        changes(core, () => load(core, [read]));
        files++;
      }
    }
    expect(files).toBeGreaterThan(4);
  });

  it('with the log of another time', () => {
    const other = startCore(METRICS);
    store(other, sample('clock', 2, 100, 12345));
    const segment = takeLog(other);
    const core = warmCore();
    changes(core, () => replay(core, segment));
  });

  it('with a run that is imported', () => {
    const core = warmCore();
    changes(core, () =>
      core.series.importRun(['c', 'h', 'hwthread1'], 'flops', T0 + 6000, 60, new Float64Array([1, 2, 3]), 0),
    );
  });

  it('with `free`', () => {
    const core = warmCore();
    core.writes.free(['c', 'h'], T0 + 60 * 300);
    expect(core.figures.memory.rollups).toBe(0);
  });

  it('not with samples that arrive in order, nor when blocks are sealed or merged, nor with a checkpoint', () => {
    const core = warmCore();
    const { rollups } = core.figures.memory;
    fill(core, 700, 1000);
    checkpoint(core, true);
    expect(core.figures.memory.rollups).toBe(rollups);
    // One roll-up a metric, as before: what was kept has grown, it was not made anew beside it.
    askText(core, RANGE, QUERIES);
    expect(core.figures.memory.rollups).toBeLessThan(rollups + 2 * 8 * (300 + 128));
    answer(core);
  });
});

describe('memory of kept roll-ups', () => {
  it('stays within its budget: those that were not asked for go', () => {
    const core = startCore(METRICS);
    const bins = 60_000;
    const hosts = 30;
    const values = new Float64Array(100_000).fill(3);
    const lengthOf = (host: number): number => (host === 0 ? values.length : bins);
    for (let host = 0; host < hosts; host++) {
      for (let i = 0; i < 4; i++) {
        core.series.importRun(
          ['c', `h${host}`, `hwthread${i}`],
          'flops',
          T0,
          60,
          values.subarray(0, lengthOf(host)),
          0,
        );
      }
    }
    const askFor = (host: number, length = lengthOf(host)): void => {
      const range = { ...RANGE, to: T0 + 60 * length, withData: false };
      askText(core, range, [seriesQuery({ metric: 'flops', host: `h${host}` })]);
      expect(core.figures.memory.rollups).toBeLessThanOrEqual(8 << 20);
    };
    askFor(0);
    for (let host = 1; host < hosts; host++) {
      askFor(host);
      // Were it not kept all the time, this would make a small one of it.
      askFor(0, 100);
    }
    // One of 800 kB and 15 of 480 kB.
    expect(Math.abs(core.figures.memory.rollups - 8 * (values.length + 15 * bins))).toBeLessThan(16 * 1500);
  });

  it('never keeps a sample out', () => {
    const path = smallCore(48);
    /** Stores bins until one is refused; before bin `asked`, queries come in between. @returns bins stored. */
    const fillUp = (asked: number): number => {
      const core = new Core(new WebAssembly.Module(readFileSync(path)), METRICS, 0, 1);
      const random = seeded(11);
      let most = 0;
      for (let bin = 0; ; bin++) {
        let text = '';
        for (let i = 0; i < 160; i++) {
          const host = Math.floor(i / 4);
          text += `flops,cluster=c,hostname=h${host},type=hwthread,type-id=${i % 4} value=${random()} ${T0 + 60 * bin}\n`;
        }
        if (core.writes.ingest(Buffer.from(text), '', 0, T0).outOfMemory) {
          expect(core.figures.memory.rollups).toBe(0);
          expect(most > 100_000).toBe(asked > 0);
          return bin;
        }
        core.writes.logTaken();
        if (bin >= asked || bin % 50) continue;
        for (let host = 0; host < 40; host++) {
          askText(core, { ...RANGE, withData: false }, [seriesQuery({ metric: 'flops', host: `h${host}` })]);
        }
        most = Math.max(most, core.figures.memory.rollups);
      }
    };
    const without = fillUp(0);
    expect(without).toBeGreaterThan(500);
    // Holes that roll-ups leave are filled with what fits into them.
    expect(fillUp(0.95 * without)).toBeGreaterThan(0.97 * without);
  });
});
