/** Colours of values: cividis, which is the same to people who see no red or green, and gets evenly lighter. */
import { quantile } from './statistics.js';

export interface Limits {
  low: number;
  high: number;
}

export const COLOURS = 256;

/** `COLOURS` colours, red, green and blue of each. Fit of cividis (Nuñez, Anderton, Renslow 2018) as d3-scale-chromatic has it. */
export const cividis: Uint8ClampedArray = (() => {
  const table = new Uint8ClampedArray(3 * COLOURS);
  for (let i = 0; i < COLOURS; i++) {
    const t = i / (COLOURS - 1);
    table[3 * i] = -4.54 - t * (35.34 - t * (2381.73 - t * (6402.7 - t * (7024.72 - t * 2710.57))));
    table[3 * i + 1] = 32.49 + t * (170.73 + t * (52.82 - t * (131.46 - t * (176.58 - t * 67.37))));
    table[3 * i + 2] = 81.24 + t * (442.36 - t * (2482.43 - t * (6167.24 - t * (6614.94 - t * 2475.67))));
  }
  return table;
})();

const styles: readonly string[] = Array.from(
  { length: COLOURS },
  (_, i) => `rgb(${cividis[3 * i]} ${cividis[3 * i + 1]} ${cividis[3 * i + 2]})`,
);

/** Position of a value's colour in the table; what lies outside has the colour of the end. */
export function colourIndex(value: number, { low, high }: Limits): number {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return Math.round(Math.min(1, Math.max(0, share)) * (COLOURS - 1));
}

/** As CSS writes it. */
export function colourOf(value: number, limits: Limits): string {
  return styles[colourIndex(value, limits)] ?? '';
}

/** The colours from low to high, for a gradient. */
export function colourStops(count: number): string[] {
  return Array.from({ length: count }, (_, i) => styles[Math.round((i / (count - 1)) * (COLOURS - 1))] ?? '');
}

/** Limits from the values: 1 to 99 per cent of them, from 0 where that is not far, rounded to numbers that can be read. */
export function limitsOf(sorted: ArrayLike<number>): Limits {
  const [p1, p99] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
  if (Number.isNaN(p1)) return { low: 0, high: 1 };
  const low = p1 >= 0 && p1 < 0.4 * p99 ? 0 : p1;
  if (p99 <= low)
    return low === 0 ? { low: 0, high: 1 } : { low: low - Math.abs(low) / 2, high: low + Math.abs(low) / 2 };
  const step = roundStep((p99 - low) / 10);
  return { low: Math.floor(low / step) * step, high: Math.ceil(p99 / step) * step };
}

/** 1, 2 or 5 times a power of ten, not smaller than the step. */
export function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const rest = step / power;
  return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

/** `0-72`, also with signs and exponents; undefined: not two numbers, or in the wrong order. */
export function parseLimits(text: string): Limits | undefined {
  const match = /^(-?[\d.]+(?:e[+-]?\d+)?)-(-?[\d.]+(?:e[+-]?\d+)?)$/.exec(text);
  if (match === null) return undefined;
  const [low, high] = [Number(match[1]), Number(match[2])];
  return low < high ? { low, high } : undefined;
}

export function limitsText({ low, high }: Limits): string {
  return `${low}-${high}`;
}
