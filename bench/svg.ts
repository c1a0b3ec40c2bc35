/** Small line plots in a grid, as one SVG file. */

export interface Plot {
  title: string;
  /** What the horizontal axis counts. */
  x: string;
  points: (readonly [x: number, y: number])[];
}

/** Pixels. */
const WIDTH = 300;
const HEIGHT = 180;
const LEFT = 56;
const RIGHT = 14;
const TOP = 26;
const BOTTOM = 34;

/** One row of plots each. Both axes begin at 0, so that a flat curve looks flat. */
export function plots(rows: readonly Plot[][]): string {
  const width = Math.max(0, ...rows.map((row) => row.length)) * WIDTH;
  const height = rows.length * HEIGHT;
  const cells = rows.flatMap((row, r) =>
    row.map((plot, c) => `<g transform="translate(${c * WIDTH} ${r * HEIGHT})">${drawn(plot)}</g>`),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...cells,
    '</svg>\n',
  ].join('\n');
}

function drawn({ title, x, points }: Plot): string {
  const right = roundUp(Math.max(...points.map(([at]) => at)));
  const top = roundUp(Math.max(...points.map(([, value]) => value)));
  const px = (at: number): string => (LEFT + (at / right) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const py = (value: number): string => (HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const parts = [`<text x="${LEFT}" y="16" font-weight="bold">${title}</text>`];
  for (const share of [0, 0.5, 1]) {
    const y = py(top * share);
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 5}" y="${y}" dy="4" text-anchor="end">${short(top * share)}</text>`);
    const anchor = share === 1 ? 'end' : 'middle';
    parts.push(
      `<text x="${px(right * share)}" y="${HEIGHT - BOTTOM + 14}" text-anchor="${anchor}">${short(right * share)}</text>`,
    );
  }
  parts.push(`<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle" fill="#666">${x}</text>`);
  const line = points.map(([at, value]) => `${px(at)},${py(value)}`).join(' ');
  parts.push(`<polyline points="${line}" fill="none" stroke="#2563eb" stroke-width="2"/>`);
  for (const [at, value] of points) parts.push(`<circle cx="${px(at)}" cy="${py(value)}" r="3" fill="#2563eb"/>`);
  return parts.join('');
}

/** The next 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function short(value: number): string {
  return value.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 2 });
}
