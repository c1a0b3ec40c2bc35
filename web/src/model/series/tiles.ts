/**
 * Where the tiles of nodes lie: groups as blocks that flow like words, each with its name above.
 *
 *     f01            f02            f03
 *     ▇▇▇▇▇▇▇▇       ▇▇▇▇▇▇▇▇       ▇▇▇▇▇▇▇▇
 *     ▇▇▇▇▇▇▇▇       ▇▇▇▇▇▇▇▇       ▇▇▇▇
 */
import type { Group } from '../nodes/groups.js';

/** Side of a tile in pixels, the gap behind it included. */
const SMALLEST = 7;
const LARGEST = 72;
const LABEL = 18;
/** Between blocks. */
const GAP = 12;

export interface Block {
  name: string;
  nodes: readonly string[];
  x: number;
  /** Of the first row of tiles; the name stands above it. */
  y: number;
  columns: number;
}

export interface Layout {
  /** Side of a tile, the gap behind it included. */
  side: number;
  blocks: readonly Block[];
  width: number;
  height: number;
  /** Pixels above each block for its name. */
  label: number;
}

/** The largest tiles with which everything fits into the height; the smallest when that is too low. */
export function layoutTiles(groups: readonly Group[], width: number, height: number): Layout {
  for (let side = LARGEST; side > SMALLEST; side--) {
    const layout = flow(groups, width, side);
    if (layout.height <= height) return layout;
  }
  return flow(groups, width, SMALLEST);
}

function flow(groups: readonly Group[], width: number, side: number): Layout {
  const blocks: Block[] = [];
  const labelled = groups.some(({ name }) => name !== '');
  const label = labelled ? LABEL : 0;
  const most = Math.max(1, Math.floor(width / side));
  let [x, y, lineHeight] = [0, 0, 0];
  for (const { name, nodes } of groups) {
    // Twice as wide as high, as racks' names leave room; a group alone takes the whole width.
    const wide = groups.length === 1 ? most : Math.ceil(Math.sqrt(2 * nodes.length));
    const columns = Math.min(most, Math.max(wide, labelled ? Math.ceil((name.length * 8) / side) : 1));
    const rows = Math.ceil(nodes.length / columns);
    if (x > 0 && x + columns * side > width) {
      x = 0;
      y += lineHeight + GAP;
      lineHeight = 0;
    }
    blocks.push({ name, nodes, x, y: y + label, columns });
    lineHeight = Math.max(lineHeight, label + rows * side);
    x += columns * side + GAP;
  }
  return { side, blocks, width, height: y + lineHeight, label };
}

export interface Tile {
  node: string;
  x: number;
  y: number;
}

function tileOf(block: Block, index: number, side: number): Tile {
  const node = block.nodes[index] ?? '';
  return { node, x: block.x + (index % block.columns) * side, y: block.y + Math.floor(index / block.columns) * side };
}

/** All tiles, in the order of the groups. */
export function* tilesOf({ blocks, side }: Layout): Generator<Tile> {
  for (const block of blocks) for (let i = 0; i < block.nodes.length; i++) yield tileOf(block, i, side);
}

/** The tile at a point; undefined: there is none. */
export function tileAt({ blocks, side }: Layout, x: number, y: number): Tile | undefined {
  for (const block of blocks) {
    const column = Math.floor((x - block.x) / side);
    const row = Math.floor((y - block.y) / side);
    if (column < 0 || row < 0 || column >= block.columns) continue;
    const index = row * block.columns + column;
    if (index < block.nodes.length) return tileOf(block, index, side);
  }
  return undefined;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The next tile in a direction, across blocks; the same one when there is none. */
export function tileBeside(layout: Layout, node: string, direction: Direction): Tile | undefined {
  const from = [...tilesOf(layout)].find((tile) => tile.node === node);
  if (from === undefined) return undefined;
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  for (const tile of tilesOf(layout)) {
    const [dx, dy] = [tile.x - from.x, tile.y - from.y];
    const along = { left: -dx, right: dx, up: -dy, down: dy }[direction];
    const across = Math.abs(direction === 'left' || direction === 'right' ? dy : dx);
    if (along <= 0) continue;
    // Straight on before aside: a step aside costs four along.
    const distance = along + 4 * across;
    if (distance < least) {
      least = distance;
      best = tile;
    }
  }
  return best;
}
