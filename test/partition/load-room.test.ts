import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { captureLog, logger } from '../../src/base/log.js';
import type { Config } from '../../src/config/config.js';
import { PARTITION_LIMIT } from '../../src/config/topology.js';
import { LoadRoom, loadLimit } from '../../src/partition/load-room.js';
import { enforceMemoryCap } from '../../src/retention/memory-cap.js';
import { Pool } from '../../src/store/pool.js';
import { Core } from '../../src/wasm/core.js';
import { textOf } from '../support/answer-text.js';
import { configWith } from '../support/config.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { seeded } from '../support/random.js';
import { smallCore } from '../support/small-core.js';

const HOSTS = 100;
/** A linear memory of 6 MB. */
const modulePath = smallCore(96);
const CAP = 3 << 20;

let pool: Pool | undefined;
let logged: string[] = [];
let release = captureLog(() => {});
afterEach(async () => {
  release();
  await pool?.stop();
  pool = undefined;
});

async function open(directory: string, memoryCapBytes: number, keep: string[]): Promise<Pool> {
  const base = configWith({ checkpoints: { fileFormat: 'wal', directory }, memoryCapBytes });
  const metrics: Config['metrics'] = new Map([['load', { frequency: 1, aggregation: null, precision: 'double' }]]);
  const fail = (error: Error): void => expect.fail(error.message);
  logged = keep;
  release();
  release = captureLog((line) => logged.push(line));
  pool = new Pool({ config: { ...base, metrics }, log: logger('store'), modulePath, onFatal: fail });
  await pool.start();
  return pool;
}

/** Stores one sample of each host a second, in batches, and holds the store below the cap. */
async function fill(store: Pool, from: number, seconds: number, checkpointEvery: number): Promise<void> {
  const random = seeded(4);
  for (let time = from; time < from + seconds; time++) {
    const lines = Array.from({ length: HOSTS }, (_, i) => `load,hostname=h${i} value=${random()} ${time}\n`);
    const text = new TextEncoder().encode(lines.join(''));
    expect((await store.write(text.slice().buffer, text.length, 'c', 's')).stored).toBe(HOSTS);
    if ((time - from) % 200 === 0)
      await enforceMemoryCap(store, CAP, new KeptLog(), { partitionLimit: 1e12, now: () => time });
    if ((time - from) % checkpointEvery === checkpointEvery - 1) await store.checkpoint('interval');
  }
}

async function query(store: Pool, host: string, from: number, to: number): Promise<(number | null)[]> {
  const series = { metric: 'load', host, typeIds: [], subtypeIds: [], aggregate: true, resolution: 0, scaleBy: 0 };
  const request = { cluster: 'c', from, to, queries: [series], withStats: false, withData: true, withPadding: true };
  return JSON.parse(await textOf(await store.query(request))).results[0][0].data;
}

describe('a start with more on disk than fits into memory', () => {
  it.each([
    ['checkpoints, up to the cap', CAP, 2000],
    ['checkpoints, until memory is full', 0, 2000],
    ['the log alone', 0, 1e9],
  ])('keeps the newest: %s', async (_what, cap, checkpointEvery) => {
    const directory = temporaryDirectory();
    const from = Math.floor(Date.now() / 1000) - 9000;
    const seconds = 8000;
    const first = await open(directory, 0, []);
    await fill(first, from, seconds, checkpointEvery);
    const before = await query(first, 'h7', from, from + seconds);
    // As kill -9 leaves it: no checkpoint at the end. The files stay as they are, the pool is thrown away.
    release();
    const kept: string[] = [];
    pool = undefined;
    const second = await open(directory, cap, kept);
    expect(kept.join('\n')).toMatch(/WARN.*more than fits into memory.*were left out/);
    const after = await query(second, 'h7', from, from + seconds);
    expect(after.length).toBe(before.length);
    const oldest = after.findIndex((value) => value !== null);
    expect(oldest).toBeGreaterThan(0);
    expect(after.length - oldest).toBeGreaterThan(500);
    // Whatever both have is the same, and nothing of the newest is missing.
    const since = Math.max(
      oldest,
      before.findIndex((value) => value !== null),
    );
    expect(after.slice(since)).toEqual(before.slice(since));
    if (cap) expect((await second.memoryByPartition())[0]).toBeLessThan(1.25 * cap);
    // It goes on as if nothing had been.
    await fill(second, from + seconds, 300, 100);
    await first.stop().catch(() => {});
  });

  it('leaves out no more because one sample is of 1999', () => {
    const metrics: Config['metrics'] = new Map([['load', { frequency: 1, aggregation: null, precision: 'double' }]]);
    const random = seeded(4);
    const now = Math.floor(Date.now() / 1000);
    const core = new Core(new WebAssembly.Module(readFileSync(modulePath)), metrics, 0, 1);
    const room = new LoadRoom(core, 0, CAP);
    const write = (time: number): void => {
      const lines = Array.from({ length: HOSTS }, (_, i) => `load,hostname=h${i} value=${random()} ${time}\n`);
      core.writes.ingest(new TextEncoder().encode(lines.join('')), 'c', 1, now);
    };
    core.writes.ingest(new TextEncoder().encode('load,hostname=old value=1 946684800\n'), 'c', 1, now);
    for (let time = now - 10_000; core.figures.memory.total <= CAP; time++) write(time);
    room.keepBelow();
    expect(core.figures.memory.total).toBeLessThanOrEqual(0.9 * CAP);
    expect(core.figures.memory.total).toBeGreaterThan(0.7 * CAP);
    expect(room.since).toBeLessThan(now);
    expect(core.reads.dumpBegin(['c', 'old'])).toBe(false);
  });

  it('has a limit for each partition', () => {
    expect(loadLimit(0, 4)).toBe(PARTITION_LIMIT);
    expect(loadLimit(8e9, 4)).toBeCloseTo(2.2e9);
    expect(loadLimit(7e9, 1)).toBe(PARTITION_LIMIT);
  });
});
