/**
 * Values of series at the steps of a query: a row of doubles, and a bitmap that says at which steps there is a sample. A
 * missing sample is not NaN: `0/0` is a sample.
 */

import type { Turns } from '../../base/turns.js';
import type { Labels } from './labels.js';

/** The times at which an expression is evaluated, in unix milliseconds: start, start + step, ... */
export interface Grid {
  readonly start: number;
  /** At least 1, also when there is one step. */
  readonly step: number;
  /** 0: nothing is evaluated. */
  readonly count: number;
}

/** The grid from `start` to the last step that is not after `end`. */
export function gridOf(start: number, end: number, step: number): Grid {
  return { start, step, count: end < start ? 0 : Math.floor((end - start) / step) + 1 };
}

export function timeAt(grid: Grid, index: number): number {
  return grid.start + index * grid.step;
}

export interface Row {
  readonly labels: Labels;
  /** One value a step; where there is no sample it means nothing. */
  readonly values: Float64Array;
  /** One bit a step, the lowest of the first byte first; bits past the last step are 0. */
  readonly present: Uint8Array;
}

export function bytesOfBits(steps: number): number {
  return (steps + 7) >> 3;
}

/** Bytes that a number of rows takes. */
export function sizeOfRows(rows: number, steps: number): number {
  return rows * (steps * 8 + bytesOfBits(steps));
}

export function isPresent(present: Uint8Array, step: number): boolean {
  return (((present[step >> 3] ?? 0) >> (step & 7)) & 1) === 1;
}

export function setPresent(present: Uint8Array, step: number): void {
  present[step >> 3] = (present[step >> 3] ?? 0) | (1 << (step & 7));
}

/** Says that there is a sample at every step. */
export function setAllPresent(present: Uint8Array, steps: number): void {
  present.fill(255);
  if ((steps & 7) !== 0) present[present.length - 1] = (1 << (steps & 7)) - 1;
}

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
});

/** Samples of a row. */
export function countPresent(present: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < present.length; at++) count += bitsOfByte[present[at] ?? 0] ?? 0;
  return count;
}

export function isEmpty(present: Uint8Array): boolean {
  for (let at = 0; at < present.length; at++) if (present[at] !== 0) return false;
  return true;
}

/** The first step at which both have a sample, or -1. */
export function firstCommon(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at++) {
    const both = (a[at] ?? 0) & (b[at] ?? 0);
    if (both !== 0) return at * 8 + 31 - Math.clz32(both & -both);
  }
  return -1;
}

/** Adds the samples that `from` has to `to`. */
export function addPresent(to: Uint8Array, from: Uint8Array): void {
  for (let at = 0; at < to.length; at++) to[at] = (to[at] ?? 0) | (from[at] ?? 0);
}

/** The steps at which any of the rows has a sample. @throws what `turns.pause()` does. */
export async function presentInAny(rows: readonly Row[], steps: number, turns: Turns): Promise<Uint8Array> {
  const any = new Uint8Array(bytesOfBits(steps));
  for (const { present } of rows) {
    addPresent(any, present);
    if (turns.due()) await turns.pause();
  }
  return any;
}

/** Makes rows of one size in one piece of memory. */
export class RowMaker {
  private readonly values: Float64Array;
  private readonly bits: Uint8Array;
  private next = 0;

  constructor(
    rows: number,
    private readonly steps: number,
  ) {
    this.values = new Float64Array(rows * steps);
    this.bits = new Uint8Array(rows * bytesOfBits(steps));
  }

  /** A row without samples. */
  row(labels: Labels): Row {
    const index = this.next++;
    const stride = bytesOfBits(this.steps);
    return {
      labels,
      values: this.values.subarray(index * this.steps, (index + 1) * this.steps),
      present: this.bits.subarray(index * stride, (index + 1) * stride),
    };
  }
}

/** Thrown while evaluating: the query is right, but not with this data. The message is Prometheus's. */
export class ExecutionError extends Error {
  override readonly name = 'ExecutionError';
}

const SAME_LABELS = 'vector cannot contain metrics with the same labelset';

/** @throws ExecutionError when two rows have the same labels, whatever their samples. */
export async function refuseEqualLabels(rows: readonly Row[], turns: Turns): Promise<void> {
  const known = new Set<string>();
  for (const { labels } of rows) {
    known.add(labels.key);
    if (turns.due()) await turns.pause();
  }
  if (known.size < rows.length) throw new ExecutionError(SAME_LABELS);
}

/**
 * Joins rows that have the same labels, and leaves out rows without samples. The rows given stay as they are.
 * @throws ExecutionError when two of them have a sample at the same step.
 */
export async function joinEqualLabels(rows: readonly Row[], turns: Turns): Promise<Row[]> {
  const joined = new Map<string, Row>();
  const copies = new Set<string>();
  for (const row of rows) {
    if (turns.due()) await turns.pause();
    if (isEmpty(row.present)) continue;
    const { key } = row.labels;
    const other = joined.get(key);
    if (other === undefined) {
      joined.set(key, row);
      continue;
    }
    if (firstCommon(other.present, row.present) >= 0) throw new ExecutionError(SAME_LABELS);
    const target = copies.has(key) ? other : copyOf(other);
    joined.set(key, target);
    copies.add(key);
    copySamples(target, row);
  }
  return [...joined.values()];
}

function copyOf(row: Row): Row {
  return { labels: row.labels, values: row.values.slice(), present: row.present.slice() };
}

/** Writes the samples of one row into another, over what it has there. */
export function copySamples(to: Row, from: Row): void {
  for (let step = 0; step < from.values.length; step++) {
    if (isPresent(from.present, step)) to.values[step] = from.values[step] ?? 0;
  }
  addPresent(to.present, from.present);
}
