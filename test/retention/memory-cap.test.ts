import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { Ages } from '../../src/partition/age-histogram.js';
import { type CappedStore, enforceMemoryCap, startMemoryCap } from '../../src/retention/memory-cap.js';
import { Core } from '../../src/wasm/core.js';
import { configWith } from '../support/config.js';
import { ask, seriesQuery } from '../support/core-driver.js';
import { KeptLog } from '../support/kept-log.js';
import { seeded } from '../support/random.js';
import { smallCore } from '../support/small-core.js';

const NOW = 1_700_000_000;
const HOUR = 3600;
const MB = 1 << 20;

interface Block {
  from: number;
  to: number;
  bytes: number;
  partition?: number;
}

/** Blocks as plain objects. `onRetain` is called before each pass, as writers would go on meanwhile. */
class BlockStore implements CappedStore {
  readonly state = 'ready';
  passes = 0;
  constructor(
    public blocks: Block[],
    readonly partitions = 1,
    readonly onRetain = (_store: BlockStore): void => {},
  ) {}

  async memoryByPartition(): Promise<number[]> {
    const used = Array.from({ length: this.partitions }, () => 0);
    for (const { bytes, partition = 0 } of this.blocks) used[partition] = (used[partition] ?? 0) + bytes;
    return used;
  }

  async timeToFree(bytes: number, bytesOf: number[]): Promise<number | undefined> {
    const sorted = [...this.blocks].sort((a, b) => a.to - b.to);
    const timeFor = (blocks: Block[], wanted: number): number | undefined => {
      if (wanted <= 0) return undefined;
      let held = 0;
      const enough = blocks.find(({ bytes }) => {
        held += bytes;
        return held >= wanted;
      });
      return (enough ?? blocks.at(-1))?.to;
    };
    const times = bytesOf.map((wanted, i) =>
      timeFor(
        sorted.filter(({ partition = 0 }) => partition === i),
        wanted,
      ),
    );
    const known = [...times, timeFor(sorted, bytes)].filter((time) => time !== undefined);
    return known.length ? Math.max(...known) : undefined;
  }

  async oldestTime(): Promise<number | undefined> {
    return this.blocks.length ? Math.min(...this.blocks.map(({ from }) => from)) : undefined;
  }

  async retain(to: number): Promise<number> {
    if (++this.passes > 1000) throw new Error('it does not end');
    this.onRetain(this);
    const kept = this.blocks.filter((block) => block.to > to);
    const freed = this.blocks.length - kept.length;
    this.blocks = kept;
    return freed;
  }
}

/** 48 blocks of one hour each that end now, 1 MB each. */
const twoDays = (): Block[] =>
  Array.from({ length: 48 }, (_, i) => ({ from: NOW - (48 - i) * HOUR, to: NOW - (47 - i) * HOUR, bytes: MB }));

const enforce = (store: CappedStore, cap: number, log = new KeptLog(), partitionLimit = 1e12): Promise<number> =>
  enforceMemoryCap(store, cap, log, { partitionLimit, now: () => NOW });

