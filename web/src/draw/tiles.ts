/** Draws nodes as tiles: a colour for each value, and a sign for what colour alone must not say. */
import type { Liveness } from '../model/nodes/nodes.js';
import { type Layout, tilesOf } from '../model/series/tiles.js';
import { COLOURS, colourIndex, colourOf, type Limits } from '../model/values/scale.js';
import { type Colours, prepareCanvas } from './canvas.js';

export interface TilesPicture {
  layout: Layout;
  limits: Limits;
  /** Absent: no value. */
  valueAt(node: string): number | undefined;
  /** The value in a few characters, for tiles that have room. */
  textAt(node: string): string;
  livenessOf(node: string): Liveness;
  /** Under the pointer or the keyboard. */
  marked: string | undefined;
  isSelected(node: string): boolean;
}

/** Side of a tile in which a value has room. */
const ROOM = 40;

export function drawTiles(canvas: HTMLCanvasElement, picture: TilesPicture, colours: Colours): void {
  const { layout, limits } = picture;
  const context = prepareCanvas(canvas, layout.width, layout.height);
  const size = layout.side - Math.max(1, Math.round(layout.side / 12));
  context.font = '12px system-ui, sans-serif';
  context.fillStyle = colours.soft;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  for (const { name, x, y } of layout.blocks) context.fillText(name, x, y - 5);
  for (const { node, x, y } of tilesOf(layout)) {
    const liveness = picture.livenessOf(node);
    const value = picture.valueAt(node);
    if (liveness === 'dead') drawDead(context, x, y, size, colours);
    else {
      if (value === undefined) drawEmpty(context, x, y, size, colours);
      else {
        context.fillStyle = colourOf(value, limits);
        context.fillRect(x, y, size, size);
        if (size >= ROOM) drawText(context, x, y, size, picture.textAt(node), colourIndex(value, limits));
        if (isBeyond(value, limits)) drawBeyond(context, x, y, size, value > limits.high, colours);
      }
      if (liveness === 'late') drawLate(context, x, y, size, colours);
    }
    if (picture.isSelected(node)) frame(context, x, y, size, colours.accent, 2);
    if (node === picture.marked) frame(context, x - 1, y - 1, size + 2, colours.ink, 2);
  }
}

function frame(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  colour: string,
  width: number,
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(x + width / 2, y + width / 2, size - width, size - width);
}

/** Dark on bright colours, bright on dark ones. */
function drawText(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  text: string,
  colour: number,
): void {
  context.fillStyle = colour > COLOURS / 2 ? '#1a2027' : '#ffffff';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, x + size / 2, y + size / 2, size - 4);
}

/** Outside of the scale by so much that its end says too little. */
function isBeyond(value: number, { low, high }: Limits): boolean {
  const far = (high - low) / 10;
  return value > high + far || value < low - far;
}

/** A corner: what colours cannot tell apart any more is not to be overlooked. */
function drawBeyond(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  isHigh: boolean,
  colours: Colours,
): void {
  const corner = Math.max(4, size * 0.45);
  const top = isHigh ? y : y + size;
  context.fillStyle = isHigh ? colours.dead : colours.accent;
  context.beginPath();
  context.moveTo(x + size, top);
  context.lineTo(x + size - corner, top);
  context.lineTo(x + size, isHigh ? top + corner : top - corner);
  context.fill();
}

/** It delivers, but not this metric. */
function drawEmpty(context: CanvasRenderingContext2D, x: number, y: number, size: number, colours: Colours): void {
  context.fillStyle = colours.raised;
  context.fillRect(x, y, size, size);
  frame(context, x, y, size, colours.line, 1);
}

/** A cross. */
function drawDead(context: CanvasRenderingContext2D, x: number, y: number, size: number, colours: Colours): void {
  context.fillStyle = colours.dead;
  context.fillRect(x, y, size, size);
  const inset = Math.max(1, size / 5);
  context.strokeStyle = colours.ground;
  context.lineWidth = Math.max(1, size / 7);
  context.beginPath();
  context.moveTo(x + inset, y + inset);
  context.lineTo(x + size - inset, y + size - inset);
  context.moveTo(x + size - inset, y + inset);
  context.lineTo(x + inset, y + size - inset);
  context.stroke();
}

/** Hatched, and framed in the colour of what is late. */
function drawLate(context: CanvasRenderingContext2D, x: number, y: number, size: number, colours: Colours): void {
  context.save();
  context.beginPath();
  context.rect(x, y, size, size);
  context.clip();
  context.strokeStyle = colours.ground;
  context.lineWidth = Math.max(1, size / 9);
  context.beginPath();
  for (let offset = -size; offset < size; offset += Math.max(3, size / 3)) {
    context.moveTo(x + offset, y + size);
    context.lineTo(x + offset + size, y);
  }
  context.stroke();
  context.restore();
  frame(context, x, y, size, colours.late, Math.max(1, size / 8));
}
