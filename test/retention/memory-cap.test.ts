import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { type CapOptions, type CappedStore, enforceMemoryCap } from '../../src/retention/memory-cap.js';
import { Core } from '../../src/wasm/instance.js';
import { randomNumbers } from '../assembly/compile.js';
import { ask, seriesQuery } from '../support/core-driver.js';
import { keptLog } from './fixtures.js';
import { smallCore } from './small-core.js';

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

const enforce = (
  store: CappedStore,
  cap: number,
  log = keptLog(),
  partitionLimit = 1e12,
  more: CapOptions = {},
): Promise<number> => enforceMemoryCap(store, cap, log, { partitionLimit, now: () => NOW, ...more });

describe('enforceMemoryCap', () => {
  it('leaves a store below its cap alone', async () => {
    const store = new BlockStore(twoDays());
    const log = keptLog();
    expect(await enforce(store, 48 * MB, log)).toBe(0);
    expect([store.passes, log.lines]).toEqual([0, []]);
  });

  it('frees the oldest blocks, few more than it must, and says how much and from which time', async () => {
    const store = new BlockStore(twoDays());
    const log = keptLog();
    expect(await enforce(store, 40 * MB, log)).toBe(9);
    expect(store.blocks[0]?.from).toBe(NOW - 39 * HOUR);
    expect(log.lines).toEqual([
      `warn memory-cap of ${40 * MB} bytes passed (${48 * MB} in use): 9 blocks (${9 * MB} bytes) from 2023-11-12T22:13:20.000Z on ` +
        `were freed; ${39 * MB} bytes are in use, what is left begins at 2023-11-13T07:13:20.000Z`,
    ]);
  });

  it('says that it spares no job where retention would', async () => {
    const log = keptLog();
    await enforce(new BlockStore(twoDays()), 40 * MB, log, 1e12, { hasBackend: true });
    expect(log.lines).toEqual([expect.stringContaining('were freed, running jobs not spared; ')]);
  });

  it('ends when blocks are longer than its steps', async () => {
    // A day each: no step of an hour and a half ever reaches the end of the first.
    const store = new BlockStore(
      [2, 1].map((days) => ({ from: NOW - days * 24 * HOUR, to: NOW - (days - 1) * 24 * HOUR, bytes: MB })),
    );
    expect(await enforce(store, MB)).toBe(1);
    expect(store.blocks.map(({ to }) => to)).toEqual([NOW]);
    expect(store.passes).toBeLessThan(16);
  });

  it('frees blocks that are still being filled, and samples of clocks that are ahead, if nothing else helps', async () => {
    const store = new BlockStore([
      { from: NOW - 60, to: NOW + 60, bytes: MB },
      { from: NOW + 900 * 24 * HOUR, to: NOW + 901 * 24 * HOUR, bytes: MB },
      { from: 9e12, to: 9e12 + 60, bytes: MB },
    ]);
    expect(await enforce(store, MB)).toBe(2);
    expect(await enforce(store, 0)).toBe(1);
    expect(store.passes).toBeLessThan(120);
  });

  it('ends when writers fill up faster than it frees', async () => {
    const store = new BlockStore(twoDays(), 1, (filling) => {
      filling.blocks.push({ from: NOW - 60, to: NOW, bytes: 100 * MB });
    });
    await enforce(store, MB);
    expect(store.passes).toBeLessThan(200);
  });

  it('warns once when there is nothing to free', async () => {
    const store = new BlockStore([{ from: NOW, to: NOW + 60, bytes: 2 * MB }]);
    store.oldestTime = async () => undefined;
    const log = keptLog();
    expect(await enforce(store, MB, log)).toBe(0);
    expect(log.lines).toEqual([expect.stringContaining('0 blocks (0 bytes) were freed;')]);
  });

  it('frees when one partition fills up although the whole is below the cap', async () => {
    const blocks = twoDays().map((block, i) => ({ ...block, partition: i % 4 ? 0 : 1 }));
    const store = new BlockStore(blocks, 2);
    const log = keptLog();
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
    return [this.core.memory.total];
  }

  async oldestTime(): Promise<number | undefined> {
    return this.core.oldestTime();
  }

  async retain(to: number): Promise<number> {
    const { freed, next } = this.core.retainStep(0, 1 << 20, to);
    expect(next).toBe(-1);
    this.core.retainEnd();
    return freed;
  }

  /** One sample of each metric of a host. */
  write(host: string, time: number, random: () => number): void {
    const lines = Array.from({ length: 20 }, (_, i) => `m${i},cluster=c,hostname=${host} value=${random()} ${time}\n`);
    const batch = this.core.ingest(new TextEncoder().encode(lines.join('')), '', 0, time);
    expect(batch).toMatchObject({ stored: 20, refused: 0, outOfMemory: false });
  }
}

describe('a core under a memory cap', () => {
  const PAGES = 112;
  const path = smallCore(PAGES);

  it('takes many times what fits, keeps the newest, and reuses the memory', async () => {
    const store = new CoreStore(path);
    const random = randomNumbers(5);
    const log = keptLog();
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
      expect(store.core.memory.total).toBeLessThanOrEqual(cap);
      if (step === 2500) linear = store.core.linearMemory;
    }
    expect(freed).toBeGreaterThan(800);
    expect(log.lines.length).toBeGreaterThan(3);
    expect(linear).toBeGreaterThan(cap);
    expect(store.core.linearMemory).toBe(linear);
    expect(store.core.hosts).toBe(10);
    expect(store.core.findNode(['c', 'old'])).toBe(0);
    // What is left is the newest without holes.
    const last = store.core.exportSeries(store.core.seriesEnd - 1, 0, Number.MAX_SAFE_INTEGER);
    expect(last?.values.length).toBeGreaterThan(500);
    expect(last?.values.includes(Number.NaN)).toBe(false);
    expect((last?.start ?? 0) + ((last?.values.length ?? 0) - 1) * 10).toBe(time - 10);
  });

  it('gives kept roll-ups back before it frees a sample', async () => {
    const store = new CoreStore(path);
    const lines = Array.from({ length: 300 * 8 }, (_, i) => {
      const thread = i % 8;
      return `m1,cluster=c,hostname=h,type=hwthread,type-id=${thread} value=${i % 97} ${NOW + 10 * Math.floor(i / 8)}\n`;
    });
    store.core.ingest(new TextEncoder().encode(lines.join('')), '', 0, NOW);
    const range = { cluster: 'c', from: NOW, to: NOW + 3000, withStats: true, withData: true, withPadding: false };
    const query = seriesQuery({ metric: 'm1', host: 'h' });
    ask(store.core, range, [query]);
    const { rollups, total } = store.core.memory;
    expect(rollups).toBeGreaterThan(1000);
    const log = keptLog();
    expect(await enforceMemoryCap(store, total - rollups, log, { partitionLimit: 1e12, now: () => NOW + 3000 })).toBe(
      0,
    );
    expect(log.lines).toEqual([]);
    expect(store.core.memory).toMatchObject({ rollups: 0, total: total - rollups });
    expect(ask(store.core, range, [query])[0]?.[0]?.data?.length).toBe(300);
  });

  it('refuses samples when linear memory is full, loses none of those it has, and goes on once some is freed', async () => {
    const store = new CoreStore(path);
    const random = randomNumbers(6);
    let time = NOW;
    const fill = (): boolean => {
      const text = Array.from(
        { length: 400 },
        (_, i) => `m${i % 20},cluster=c,hostname=h${i % 97} value=${random()} ${time}\n`,
      );
      return store.core.ingest(new TextEncoder().encode(text.join('')), '', 0, time).outOfMemory;
    };
    while (!fill()) time += 10;
    // All of it but the reserve, which only scratch may have.
    expect(store.core.linearMemory).toBeGreaterThan((PAGES << 16) - (1 << 20));
    expect(time - NOW).toBeGreaterThan(100 * 10);
    expect(await enforceMemoryCap(store, 4 * MB, keptLog(), { partitionLimit: 1e12, now: () => time })).toBeGreaterThan(
      0,
    );
    const kept = store.core.exportSeries(0, 0, Number.MAX_SAFE_INTEGER);
    expect(kept?.values.length).toBeGreaterThan(100);
    expect((kept?.start ?? 0) + (kept?.values.length ?? 0) * 10).toBeGreaterThanOrEqual(time);
    for (let i = 0; i < 100; i++, time += 10) expect(fill()).toBe(false);
  });
});