describe('enforceMemoryCap', () => {
  it('leaves a store below its cap alone', async () => {
    const store = new BlockStore(twoDays());
    const log = new KeptLog();
    expect(await enforce(store, 48 * MB, log)).toBe(0);
    expect([store.passes, log.lines]).toEqual([0, []]);
  });

  it('frees the oldest blocks, few more than it must, and says how much and from which time', async () => {
    const store = new BlockStore(twoDays());
    const log = new KeptLog();
    expect(await enforce(store, 40 * MB, log)).toBe(10);
    expect(store.blocks[0]?.from).toBe(NOW - 38 * HOUR);
    expect(log.lines).toEqual([
      `warn memory-cap of ${40 * MB} bytes passed (${48 * MB} in use): 10 blocks (${10 * MB} bytes) ` +
        'from 2023-11-12T22:13:20.000Z to 2023-11-13T08:13:20.000Z were freed; ' +
        `${38 * MB} bytes are in use, what is left begins at 2023-11-13T08:13:20.000Z`,
    ]);
  });

  it.each([
    [
      'says that it spares no job where retention would',
      { backendUrl: 'http://backend' },
      /were freed, running jobs not spared; /,
    ],
    ['does not where retention spares none either', {}, /were freed; /],
  ])('%s, when it looks by the clock', async (_what, main, said) => {
    vi.useFakeTimers({ now: NOW * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const log = new KeptLog();
    const freed: number[] = [];
    const config = configWith({ memoryCapBytes: 40 * MB }, main);
    const cap = startMemoryCap(new BlockStore(twoDays()), config, log, (blocks) => freed.push(blocks));
    await vi.advanceTimersByTimeAsync(6000);
    await cap.stop();
    expect(freed).toEqual([10]);
    expect(log.lines).toEqual([expect.stringMatching(said)]);
  });

  it.each([
    ['1999', -25 * 365 * 24 * HOUR],
    ['1970', -NOW],
    ['2036', 12 * 365 * 24 * HOUR],
    ['no date at all', 9e12],
  ])('frees no more because a clock says %s', async (_year, seconds) => {
    const wrong = { from: NOW + seconds - 60, to: NOW + seconds, bytes: 100 };
    const store = new BlockStore([...twoDays(), wrong]);
    expect(await enforce(store, 40 * MB)).toBe(seconds < 0 ? 11 : 10);
    expect(store.blocks.length).toBe(seconds < 0 ? 38 : 39);
    expect(store.passes).toBe(2);
  });

  it('frees single long blocks', async () => {
    const store = new BlockStore(
      [2, 1].map((days) => ({ from: NOW - days * 24 * HOUR, to: NOW - (days - 1) * 24 * HOUR, bytes: MB })),
    );
    expect(await enforce(store, 1.1 * MB)).toBe(1);
    expect(store.blocks.map(({ to }) => to)).toEqual([NOW]);
  });

  it('frees blocks that are still being filled, and samples of clocks that are ahead, if nothing else helps', async () => {
    const store = new BlockStore([
      { from: NOW - 60, to: NOW + 60, bytes: MB },
      { from: NOW + 900 * 24 * HOUR, to: NOW + 901 * 24 * HOUR, bytes: MB },
      { from: 9e12, to: 9e12 + 60, bytes: MB },
    ]);
    expect(await enforce(store, 1.1 * MB)).toBe(2);
    expect(await enforce(store, 0)).toBe(1);
    expect(store.passes).toBeLessThan(10);
  });

  it('ends when writers fill up faster than it frees', async () => {
    const store = new BlockStore(twoDays(), 1, (filling) => {
      filling.blocks.push({ from: NOW - 60, to: NOW, bytes: 100 * MB });
    });
    await enforce(store, MB);
    expect(store.passes).toBeLessThan(10);
  });

  it('warns once when there is nothing to free', async () => {
    const store = new BlockStore([]);
    store.memoryByPartition = async () => [2 * MB];
    const log = new KeptLog();
    expect(await enforce(store, MB, log)).toBe(0);
    expect(log.lines).toEqual([expect.stringContaining('0 blocks (0 bytes) were freed;')]);
  });

  it('frees when one partition fills up although the whole is below the cap', async () => {
    const blocks = twoDays().map((block, i) => ({ ...block, partition: i % 4 ? 0 : 1 }));
    const store = new BlockStore(blocks, 2);
    const log = new KeptLog();
    expect(await enforce(store, 100 * MB, log, 30 * MB)).toBeGreaterThan(0);
    expect((await store.memoryByPartition())[0]).toBeLessThanOrEqual(30 * MB);
    expect(log.lines[0]).toContain(`a partition has passed ${30 * MB} bytes of its 4 GiB`);
  });

  it('passes the failure of the store on', async () => {
    const store = new BlockStore(twoDays());
    store.retain = () => Promise.reject(new Error('a worker died'));
    await expect(enforce(store, MB)).rejects.toThrow('a worker died');
  });
});

/** One core as a store; it keeps no log. */
class CoreStore implements CappedStore {
  readonly state = 'ready';
  readonly core: Core;
  constructor(path: string) {
    const metric: MetricConfig = { frequency: 10, aggregation: 'sum', precision: 'double' };
    const metrics = new Map(Array.from({ length: 20 }, (_, i) => [`m${i}`, metric] as const));
    this.core = new Core(new WebAssembly.Module(readFileSync(path)), metrics, 0, 1);
  }

  async memoryByPartition(): Promise<number[]> {
    return [this.core.figures.memory.total];
  }

  async timeToFree(bytes: number, _bytesOf: number[], now: number): Promise<number | undefined> {
    this.core.figures.ageBegin(now);
    let from = 0;
    while (from >= 0) from = this.core.figures.ageStep(from, 7);
    return new Ages(now, [this.core.figures.ages]).timeFor(bytes);
  }

  async oldestTime(): Promise<number | undefined> {
    return this.core.figures.oldestTime();
  }

  async retain(to: number): Promise<number> {
    const { freed, next } = this.core.writes.retainStep(0, 1 << 20, to);
    expect(next).toBe(-1);
    this.core.writes.retainEnd();
    return freed;
  }

  /** One sample of each metric of a host. */
  write(host: string, time: number, random: () => number): void {
    const lines = Array.from({ length: 20 }, (_, i) => `m${i},cluster=c,hostname=${host} value=${random()} ${time}\n`);
    const batch = this.core.writes.ingest(new TextEncoder().encode(lines.join('')), '', 0, time);
    expect(batch).toMatchObject({ stored: 20, refused: 0, outOfMemory: false });
  }
}

describe('a core under a memory cap', () => {
  const PAGES = 112;
  const path = smallCore(PAGES);

  it('takes many times what fits, keeps the newest, and reuses the memory', async () => {
    const store = new CoreStore(path);
    const random = seeded(5);
    const log = new KeptLog();
    const cap = 3 * MB;
    // Written once, long ago: only an open block, which must go all the same.
    store.write('old', NOW - 10, random);
    let time = NOW;
    let linear = 0;
    let freed = 0;
    for (let step = 0; step < 5000; step++, time += 10) {
      for (let host = 0; host < 10; host++) store.write(`h${host}`, time, random);
      if (step % 100) continue;
      freed += await enforceMemoryCap(store, cap, log, { partitionLimit: 1e12, now: () => time });
      expect(store.core.figures.memory.total).toBeLessThanOrEqual(cap);
      if (step === 2500) linear = store.core.figures.linearMemory;
    }
    expect(freed).toBeGreaterThan(800);
    expect(log.lines.length).toBeGreaterThan(3);
    expect(linear).toBeGreaterThan(cap);
    expect(store.core.figures.linearMemory).toBe(linear);
    expect(store.core.figures.hosts).toBe(10);
    expect(store.core.reads.dumpBegin(['c', 'old'])).toBe(false);
    // What is left is the newest without holes.
    const last = store.core.series.exportRun(store.core.series.end - 1, 0, Number.MAX_SAFE_INTEGER);
    expect(last?.values.length).toBeGreaterThan(500);
    expect(last?.values.includes(Number.NaN)).toBe(false);
    expect((last?.start ?? 0) + ((last?.values.length ?? 0) - 1) * 10).toBe(time - 10);
  });

  it('frees as much as it must and hardly more, although one sample is of 1999', async () => {
    const store = new CoreStore(path);
    const random = seeded(7);
    const log = new KeptLog();
    let time = NOW;
    for (; store.core.figures.memory.total < 4 * MB; time += 10)
      for (let host = 0; host < 10; host++) store.write(`h${host}`, time, random);
    store.write('1999', 946_684_800, random);
    store.write('2036', 2_082_758_400, random);
    const before = store.core.figures.memory.total;
    const cap = before - (before >> 4);
    await enforceMemoryCap(store, cap, log, { partitionLimit: 1e12, now: () => time });
    const { total } = store.core.figures.memory;
    expect(total).toBeLessThanOrEqual(cap);
    // What is left of the cap for the next minutes, and the end of one block of each series.
    expect(total).toBeGreaterThan(0.85 * cap);
    expect(store.core.reads.dumpBegin(['c', '1999'])).toBe(false);
    expect(store.core.reads.dumpBegin(['c', '2036'])).toBe(true);
    expect(store.core.figures.hosts).toBe(11);
  });

  it('gives kept roll-ups back before it frees a sample', async () => {
    const store = new CoreStore(path);
    const lines = Array.from({ length: 300 * 8 }, (_, i) => {
      const thread = i % 8;
      return `m1,cluster=c,hostname=h,type=hwthread,type-id=${thread} value=${i % 97} ${NOW + 10 * Math.floor(i / 8)}\n`;
    });
    store.core.writes.ingest(new TextEncoder().encode(lines.join('')), '', 0, NOW);
    const range = { cluster: 'c', from: NOW, to: NOW + 3000, withStats: true, withData: true, withPadding: false };
    const query = seriesQuery({ metric: 'm1', host: 'h' });
    ask(store.core, range, [query]);
    const { rollups, total } = store.core.figures.memory;
    expect(rollups).toBeGreaterThan(1000);
    const log = new KeptLog();
    expect(await enforceMemoryCap(store, total - rollups, log, { partitionLimit: 1e12, now: () => NOW + 3000 })).toBe(
      0,
    );
    expect(log.lines).toEqual([]);
    expect(store.core.figures.memory).toMatchObject({ rollups: 0, total: total - rollups });
    expect(ask(store.core, range, [query])[0]?.[0]?.data?.length).toBe(300);
  });

  it('refuses samples when linear memory is full, loses none of those it has, and goes on once some is freed', async () => {
    const store = new CoreStore(path);
    const random = seeded(6);
    let time = NOW;
    const fill = (): boolean => {
      const text = Array.from(
        { length: 400 },
        (_, i) => `m${i % 20},cluster=c,hostname=h${i % 97} value=${random()} ${time}\n`,
      );
      return store.core.writes.ingest(new TextEncoder().encode(text.join('')), '', 0, time).outOfMemory;
    };
    while (!fill()) time += 10;
    // All of it but the reserve, which only scratch may have.
    expect(store.core.figures.linearMemory).toBeGreaterThan((PAGES << 16) - (1 << 20));
    expect(time - NOW).toBeGreaterThan(100 * 10);
    expect(
      await enforceMemoryCap(store, 4 * MB, new KeptLog(), { partitionLimit: 1e12, now: () => time }),
    ).toBeGreaterThan(0);
    const kept = store.core.series.exportRun(0, 0, Number.MAX_SAFE_INTEGER);
    expect(kept?.values.length).toBeGreaterThan(100);
    expect((kept?.start ?? 0) + (kept?.values.length ?? 0) * 10).toBeGreaterThanOrEqual(time);
    for (let i = 0; i < 100; i++, time += 10) expect(fill()).toBe(false);
  });
});
