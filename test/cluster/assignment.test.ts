import { describe, expect, it } from 'vitest';
import { type Candidate, ownersOf } from '../../src/cluster/members/assignment.js';

const PARTITIONS = 1024;

function stores(count: number, weight = 1): Candidate[] {
  return Array.from({ length: count }, (_, i) => ({ id: `store${i}`, zone: '', weight }));
}

function counts(candidates: readonly Candidate[], replicas: number): Map<string, number> {
  const found = new Map(candidates.map(({ id }) => [id, 0]));
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const id of ownersOf(partition, candidates, replicas)) found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

describe('the owners of partitions', () => {
  it('are as many as asked for, all different, in whatever order the table is', () => {
    const all = stores(5);
    for (let partition = 0; partition < 64; partition++) {
      const owners = ownersOf(partition, all, 3);
      expect(new Set(owners).size).toBe(3);
      expect(ownersOf(partition, all.toReversed(), 3)).toEqual(owners);
    }
    expect(ownersOf(0, stores(2), 3)).toHaveLength(2);
    expect(ownersOf(0, [], 3)).toEqual([]);
  });

  it('have about equal shares', () => {
    const mean = (PARTITIONS * 2) / 6;
    for (const count of counts(stores(6), 2).values()) expect(Math.abs(count - mean)).toBeLessThan(0.25 * mean);
  });

  it('have shares by weight, and none without', () => {
    const [light, heavy, none] = stores(3);
    const found = counts(
      [
        { ...light, weight: 1 },
        { ...heavy, weight: 3 },
        { ...none, weight: 0 },
      ] as Candidate[],
      1,
    );
    expect(found.get('store2')).toBe(0);
    const share = (found.get('store1') ?? 0) / PARTITIONS;
    expect(share).toBeGreaterThan(0.68);
    expect(share).toBeLessThan(0.82);
  });

  it('stay where they are when one comes or goes, but for its own share', () => {
    const before = stores(5);
    const after = stores(6);
    let moved = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const old = ownersOf(partition, before, 2);
      const fresh = ownersOf(partition, after, 2);
      const came = fresh.filter((id) => !old.includes(id));
      expect(came.every((id) => id === 'store5')).toBe(true);
      moved += came.length;
    }
    expect(moved).toBeLessThan((1.25 * PARTITIONS * 2) / 6);
    expect(moved).toBeGreaterThan((0.75 * PARTITIONS * 2) / 6);
  });

  it('are in different zones where there are enough', () => {
    const zoned = stores(6).map((store, i) => ({ ...store, zone: i < 4 ? 'north' : 'south' }));
    for (let partition = 0; partition < 64; partition++) {
      const owners = ownersOf(partition, zoned, 3);
      const zones = owners.map((id) => zoned.find((store) => store.id === id)?.zone);
      expect(new Set(zones.slice(0, 2))).toEqual(new Set(['north', 'south']));
    }
  });
});
