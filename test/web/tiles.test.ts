import { describe, expect, it } from 'vitest';
import { compareNames, groupNodes } from '../../web/src/model/nodes/groups.js';
import { layoutTiles, tileAt, tileBeside, tilesOf } from '../../web/src/model/series/tiles.js';

const numbered = (prefix: string, count: number, width = 2): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i + 1).padStart(width, '0')}`);

describe('groupNodes', () => {
  it.each([
    [
      [...numbered('f01', 32), ...numbered('f02', 32)],
      ['f01', 'f02'],
    ],
    [
      [...numbered('rack1n', 16), ...numbered('rack2n', 16)],
      ['rack1', 'rack2'],
    ],
    [
      [...numbered('r01-n', 16), ...numbered('r02-n', 16)],
      ['r01', 'r02'],
    ],
    [numbered('node', 20), ['node']],
    [
      [...numbered('cpu', 20), ...numbered('gpu', 4)],
      ['cpu', 'gpu'],
    ],
    [[...numbered('n', 2000, 5)], [...numbered('n', 21, 3).map((_, i) => `n${String(i).padStart(3, '0')}`)]],
    [
      ['alpha', 'beta', 'gamma'],
      ['alpha', 'beta', 'gamma'],
    ],
    [[], []],
  ])('%# finds the racks', (names, groups) => {
    expect(groupNodes(names).map(({ name }) => name)).toEqual(groups);
  });

  it('puts every node into one group, sorted by number', () => {
    const names = ['f0110', 'f0102', 'f0201', 'f0101'];
    expect(groupNodes(names).flatMap(({ nodes }) => nodes)).toEqual(['f0101', 'f0102', 'f0110', 'f0201']);
    expect(groupNodes(names, 'none')).toEqual([{ name: '', nodes: ['f0101', 'f0102', 'f0110', 'f0201'] }]);
    expect(['f10', 'f9'].sort(compareNames)).toEqual(['f9', 'f10']);
  });
});

describe('layoutTiles', () => {
  const thousand = groupNodes(
    Array.from({ length: 32 }, (_, i) => numbered(`f${String(i + 1).padStart(2, '0')}`, 32)).flat(),
  );

  it('makes tiles as large as the room allows, each with a place of its own', () => {
    const layout = layoutTiles(thousand, 1000, 500);
    expect(layout.height).toBeLessThanOrEqual(500);
    expect(layoutTiles(thousand, 1000, 1000).side).toBeGreaterThan(layout.side);
    const tiles = [...tilesOf(layout)];
    expect(tiles).toHaveLength(1024);
    expect(new Set(tiles.map(({ x, y }) => `${x} ${y}`)).size).toBe(1024);
    for (const { x, y } of tiles) {
      expect(x + layout.side).toBeLessThanOrEqual(1000);
      expect(y + layout.side).toBeLessThanOrEqual(layout.height);
    }
  });

  it('holds ten thousand nodes on a small screen, with the smallest tiles', () => {
    const groups = groupNodes(
      Array.from({ length: 100 }, (_, i) => numbered(`f${String(i + 1).padStart(3, '0')}`, 100)).flat(),
    );
    const layout = layoutTiles(groups, 340, 300);
    expect(layout.side).toBe(7);
    expect([...tilesOf(layout)]).toHaveLength(10_000);
  });

  it('finds the tile at a point, and none between blocks', () => {
    const layout = layoutTiles(thousand, 1000, 500);
    for (const { node, x, y } of tilesOf(layout)) expect(tileAt(layout, x + 1, y + 1)?.node).toBe(node);
    expect(tileAt(layout, 5, 5)).toBeUndefined();
    expect(tileAt(layout, -1, 50)).toBeUndefined();
    expect(tileAt(layout, 999, 9999)).toBeUndefined();
  });

  it('goes from tile to tile in four directions, also into the next block, and stays at the edge', () => {
    const layout = layoutTiles(groupNodes([...numbered('a', 4), ...numbered('b', 4)]), 1000, 200);
    const beside = (node: string, direction: 'left' | 'right' | 'up' | 'down') =>
      tileBeside(layout, node, direction)?.node;
    const [a, b] = layout.blocks;
    expect([a?.columns, b?.columns]).toEqual([3, 3]);
    expect(beside('a01', 'right')).toBe('a02');
    expect(beside('a03', 'right')).toBe('b01');
    expect(beside('b01', 'left')).toBe('a03');
    expect(beside('a01', 'down')).toBe('a04');
    expect(beside('a04', 'up')).toBe('a01');
    expect(beside('a01', 'left')).toBe('a01');
    expect(tileBeside(layout, 'nobody', 'left')).toBeUndefined();
  });
});
