import { describe, expect, it } from 'vitest';
import { Grid } from '../../web/src/model/series/grid.js';
import { cellAt, covering, layoutMatrix, placeOf, zoomSpan } from '../../web/src/model/series/matrix.js';
import { orderRows } from '../../web/src/model/series/order.js';
import { covered, resampleRows } from '../../web/src/model/series/resample.js';
import { timeSplits } from '../../web/src/model/time/time-splits.js';

const SPAN = { from: 0, to: 600 };
const gridOf = (rows: Record<string, number[]>): Grid =>
  Grid.empty(SPAN, 60).advance(
    SPAN,
    Object.entries(rows).map(([node, values]) => ({ node, from: 0, step: 60, values })),
  );
const flat = (value: number): number[] => new Array<number>(10).fill(value);

describe('resampling to pixels', () => {
  it('covers everything, nothing twice when there are fewer pixels than values', () => {
    for (const [pixels, count] of [
      [3, 10],
      [7, 10],
      [10, 10],
      [1, 5],
    ] as const) {
      const spans = Array.from({ length: pixels }, (_, i) => covered(i, pixels, count));
      expect([spans[0]?.[0], spans.at(-1)?.[1]]).toEqual([0, count]);
      for (let i = 1; i < pixels; i++) expect(spans[i]?.[0]).toBe(spans[i - 1]?.[1]);
    }
  });

  it('never loses a spike, whichever pixel it falls into', () => {
    for (let at = 0; at < 1000; at++) {
      const row = new Float64Array(1000).fill(1);
      row[at] = 100;
      const line = new Float64Array(70);
      resampleRows([row], 1000, 'max', line);
      expect(Math.max(...line)).toBe(100);
    }
  });

  it('takes the mean or the maximum of several rows, without those that are missing', () => {
    const into = new Float64Array(2);
    const rows = [[1, Number.NaN, 5, Number.NaN], undefined, [3, 2, Number.NaN, Number.NaN]];
    resampleRows(rows, 4, 'mean', into);
    expect([...into]).toEqual([2, 5]);
    resampleRows(rows, 4, 'max', into);
    expect([...into]).toEqual([3, 5]);
    resampleRows([], 4, 'max', into);
    expect([...into]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('the layout of the matrix', () => {
  const grid = gridOf({ a: flat(1) });

  it('gives each of ten thousand nodes a pixel, and few nodes no more than they need', () => {
    expect(layoutMatrix(grid, 10_000, 70, 1000, 500).height).toBe(10_000);
    expect(layoutMatrix(grid, 3, 70, 1000, 500).height).toBe(54);
    expect(layoutMatrix(grid, 100, 70, 1000, 500).height).toBe(500);
  });

  it('finds the cell at a point, and its middle again', () => {
    const layout = layoutMatrix(grid, 50, 70, 1000, 500);
    for (const [row, column] of [
      [0, 0],
      [49, 9],
      [20, 5],
    ] as const) {
      const { x, y } = placeOf(layout, row, column);
      expect(cellAt(layout, x, y)).toEqual({ row, column });
    }
    expect(cellAt(layout, 69, 10)).toBeUndefined();
    expect(cellAt(layout, 500, 501)).toBeUndefined();
  });

  it('covers whole columns and rows by a rectangle, from whichever corner', () => {
    const layout = layoutMatrix(grid, 50, 70, 1078, 500);
    const [a, b] = [placeOf(layout, 10, 2), placeOf(layout, 20, 4)];
    const wanted = { span: { from: 120, to: 300 }, first: 10, end: 21 };
    expect(covering(layout, grid, a, b)).toEqual(wanted);
    expect(covering(layout, grid, b, a)).toEqual(wanted);
    expect(covering(layout, grid, { x: -100, y: -100 }, { x: 9999, y: 9999 })).toEqual({
      span: SPAN,
      first: 0,
      end: 50,
    });
  });

  it('zooms around a time, no closer than allowed', () => {
    expect(zoomSpan({ from: 0, to: 1000 }, 250, 2, 10)).toEqual({ from: 125, to: 625 });
    expect(zoomSpan({ from: 0, to: 1000 }, 500, 0.5, 10)).toEqual({ from: -500, to: 1500 });
    expect(zoomSpan({ from: 0, to: 1000 }, 0, 1e6, 100)).toEqual({ from: 0, to: 100 });
  });
});

describe('the order of rows', () => {
  const grid = gridOf({
    n10: flat(5),
    n9: flat(1),
    n1: flat(9),
    n2: [...flat(9).slice(5), ...flat(1).slice(5)],
    n3: flat(9),
  });

  it('is by name, by value, or by likeness, in which equals are neighbours', () => {
    expect(orderRows(grid, 'name')).toEqual(['n1', 'n2', 'n3', 'n9', 'n10']);
    expect(orderRows(grid, 'value')).toEqual(['n1', 'n3', 'n2', 'n10', 'n9']);
    const alike = orderRows(grid, 'likeness');
    expect(alike.slice(0, 2)).toEqual(['n1', 'n3']);
    expect(new Set(alike)).toEqual(new Set(grid.nodes));
  });

  it('keeps every row when some have gaps', () => {
    const gaps = gridOf({ a: [1, Number.NaN, 3], b: [Number.NaN, 2], c: [1, 2, 3] });
    expect(orderRows(gaps, 'likeness').sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('labels of times', () => {
  it('are full hours or minutes, as many as there is room for', () => {
    expect(timeSplits(0, 4 * 3600, 450, 'utc')).toEqual([0, 3600, 7200, 10_800, 14_400]);
    expect(timeSplits(100, 700, 900, 'utc')).toEqual([120, 180, 240, 300, 360, 420, 480, 540, 600, 660]);
    expect(timeSplits(0, 86_400 * 30, 300, 'utc').length).toBeLessThan(6);
  });
});
