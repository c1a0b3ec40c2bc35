/**
 * Samples as bytes: `[1700000000,"0.25"]`. Most values are whole numbers of thousandths, and these need no general algorithm: their
 * digits are written as they are found.
 */
import { type Grid, isPresent, type Row, timeAt } from '../evaluate/rows.js';
import { formatSample, formatTime } from './numbers.js';

/** Numbers of at most 15 digits are all different doubles: none has shorter digits. */
const MOST_THOUSANDTHS = 1e15;
/** Bytes of the longest value, and of what stands around it. */
const LONGEST = 32;

const OPENING = 0x5b;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BRACKET = 0x5d;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** The times of a grid as they begin samples: `[1700000000,"`. */
export class SampleStarts {
  private readonly bytes: Uint8Array;
  private readonly ends: Uint32Array;
  /** Bytes of all. */
  readonly size: number;

  constructor(grid: Grid) {
    this.bytes = new Uint8Array(grid.count * LONGEST);
    this.ends = new Uint32Array(grid.count + 1);
    let at = 0;
    for (let step = 0; step < grid.count; step++) {
      this.bytes[at++] = OPENING;
      at = writeTime(timeAt(grid, step), this.bytes, at);
      this.bytes[at++] = COMMA;
      this.bytes[at++] = QUOTE;
      this.ends[step + 1] = at;
    }
    this.size = at;
  }

  /** Copies one. @returns where it ends */
  write(step: number, to: Uint8Array, at: number): number {
    let end = at;
    const last = this.ends[step + 1] ?? 0;
    for (let from = this.ends[step] ?? 0; from < last; from++) to[end++] = this.bytes[from] ?? 0;
    return end;
  }
}

/** Writes unix milliseconds as seconds. @returns where they end */
function writeTime(milliseconds: number, to: Uint8Array, at: number): number {
  const seconds = milliseconds / 1000;
  if (Number.isInteger(seconds) && seconds >= 0) return writeWhole(seconds, to, at);
  return writeText(formatTime(milliseconds), to, at);
}

function writeText(text: string, to: Uint8Array, at: number): number {
  let end = at;
  for (let i = 0; i < text.length; i++) to[end++] = text.charCodeAt(i);
  return end;
}

/** Writes a value. @returns where it ends */
export function writeValue(value: number, to: Uint8Array, at: number): number {
  const thousandths = Math.round(value * 1000);
  if (thousandths / 1000 === value && Math.abs(thousandths) < MOST_THOUSANDTHS && !Object.is(value, -0)) {
    return writeThousandths(thousandths, to, at);
  }
  return writeText(formatSample(value), to, at);
}

function writeThousandths(thousandths: number, to: Uint8Array, at: number): number {
  let end = at;
  let rest = thousandths;
  if (rest < 0) {
    to[end++] = MINUS;
    rest = -rest;
  }
  const whole = Math.floor(rest / 1000);
  let part = rest - whole * 1000;
  end = writeWhole(whole, to, end);
  if (part === 0) return end;
  to[end++] = DOT;
  for (let unit = 100; part > 0; unit /= 10) {
    const digit = Math.floor(part / unit);
    to[end++] = ZERO + digit;
    part -= digit * unit;
  }
  return end;
}

function writeWhole(whole: number, to: Uint8Array, at: number): number {
  let unit = 1;
  while (whole >= unit * 10) unit *= 10;
  let end = at;
  let rest = whole;
  for (; unit >= 1; unit /= 10) {
    const digit = (rest / unit) | 0;
    to[end++] = ZERO + digit;
    rest -= digit * unit;
  }
  return end;
}

/** The samples of a row, with commas between them. A copy. @param starts of the row's grid */
export function sampleBytes({ values, present }: Row, starts: SampleStarts): Uint8Array {
  const bytes = new Uint8Array(starts.size + values.length * LONGEST);
  let at = 0;
  for (let step = 0; step < values.length; step++) {
    if (!isPresent(present, step)) continue;
    if (at > 0) bytes[at++] = COMMA;
    at = starts.write(step, bytes, at);
    at = writeValue(values[step] ?? 0, bytes, at);
    bytes[at++] = QUOTE;
    bytes[at++] = BRACKET;
  }
  return bytes.subarray(0, at);
}
