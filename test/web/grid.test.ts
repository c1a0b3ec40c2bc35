import { describe, expect, it } from 'vitest';
import { Grid, type Row } from '../../web/src/model/series/grid.js';

const NaNs = (count: number): number[] => new Array<number>(count).fill(Number.NaN);
const row = (node: string, from: number, values: Row['values'], step = 60): Row => ({ node, from, step, values });
const list = (values: ArrayLike<number> | undefined): number[] => Array.from(values ?? []);

describe('Grid', () => {
  const grid = Grid.empty({ from: 610, to: 900 }, 60).advance({ from: 610, to: 900 }, [
    row('b', 600, [1, 2, null, 4, 5]),
    row('a', 720, [10, 20, 30]),
    row('silent', 600, [null, null]),
  ]);

  it('puts values where their times are, whenever a node begins', () => {
    expect([grid.from, grid.columns, grid.to, grid.timeOf(2)]).toEqual([600, 5, 900, 720]);
    expect(grid.nodes).toEqual(['b', 'a']);
    expect(list(grid.row('b'))).toEqual([1, 2, Number.NaN, 4, 5]);
    expect(list(grid.row('a'))).toEqual([...NaNs(2), 10, 20, 30]);
    expect(grid.row('silent')).toBeUndefined();
  });

  it('moves on with time, keeps what both cover, and new values win', () => {
    const next = grid.advance({ from: 720, to: 1020 }, [row('b', 840, [50, 60, 70]), row('c', 960, [7])]);
    expect([next.from, next.columns]).toEqual([720, 5]);
    expect(list(next.row('b'))).toEqual([Number.NaN, 4, 50, 60, 70]);
    expect(list(next.row('a'))).toEqual([10, 20, 30, ...NaNs(2)]);
    expect(list(next.row('c'))).toEqual([...NaNs(4), 7]);
    // The one before is as it was.
    expect(list(grid.row('b'))).toEqual([1, 2, Number.NaN, 4, 5]);
  });

  it('moves back as well, and to where nothing is kept', () => {
    expect(list(grid.advance({ from: 480, to: 720 }, []).row('b'))).toEqual([...NaNs(2), 1, 2]);
    expect(grid.advance({ from: 6000, to: 6600 }, []).nodes).toEqual([]);
    expect(grid.advance({ from: 0, to: 300 }, []).nodes).toEqual([]);
  });

  it('leaves out values beyond its span', () => {
    const next = grid.advance({ from: 600, to: 720 }, [row('b', 480, [7, 8, 9, 10, 11, 12])]);
    expect(list(next.row('b'))).toEqual([9, 10]);
  });

  it('ranks what is there', () => {
    expect(grid.quantiles([0, 0.5, 1]).map(list)).toEqual([
      [1, 2, 10, 4, 5],
      [1, 2, 10, 12, 17.5],
      [1, 2, 10, 20, 30],
    ]);
    expect([...grid.newest(5)]).toEqual([
      ['b', 5],
      ['a', 30],
    ]);
  });

  it('can have other values in the same rows', () => {
    expect(list(grid.map((values) => values.map((value) => 2 * value)).row('a'))).toEqual([...NaNs(2), 20, 40, 60]);
  });

  it('has no newest value of nodes that are silent for long', () => {
    const old = Grid.empty({ from: 0, to: 600 }, 60).advance({ from: 0, to: 600 }, [row('x', 60, [3])]);
    expect(old.newest(5).size).toBe(0);
    expect(old.newest(10).get('x')).toBe(3);
  });
});
