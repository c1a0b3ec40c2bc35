/** Where the rows and columns of a matrix lie on the screen, and which cell is under a point. All in CSS pixels. */

import type { Span } from '../time/range.js';
import type { Grid } from './grid.js';

export interface MatrixLayout {
  /** Of the image; labels of rows stand left of it. */
  left: number;
  width: number;
  /** The image begins at 0; labels of times stand below it. */
  height: number;
  rows: number;
  columns: number;
}

const MARGIN_RIGHT = 8;
/** Higher images are beyond what canvases can be on all browsers. */
const HIGHEST = 16_000;
const TALLEST_ROW = 18;

/** @param width of everything. @param height that is to be used if a row gets a pixel at least. */
export function layoutMatrix(grid: Grid, rows: number, left: number, width: number, height: number): MatrixLayout {
  const wanted = Math.min(Math.max(height, rows), rows * TALLEST_ROW, HIGHEST);
  return {
    left,
    width: Math.max(50, width - left - MARGIN_RIGHT),
    height: Math.max(1, wanted),
    rows,
    columns: grid.columns,
  };
}

/** Row and column at a point; undefined outside of the image. */
export function cellAt(layout: MatrixLayout, x: number, y: number): { row: number; column: number } | undefined {
  const column = Math.floor(((x - layout.left) / layout.width) * layout.columns);
  const row = Math.floor((y / layout.height) * layout.rows);
  if (column < 0 || row < 0 || column >= layout.columns || row >= layout.rows) return undefined;
  return { row, column };
}

/** Middle of a cell. */
export function placeOf(layout: MatrixLayout, row: number, column: number): { x: number; y: number } {
  return {
    x: layout.left + ((column + 0.5) / layout.columns) * layout.width,
    y: ((row + 0.5) / layout.rows) * layout.height,
  };
}

/** What a rectangle covers, from corner to corner: a span of whole columns, and rows [first, end). */
export function covering(
  layout: MatrixLayout,
  grid: Grid,
  a: { x: number; y: number },
  b: { x: number; y: number },
): { span: Span; first: number; end: number } {
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  const columnAt = (x: number): number => ((x - layout.left) / layout.width) * layout.columns;
  const rowAt = (y: number): number => (y / layout.height) * layout.rows;
  const [c0, c1] = [columnAt(a.x), columnAt(b.x)].sort((p, q) => p - q) as [number, number];
  const [r0, r1] = [rowAt(a.y), rowAt(b.y)].sort((p, q) => p - q) as [number, number];
  const from = grid.timeOf(Math.floor(clamp(c0, layout.columns - 1)));
  const to = grid.timeOf(Math.ceil(clamp(c1, layout.columns)));
  const first = Math.floor(clamp(r0, layout.rows - 1));
  return {
    span: { from, to: Math.max(to, from + grid.step) },
    first,
    end: Math.max(first + 1, Math.ceil(clamp(r1, layout.rows))),
  };
}

/** A span zoomed around a time. @param factor above 1: closer. @param least seconds that remain. */
export function zoomSpan({ from, to }: Span, around: number, factor: number, least: number): Span {
  const seconds = Math.max(least, (to - from) / factor);
  const share = (around - from) / (to - from);
  const start = Math.round(around - share * seconds);
  return { from: start, to: Math.round(start + seconds) };
}
