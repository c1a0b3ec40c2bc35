/** Draws rows of values over time as an image: a row of pixels each, or more. */
import { covered, type Pixel, type Rows, resampleRows } from '../model/series/resample.js';
import { cividis, colourIndex, type Limits } from '../model/values/scale.js';

export interface HeatPicture {
  rows: Rows;
  /** Of each row. */
  columns: number;
  limits: Limits;
  pixel: Pixel;
}

/** Fills a rectangle of the context with the rows, the first on top; where there is no value the ground shows. */
export function drawHeat(
  context: CanvasRenderingContext2D,
  { rows, columns, limits, pixel }: HeatPicture,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  if (columns === 0 || rows.length === 0 || width < 1 || height < 1) return;
  const ratio = devicePixelRatio || 1;
  const w = Math.min(columns, Math.floor(width * ratio));
  const h = Math.min(rows.length, Math.floor(height * ratio));
  const image = new ImageData(w, h);
  const line = new Float64Array(w);
  for (let row = 0; row < h; row++) {
    resampleRows(rows.slice(...covered(row, h, rows.length)), columns, pixel, line);
    for (let column = 0; column < w; column++) {
      const value = line[column] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      const colour = 3 * colourIndex(value, limits);
      const at = 4 * (row * w + column);
      image.data[at] = cividis[colour] ?? 0;
      image.data[at + 1] = cividis[colour + 1] ?? 0;
      image.data[at + 2] = cividis[colour + 2] ?? 0;
      image.data[at + 3] = 255;
    }
  }
  const buffer = new OffscreenCanvas(w, h);
  buffer.getContext('2d')?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(buffer, x, y, width, height);
}
