/** Small questions are answered on the main thread, all others by workers; nobody can tell from the answer. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { logger } from '../../src/log.js';
import { Pool } from '../../src/store/pool.js';
import { extentOf, Guest } from '../../src/store/query/guest.js';
import { type Answer, type QueryRequest, type SeriesQuery, StoreError } from '../../src/store/store.js';
import { Core } from '../../src/wasm/instance.js';
import { encodeForAllNodes, encodeRequest } from '../../src/wasm/request.js';
import { newSharedCore } from '../../src/wasm/wasm-instance.js';
import { configWith } from '../retention/fixtures.js';
import { askText, coreModule, metric, seriesQuery, store, T0 } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/server-process.js';
import { textOf } from './answer-text.js';

const METRICS = new Map<string, MetricConfig>([
  ['load', metric(60, 'avg')],
  ['flops', metric(1, 'sum')],
]);

const RANGE = { cluster: 'c', from: T0, to: T0 + 600, withStats: true, withData: true, withPadding: false };
/** Of guest.ts: bins of series. */
const LIMIT = 256 << 10;
const SMALL = { named: 1, rolledUp: 1, perNode: 1 };

function request(queries: SeriesQuery[], more: Partial<QueryRequest> = {}): QueryRequest {
  return { ...RANGE, queries, ...more };
}

function hostLines(hosts: number, bins: number): string {
  let text = '';
  for (let host = 0; host < hosts; host++) {
    for (let thread = 0; thread < 3; thread++) {
      for (let bin = 0; bin < bins; bin++) {
        const tags = `hostname=h${host},type=hwthread,type-id=${thread}`;
        text += `load,${tags} value=${host + thread + bin / 4} ${T0 + 60 * bin}\n`;
      }
    }
  }
  return text;
}

describe('the extent of a request', () => {
  const of = (queries: SeriesQuery[], more = {}): object => extentOf(request(queries, more), METRICS);
  // Ten minutes of a metric at 60 s; its name of four letters; 32 for any series.
  const TEN = 10 + 0.5 + 32;

  it('is the bins of its series, those of a host as if they were one', () => {
    expect(of([seriesQuery({ metric: 'load', host: 'a' })])).toEqual({ named: 0, rolledUp: TEN, perNode: 0 });
    const threads = { metric: 'load', host: 'a', type: 'hwthread', typeIds: ['0', '1', '2'] };
    expect(of([seriesQuery(threads)])).toEqual({ named: 3 * TEN, rolledUp: 0, perNode: 0 });
    expect(of([seriesQuery({ ...threads, aggregate: true })])).toEqual({ named: 3 * TEN, rolledUp: 0, perNode: 0 });
    const below = { ...threads, subtype: 's', subtypeIds: ['0', '0', '0'] };
    expect(of([seriesQuery(below)])).toEqual({ named: 9 * TEN, rolledUp: 0, perNode: 0 });
    const all = { forAllNodes: ['load', 'flops'] };
    expect(of([], all)).toEqual({ named: 0, rolledUp: 0, perNode: TEN + 600 + 5 / 8 + 32 });
  });

  it('is that of the name where the metric is unknown', () => {
    const query = seriesQuery({ metric: 'unknown!'.repeat(1000), host: 'a' });
    expect(of([query], { from: 0 })).toEqual({ named: 0, rolledUp: 1000 + 32, perNode: 0 });
  });
});

