/** The whole store behind its interface: routing, questions and writes at once. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Pool } from '../../src/store/pool.js';
import type { QueryRequest, SeriesQuery } from '../../src/store/store.js';
import { textOf } from '../support/answer-text.js';
import { seriesQuery, T0 } from '../support/core-driver.js';
import { startPool, writeTo } from './running-pool.js';

function request(queries: SeriesQuery[], more: Partial<QueryRequest> = {}): QueryRequest {
  return {
    cluster: 'c',
    from: T0,
    to: T0 + 600,
    withStats: true,
    withData: true,
    withPadding: false,
    queries,
    ...more,
  };
}

function hostLines(hosts: number, bins: number): string {
  let text = '';
  for (let host = 0; host < hosts; host++) {
    for (let thread = 0; thread < 3; thread++) {
      for (let bin = 0; bin < bins; bin++) {
        const tags = `hostname=h${host},type=hwthread,type-id=${thread}`;
        text += `load,${tags} value=${host + thread + 2 * bin} ${T0 + 60 * bin}\n`;
      }
    }
  }
  return text;
}

describe('the pool', () => {
  let pool: Pool | undefined;
  afterEach(() => pool?.stop());

  async function started(memoryCapBytes: number): Promise<Pool> {
    pool = await startPool(memoryCapBytes);
    await writeTo(pool, hostLines(6, 20));
    return pool;
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
    const first = Array.from({ length: 100 }, ask);
    const written = writeTo(asked, hostLines(1, 1));
    const all = [...first, ...Array.from({ length: 100 }, ask)];
    await written;
    expect(answers).toBeLessThan(200);
    await Promise.all(all);
  });

  for (const [partitions, cap] of [
    [1, 0],
    [5, 16e9],
  ] as const) {
    it(`answers each query at its place, then those for all nodes, ${partitions} partition(s)`, async () => {
      const asked = await started(cap);
      const queries = Array.from({ length: 6 }, (_, i) => seriesQuery({ metric: 'load', host: `h${i}` }));
      const nothing = seriesQuery({ metric: 'load', host: 'nobody' });
      const text = await textOf(
        await asked.query(request([...queries.slice(0, 3), nothing, ...queries.slice(3)], { forAllNodes: ['load'] })),
      );
      const { queries: made, results } = JSON.parse(text) as {
        queries: { host: string }[];
        results: { avg: number }[][];
      };
      const first = (list: { avg: number }[] | undefined): number | undefined => list?.[0]?.avg;
      // The mean of the first ten bins, of three threads: host + 1 + 9.
      const of = (host: string): number => Number(host.slice(1)) + 1 + 9;
      const own = results.slice(0, 7);
      expect(own.map(first)).toEqual([10, 11, 12, undefined, 13, 14, 15]);
      expect(made.map(({ host }) => host).sort()).toEqual(['h0', 'h1', 'h2', 'h3', 'h4', 'h5']);
      expect(results.slice(7).map(first)).toEqual(made.map(({ host }) => of(host)));
    });
  }
});
