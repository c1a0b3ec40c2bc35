/** Canvases that are sharp on any screen, and the page's colours for them. */

export interface Colours {
  ink: string;
  soft: string;
  line: string;
  ground: string;
  raised: string;
  accent: string;
  good: string;
  late: string;
  dead: string;
}

/** The colours of the present theme, resolved. */
export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    soft: of('soft'),
    line: of('line'),
    ground: of('ground'),
    raised: of('raised'),
    accent: of('accent'),
    good: of('good'),
    late: of('late'),
    dead: of('dead'),
  };
}

/** Gives the canvas a size in CSS pixels and clears it. @returns its context, scaled so that a unit is a CSS pixel. */
export function prepareCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('BUG: this browser has no canvas');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
