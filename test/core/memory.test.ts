import { instantiateSync } from '@assemblyscript/loader';
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import type { Core } from '../../src/wasm/core.js';
import type { Exports } from '../../src/wasm/exports.js';
import type { Counts } from '../../src/wasm/figures.js';
import { CheckpointContent } from '../../src/wasm/tables/codes.js';
import {
  ask,
  coreModule,
  dumpText,
  metric,
  seriesQuery,
  startCore,
  store,
  T0,
  takeLog,
} from '../support/core-driver.js';
import { seeded } from '../support/random.js';

const METRICS = new Map<string, MetricConfig>([
  ['load', metric(60)],
  ['flops', metric(60, 'sum')],
]);
const HOSTS = 20;
const THREADS = 8;

/** Writes bins [from, to) of all series, as collectors do: host by host, interval by interval. */
function fill(core: Core, from: number, to: number, random: () => number): void {
  for (let bin = from; bin < to; bin++) {
    let text = '';
    for (let host = 0; host < HOSTS; host++) {
      const time = T0 + bin * 60;
      text += `load,cluster=c,hostname=h${host},type=node value=${Math.floor(random() * 1e4) / 100} ${time}\n`;
      for (let i = 0; i < THREADS; i++) {
        text += `flops,cluster=c,hostname=h${host},type=hwthread,type-id=${i} value=${random() * 1e9} ${time}\n`;
      }
    }
    store(core, text);
    core.writes.logTaken();
  }
}

/** A retention pass: what ends before bin `to` is freed. */
function retain(core: Core, to: number): void {
  for (let next = 0; next >= 0; ) ({ next } = core.writes.retainStep(next, 64, T0 - 30 + to * 60));
  core.writes.retainEnd();
}

/** Bins of all open blocks, by the dump: an open block is the last span of its series. */
function openBins(core: Core): number {
  const lists = dumpText(core, []).matchAll(/"len":(\d+),"end":\d+\}\]/g);
  return [...lists].reduce((sum, [, length]) => sum + Number(length), 0);
}

function counted(core: Core): Counts {
  core.figures.countBegin();
  for (let from = 0; from >= 0; ) from = core.figures.countStep(from, 100);
  return core.figures.counted;
}

