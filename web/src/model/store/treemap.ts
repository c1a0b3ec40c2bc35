/**
 * Rectangles whose areas are in proportion to weights, as square as they get: "squarified treemaps" (Bruls, Huizing,
 * van Wijk 2000).
 *
 *     +---------+----+
 *     |    a    | c  |
 *     |         +--+-+
 *     +---------+d |e|
 *     |    b    |  | |
 *     +---------+--+-+
 */

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed<T> extends Rectangle {
  item: T;
}

interface Part<T> {
  item: T;
  area: number;
}

/** Fills a rectangle with the items, the heaviest first. Items without weight are left out. */
export function layoutTreemap<T>(items: readonly T[], weightOf: (item: T) => number, room: Rectangle): Placed<T>[] {
  const sum = items.reduce((total, item) => total + Math.max(0, weightOf(item)), 0);
  const scale = (room.width * room.height) / sum;
  const parts = items
    .map((item) => ({ item, area: Math.max(0, weightOf(item)) * scale }))
    .filter(({ area }) => area > 0)
    .toSorted((a, b) => b.area - a.area);
  const placed: Placed<T>[] = [];
  let left = { ...room };
  let row: Part<T>[] = [];
  for (const part of parts) {
    const side = Math.min(left.width, left.height);
    if (row.length > 0 && worstRatio([...row, part], side) > worstRatio(row, side)) {
      left = placeRow(row, left, placed);
      row = [];
    }
    row.push(part);
  }
  if (row.length > 0) placeRow(row, left, placed);
  return placed;
}

/** The longest side over the shortest of the least square rectangle, were the parts in one row along a side. */
function worstRatio(row: readonly Part<unknown>[], side: number): number {
  const areas = row.map(({ area }) => area);
  const sum = areas.reduce((total, area) => total + area, 0);
  const square = (side / sum) ** 2;
  return Math.max(square * Math.max(...areas), 1 / (square * Math.min(...areas)));
}

/** Places a row along the shorter side. @returns the room that is left. */
function placeRow<T>(row: readonly Part<T>[], room: Rectangle, placed: Placed<T>[]): Rectangle {
  const sum = row.reduce((total, { area }) => total + area, 0);
  const isColumn = room.width >= room.height;
  const thick = sum / (isColumn ? room.height : room.width);
  let along = isColumn ? room.y : room.x;
  for (const { item, area } of row) {
    const long = area / thick;
    placed.push(
      isColumn
        ? { item, x: room.x, y: along, width: thick, height: long }
        : { item, x: along, y: room.y, width: long, height: thick },
    );
    along += long;
  }
  return isColumn
    ? { ...room, x: room.x + thick, width: room.width - thick }
    : { ...room, y: room.y + thick, height: room.height - thick };
}
