import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { PARTITION_BYTES, PARTITION_LIMIT, partitionCount } from '../../src/config/topology.js';

/** A configuration of so many workers and so many GB of memory-cap. */
function storeConfig(workers: number, cap: number) {
  const store = { 'retention-in-memory': '48h', 'memory-cap': cap, 'num-workers': workers };
  const metrics = { clock: { frequency: 60, aggregation: 'avg' } };
  return parseConfig(JSON.stringify({ main: {}, metrics, 'metric-store': store }), 'c.json').config.store;
}

describe('the number of partitions', () => {
  it.each([
    [0, 0, 1],
    [1, 0, 1],
    [4, 0, 4],
    [4, 7, 4],
    [1, 7, 2],
    [1, 8, 3],
    [0, 100, 29],
  ])('is, for %d workers and a cap of %d GB, %d', (workers, cap, partitions) => {
    expect(partitionCount(storeConfig(workers, cap))).toBe(partitions);
  });

  it('leaves room between what a partition is planned for, what it is filled to, and its 4 GiB', () => {
    expect(PARTITION_BYTES).toBeLessThan(PARTITION_LIMIT);
    expect(PARTITION_LIMIT).toBeLessThan(2 ** 32);
  });
});