describe('a guest', () => {
  async function threads(hosts = 2, bins = 20): Promise<{ owner: Core; core: Core; guest: Guest }> {
    const shared = newSharedCore(coreModule());
    const core = Core.guest(coreModule(), shared);
    const owner = new Core(coreModule(), METRICS, 0, 1, shared);
    owner.logStartSegment();
    store(owner, hostLines(hosts, bins), 'c');
    await Promise.resolve();
    return { owner, core, guest: new Guest(core) };
  }

  it('answers as the owner does', async () => {
    const { owner, guest } = await threads();
    const queries = ['h0', 'h1', 'nobody'].map((host) => seriesQuery({ metric: 'load', host }));
    const piece = guest.query(7, encodeRequest(request(queries), queries), SMALL);
    expect(piece).toMatchObject({ id: 7, done: true, failure: undefined });
    const text = Buffer.from(piece?.bytes ?? []).toString();
    expect(`[${text.slice(0, -1)}]`).toBe(askText(owner, RANGE, queries));
    expect(piece?.ends.map((end) => text.slice(end - 2, end))).toEqual(['],', '],', '],']);
    await Promise.resolve();
    const all = guest.queryAll(8, encodeForAllNodes(request([]), ['load']), SMALL, 1);
    expect(Buffer.from(all?.text ?? []).toString()).toBe(
      '{"metric":"load","host":"h0","resolution":0,"aggreg":false},{"metric":"load","host":"h1","resolution":0,"aggreg":false}',
    );
    expect(Buffer.from(all?.bytes ?? []).toString()).toBe(text.slice(0, text.lastIndexOf('[]')));
  });

  it('leaves what is large, and the memory that it has taken for it', async () => {
    const { owner, guest } = await threads(2, 3000);
    const queries = Array.from({ length: 60 }, () => seriesQuery({ metric: 'load', host: 'h0' }));
    const day = request(queries, { to: T0 + 3000 * 60 });
    const all = encodeForAllNodes(request([]), ['load']);
    const ask = async (): Promise<object> => {
      expect(guest.query(1, encodeRequest(day, queries), extentOf(day, METRICS))).toBeUndefined();
      // More than was expected: it is an answer of more than 64 KiB.
      expect(guest.query(2, encodeRequest(day, queries), SMALL)).toBeUndefined();
      // Two hosts.
      expect(guest.queryAll(3, all, { ...SMALL, perNode: LIMIT / 2 + 1 }, 1)).toBeUndefined();
      expect(guest.queryAll(4, all, { ...SMALL, perNode: LIMIT / 2 }, 2)).toBeUndefined();
      expect(guest.queryAll(5, all, { ...SMALL, perNode: LIMIT / 2 }, 1)).toBeDefined();
      const { memory } = owner;
      await Promise.resolve();
      return memory;
    };
    const before = await ask();
    expect(await ask()).toEqual(before);
  });

  it('gives up at once what turns out to be of many series', async () => {
    const { owner, guest } = await threads();
    // Three of two bins each: no effort, if each id is asked for once.
    const few = { metric: 'load', host: 'h0', type: 'hwthread', typeIds: ['0', '1', '2'], aggregate: true };
    const many = { ...few, typeIds: Array.from({ length: 10_000 }, () => '1') };
    const ask = (queries: SeriesQuery[]): object | undefined =>
      guest.query(1, encodeRequest(request(queries), queries), SMALL);
    expect(ask([seriesQuery(few)])).toBeDefined();
    expect(ask([seriesQuery(many)])).toBeUndefined();
    // The last one that is too much: none of it is answered.
    const rows = Array.from({ length: 2100 }, () => seriesQuery(few));
    expect(ask(rows.slice(0, 300))).toBeDefined();
    expect(ask(rows)).toBeUndefined();
    expect(owner.memory.rollups).toBe(0);
  });

  it('leaves everything while the owner is at work, and what it fails to do', async () => {
    const { owner, guest, core } = await threads();
    const queries = [seriesQuery({ metric: 'load', host: 'h0' })];
    const bytes = encodeRequest(request(queries), queries);
    expect(owner.hosts).toBe(2);
    expect(guest.query(1, bytes, SMALL)).toBeUndefined();
    await Promise.resolve();
    expect(guest.query(2, bytes, SMALL)).toBeDefined();
    vi.spyOn(core, 'queryStep').mockImplementationOnce(() => {
      throw new StoreError('OUT_OF_MEMORY', 'full');
    });
    expect(guest.query(3, bytes, SMALL)).toBeUndefined();
    expect(guest.query(4, bytes, SMALL)).toBeDefined();
  });
});

describe('the pool', () => {
  let pool: Pool | undefined;
  afterEach(() => pool?.stop());

  async function started(memoryCapBytes: number): Promise<Pool> {
    const store = { memoryCapBytes, checkpoints: { fileFormat: 'wal' as const, directory: temporaryDirectory() } };
    pool = new Pool({
      config: { ...configWith({ retentionSeconds: 1e9, ...store }), metrics: METRICS },
      log: logger('store'),
      modulePath: new URL('../../dist/core.wasm', import.meta.url),
      onFatal: (error) => expect.fail(error.message),
    });
    await pool.start();
    const text = new TextEncoder().encode(hostLines(6, 20));
    await pool.write(text.slice().buffer, text.length, 'c', 's');
    // The worker answers before its turn has ended.
    await new Promise(setImmediate);
    return pool;
  }

  /** Whether an answer was there before a message could have come. */
  async function isAtOnce(answer: Promise<Answer>): Promise<boolean> {
    const message = new Promise<'message'>((resolve) => setImmediate(() => resolve('message')));
    return (await Promise.race([answer, message])) !== 'message';
  }

  it('stores and answers a write although questions never end', async () => {
    const asked = await started(0);
    const queries = Array.from({ length: 400 }, (_, i) => seriesQuery({ metric: 'flops', host: `h${i % 6}` }));
    const large = request(queries, { to: T0 + 1000 });
    let answers = 0;
    const ask = async (): Promise<void> => {
      await textOf(await asked.query(large));
      answers++;
    };
    const text = new TextEncoder().encode(hostLines(1, 1));
    const first = Array.from({ length: 100 }, ask);
    const written = asked.write(text.slice().buffer, text.length, 'c', 's');
    const all = [...first, ...Array.from({ length: 100 }, ask)];
    await written;
    expect(answers).toBeLessThan(200);
    await Promise.all(all);
  });

  for (const [partitions, cap] of [
    [1, 0],
    [5, 16e9],
  ] as const) {
    it(`answers what is small itself, ${partitions} partition${partitions > 1 ? 's' : ''}`, async () => {
      const asked = await started(cap);
      const queries = Array.from({ length: 6 }, (_, i) => seriesQuery({ metric: 'load', host: `h${i}` }));
      const mixed = request(queries, { forAllNodes: ['load'] });
      // As many ids as make a large question of it, and no entry.
      const typeIds = Array.from({ length: 10_000 }, (_, i) => `none-${i}`);
      const nothing = seriesQuery({ metric: 'load', host: 'h0', type: 'hwthread', typeIds });
      const small = asked.query(mixed);
      expect(await isAtOnce(small)).toBe(true);
      const text = await textOf(await small);
      expect(JSON.parse(text)).toMatchObject({ results: { length: 12 } });
      await new Promise(setImmediate);
      const large = asked.query({ ...mixed, queries: [...queries, nothing] });
      expect(await isAtOnce(large)).toBe(false);
      const { queries: made, results } = JSON.parse(await textOf(await large)) as Record<
        'queries' | 'results',
        object[]
      >;
      expect(results?.splice(6, 1)).toEqual([[]]);
      expect(JSON.parse(text)).toEqual({ queries: made, results });
    });
  }
});