describe('memory', () => {
  it('is all given back when everything is freed', () => {
    const core = startCore(METRICS);
    const random = seeded(21);
    const range = { cluster: 'c', from: 0, to: T0 * 2, withStats: true, withData: true, withPadding: true };
    const cycle = (): object => {
      fill(core, 0, 700, random);
      // Late samples, answers and checkpoints need memory as well.
      for (let bin = 10; bin < 700; bin += 97) fill(core, bin, bin + 2, random);
      ask(core, { ...range, from: T0 - 1e6 }, [seriesQuery({ metric: 'flops', host: 'h1' })]);
      for (let cursor = 0; cursor >= 0; )
        ({ next: cursor } = core.files.checkpointStep(cursor, 1 << 16, CheckpointContent.Full));
      expect(core.writes.free(['c'], T0 * 2)).toBeGreaterThan(HOSTS * (THREADS + 1));
      takeLog(core);
      // The numbers of series that are gone wait for that.
      core.writes.logStartSegment();
      expect(core.figures.memory).toMatchObject({ openBlocks: 0, sealedBlocks: 0, rollups: 0 });
      return core.figures.memory;
    };
    const first = cycle();
    for (let i = 0; i < 4; i++) expect(cycle()).toEqual(first);
    expect(core.figures).toMatchObject({ series: 0, hosts: 0 });
  });

  it('is used again: ten retentions take no more than two', () => {
    const core = startCore(METRICS);
    const random = seeded(22);
    const retention = 600;
    let size = 0;
    let most = 0;
    for (let half = 0; half < 20; half++) {
      fill(core, (half * retention) / 2, ((half + 1) * retention) / 2, random);
      retain(core, ((half + 1) * retention) / 2 - retention);
      if (half < 4) {
        size = core.figures.linearMemory;
        most = Math.max(most, core.figures.memory.total);
      }
      // Blocks end at other times in each retention, and whole ones are freed.
      expect(core.figures.memory.total).toBeLessThan(most * 1.25);
    }
    expect(core.figures.linearMemory).toBe(size);
    // Half a retention older than the retention may be left, and a block.
    expect(core.figures.oldestTime()).toBeGreaterThan(T0 + 60 * (9 * retention - 600));
  });

  it('is counted to the byte', () => {
    const core = startCore(METRICS);
    const random = seeded(23);
    for (let round = 0; round < 5; round++) {
      fill(core, round * 333, (round + 1) * 333, random);
      const { index, openBlocks, sealedBlocks, scratch, rollups, total } = core.figures.memory;
      expect(index + openBlocks + sealedBlocks + scratch + rollups).toBe(total);
      expect(total).toBeLessThan(core.figures.linearMemory);
      const counts = counted(core);
      expect(counts.samples).toBe(HOSTS * (THREADS + 1) * (round + 1) * 333);
      expect(counts.series).toBe(core.figures.series);
      expect(counts.bytes - 8 * openBins(core)).toBe(sealedBlocks);
      expect(openBlocks).toBeGreaterThan(8 * openBins(core));
    }
  });

  it('does not grow with tags that change with every line', () => {
    const core = startCore(METRICS);
    const write = (from: number, to: number): void => {
      for (let i = from; i < to; i += 100) {
        const lines = Array.from({ length: 100 }, (_, k) => {
          const host = k % 10;
          return `load,cluster=c,hostname=h${host},job=${i + k},user=u${k} value=1 ${T0 + 60 * (k % 7)}\n`;
        });
        store(core, lines.join(''));
        core.writes.logTaken();
      }
    };
    write(0, 10_000);
    const { total } = core.figures.memory;
    const size = core.figures.linearMemory;
    write(10_000, 200_000);
    // Only the numbers in the tags have become longer.
    expect(core.figures.memory.total).toBeLessThan(total + 10_000);
    expect(core.figures.linearMemory).toBe(size);
  });

  it('does not grow with metrics that the config does not name, nor with lines that are refused', () => {
    const core = startCore(METRICS);
    const random = seeded(24);
    const name = (): string => Math.floor(random() * 2 ** 52).toString(36);
    const write = (lines: number): void => {
      for (let i = 0; i < lines; i += 200) {
        const texts = Array.from({ length: 100 }, () =>
          [
            `${name()},cluster=c,hostname=${name()},type=node value=1 ${T0}`,
            `load,cluster=c,hostname=${name()} value=x ${T0}`,
          ].join('\n'),
        );
        const { stored } = core.writes.ingest(Buffer.from(texts.join('\n')), name(), 0, T0);
        expect(stored).toBe(0);
      }
    };
    write(60_000);
    const { total } = core.figures.memory;
    const size = core.figures.linearMemory;
    write(200_000);
    expect(core.figures.memory.total).toBeLessThan(total * 1.05);
    expect(core.figures.linearMemory).toBe(size);
    expect(total).toBeLessThan(4 << 20);
    expect(core.figures).toMatchObject({ series: 0, hosts: 0 });
  });

  it('does not grow with what lines too long to be true bring along', () => {
    const core = startCore(METRICS);
    const long = 'x'.repeat(100_000);
    const texts = [
      `load,cluster=c,hostname=${long} value=1 ${T0}`,
      `load,cluster=c,hostname=a,type=${long},type-id=1 value=1 ${T0}`,
      `load,cluster=c,hostname=a,type=t,type-id=${long} value=1 ${T0}`,
      `${long},cluster=c,hostname=a value=1 ${T0}`,
      `load,${long} value=1 ${T0}`,
      `load,cluster=c,hostname=a value=${'9'.repeat(100_000)} ${T0}`,
      `load,cluster=c,hostname=a ${long}=1 ${T0}`,
    ];
    const batch = core.writes.ingest(Buffer.from(texts.join('\n')), '', 0, T0);
    expect(batch).toMatchObject({ stored: 0, skipped: 1, refused: 6 });
    // A tag that is not ours may be as long as it likes, and digits as many.
    store(core, `load,cluster=c,hostname=a,job=${long} value=1.${'0'.repeat(100_000)}1 ${T0}\n`);
    core.writes.releaseStaging();
    core.writes.logTaken();
    expect(core.figures.memory.index).toBeLessThan(100_000);
  });

  it('sets little aside at first, and 64 MiB once it is large, which samples that are expected do not take', () => {
    const { exports: x } = instantiateSync<Exports>(coreModule(), { env: { abort: () => {} } });
    const bytes = (): number => x.memory.buffer.byteLength;
    x.bufferFree(x.bufferAlloc(1000));
    expect(x.memoryReserved()).toBeCloseTo(512 << 10, -2);
    expect(bytes()).toBeLessThan(8 << 20);
    x.expectSamples(100 << 20);
    const size = bytes();
    expect(size).toBeGreaterThan(100 << 20);
    expect(size).toBeLessThan(110 << 20);
    x.expectSamples(100 << 20);
    expect(bytes()).toBe(size);
    x.bufferFree(x.bufferAlloc(1000));
    expect(x.memoryReserved()).toBeCloseTo(64 << 20, -2);
    const buffers = Array.from({ length: 30 }, () => x.bufferAlloc(1 << 20));
    expect(buffers.every((p) => p)).toBe(true);
    expect(bytes()).toBe(size);
    for (const p of buffers) x.bufferFree(p);
  });
});
