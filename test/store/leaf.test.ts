/** Rows that PromQL asks of all partitions are counted one by one, before they are copied out of the pieces that bring them. */
import { afterEach, expect, it } from 'vitest';
import type { Pool } from '../../src/store/pool.js';
import { LeafAggregation, LeafFunction, type LeafRequest } from '../../src/store/store.js';
import { T0 } from '../support/core-driver.js';
import { startPool, writeTo } from './running-pool.js';

const HOSTS = 12;
const STEPS = 1000;

let pool: Pool | undefined;
afterEach(() => pool?.stop());

const request: LeafRequest = {
  start: T0 * 1000,
  step: 1000,
  count: STEPS,
  shift: 0,
  fixed: undefined,
  range: 0,
  lookback: 300_000,
  adaptiveLookback: true,
  function: LeafFunction.Instant,
  parameter: 0,
  aggregation: LeafAggregation.None,
  grouping: 0,
  room: 1e9,
  metrics: ['flops'],
  levels: [undefined, undefined, undefined, undefined],
  depths: 1 << 2,
};

it('asks for leave before each row, and gives back what it had when it gets none', async () => {
  // Three partitions.
  pool = await startPool(9e9);
  let text = '';
  for (let host = 0; host < HOSTS; host++) text += `flops,hostname=h${host} value=${host} ${T0}\n`;
  await writeTo(pool, text);
  const account = (most: number) => {
    const asked = { taken: 0, given: 0 };
    const count = (rows: number, steps: number): number => {
      expect(steps).toBe(STEPS);
      return rows;
    };
    const take = (rows: number, steps: number): void => {
      if (asked.taken + rows > most) throw new Error('no room');
      asked.taken += count(rows, steps);
    };
    const give = (rows: number, steps: number): void => {
      asked.given += count(rows, steps);
    };
    return { asked, take, give };
  };
  const { signal } = new AbortController();
  const all = account(HOSTS);
  expect(await pool.leaf(request, signal, all)).toHaveLength(HOSTS);
  expect(all.asked).toEqual({ taken: HOSTS, given: 0 });
  const few = account(7);
  await expect(pool.leaf(request, signal, few)).rejects.toThrow('no room');
  expect(few.asked).toEqual({ taken: 7, given: 7 });
});
