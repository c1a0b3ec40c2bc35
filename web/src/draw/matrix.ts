/** Draws a matrix: labels of rows, the image, labels of times; and over it the cross-hair. */

import { groupNodes } from '../model/nodes/groups.js';
import type { Grid } from '../model/series/grid.js';
import { type MatrixLayout, placeOf } from '../model/series/matrix.js';
import type { Pixel } from '../model/series/resample.js';
import { timeSplits } from '../model/time/time-splits.js';
import { formatTime, type Zone } from '../model/time/times.js';
import type { Limits } from '../model/values/scale.js';
import { type Colours, prepareCanvas } from './canvas.js';
import { drawHeat } from './heat.js';

/** Below the image, for labels of times. */
export const AXIS_HEIGHT = 20;
const LABEL_HEIGHT = 13;

export interface MatrixPicture {
  grid: Grid;
  /** Names of the rows, from top to bottom. */
  rows: readonly string[];
  layout: MatrixLayout;
  limits: Limits;
  pixel: Pixel;
  zone: Zone;
  /** Unix seconds, for labels. */
  now: number;
}

export function drawMatrix(canvas: HTMLCanvasElement, picture: MatrixPicture, colours: Colours): void {
  const { grid, rows, layout, limits, pixel, zone, now } = picture;
  const { left, width, height } = layout;
  const context = prepareCanvas(canvas, left + width + 8, height + AXIS_HEIGHT);
  context.fillStyle = colours.raised;
  context.fillRect(left, 0, width, height);
  const values = rows.map((node) => grid.row(node));
  drawHeat(context, { rows: values, columns: grid.columns, limits, pixel }, left, 0, width, height);
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colours.soft;
  context.textBaseline = 'top';
  context.textAlign = 'center';
  for (const time of timeSplits(grid.from, grid.to, width, zone)) {
    const x = left + ((time - grid.from) / (grid.to - grid.from)) * width;
    context.fillText(formatTime(time, zone, now), x, height + 5);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const { text, y } of rowLabels(rows, layout)) context.fillText(text, left - 6, y, left - 8);
}

/** Every row's name where there is room; else the groups' where they begin, when the rows are in that order. */
function rowLabels(rows: readonly string[], layout: MatrixLayout): { text: string; y: number }[] {
  const tall = layout.height / layout.rows;
  if (tall >= LABEL_HEIGHT) return rows.map((text, row) => ({ text, y: placeOf(layout, row, 0).y }));
  const groupOf = new Map(
    groupNodes(rows).flatMap(({ name, nodes }) => nodes.map((node): [string, string] => [node, name])),
  );
  const labels: { text: string; y: number }[] = [];
  for (const [row, node] of rows.entries()) {
    const text = groupOf.get(node) ?? '';
    const y = row * tall + LABEL_HEIGHT / 2;
    const isNew = text !== groupOf.get(rows[row - 1] ?? '');
    if (isNew && y - (labels.at(-1)?.y ?? -LABEL_HEIGHT) >= LABEL_HEIGHT) labels.push({ text, y });
  }
  return labels;
}

/** @param drag a rectangle that is being dragged open. */
export function drawCrossHair(
  canvas: HTMLCanvasElement,
  layout: MatrixLayout,
  cell: { row: number; column: number } | undefined,
  drag: { a: { x: number; y: number }; b: { x: number; y: number } } | undefined,
  colours: Colours,
): void {
  const { left, width, height } = layout;
  const context = prepareCanvas(canvas, left + width + 8, height + AXIS_HEIGHT);
  if (drag !== undefined) {
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.strokeRect(drag.a.x, drag.a.y, drag.b.x - drag.a.x, drag.b.y - drag.a.y);
    return;
  }
  if (cell === undefined) return;
  const { x, y } = placeOf(layout, cell.row, cell.column);
  for (const [colour, line] of [
    [colours.ground, 3],
    [colours.ink, 1],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
  }
}
