/** A histogram over a strip of its values' colours: the legend of a colour scale, with how the values lie in it. */
import { colourOf } from '../model/values/scale.js';
import type { Histogram } from '../model/values/statistics.js';
import { type Colours, prepareCanvas } from './canvas.js';

/** Height of the strip of colours below the bars. */
const STRIP = 8;

export function drawHistogram(
  canvas: HTMLCanvasElement,
  { from, to, counts }: Histogram,
  width: number,
  height: number,
  colours: Colours,
): void {
  const context = prepareCanvas(canvas, width, height);
  const most = Math.max(1, ...counts);
  const limits = { low: from, high: to };
  const bar = width / counts.length;
  const room = height - STRIP - 2;
  for (const [i, count] of counts.entries()) {
    const value = from + ((i + 0.5) / counts.length) * (to - from);
    context.fillStyle = colourOf(value, limits);
    context.fillRect(i * bar, height - STRIP, bar + 0.5, STRIP);
    if (count === 0) continue;
    // A single node is to be seen beside a thousand.
    const tall = Math.max(2, room * Math.sqrt(count / most));
    context.fillStyle = colours.soft;
    context.fillRect(i * bar + 0.5, room - tall, Math.max(1, bar - 1), tall);
  }
}
