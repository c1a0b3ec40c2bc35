/**
 * Rows on their way into a record batch: values and times in two buffers that are used again, and what else a row has as runs
 * of the same number.
 */
import { cutRun, type EvenTimes, isEven, type Run } from './table.js';

/** Numbers that repeat: how often each. */
export interface Repeats {
  readonly numbers: number[];
  readonly counts: number[];
}

/** A part of the times: `rows` of them are those that were `back` rows before; 0: they are new. */
export interface TimesPart {
  readonly rows: number;
  readonly back: number;
}

/** What stands in front of a buffer of a record batch that is not compressed, i64. */
export const PLAIN = -1n;
const PLAIN_BYTES = 8;

const WORD = 2 ** 32;

/** Rows further back are not looked at: the distance that LZ4 knows. */
const MOST_BACK = 8191;

export class Batch {
  readonly #values: Float64Array;
  /** Unix milliseconds, int64 each: two words. */
  readonly #times: Uint32Array;
  /** In the order of the rows, which they add up to. */
  readonly timeParts: TimesPart[] = [];
  readonly queries: Repeats = { numbers: [], counts: [] };
  readonly texts: readonly Repeats[];
  rows = 0;
  /** The run before, if it is in this batch. */
  #last: Run | undefined;
  /** Even times in this batch, the last long ones: where they stand. */
  #even: (EvenTimes & { at: number; rows: number }) | undefined;

  constructor(
    textColumns: number,
    readonly capacity: number,
  ) {
    const bytes = new ArrayBuffer(PLAIN_BYTES + 8 * capacity);
    new DataView(bytes).setBigInt64(0, PLAIN, true);
    this.#values = new Float64Array(bytes, PLAIN_BYTES);
    this.#times = new Uint32Array(2 * capacity);
    this.texts = Array.from({ length: textColumns }, () => ({ numbers: [], counts: [] }));
  }

  /** The values as a buffer of a record batch, with `PLAIN` in front. */
  valueBytes(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, PLAIN_BYTES + 8 * this.rows);
  }

  /** The values as bytes. */
  plainValues(): Uint8Array {
    return this.valueBytes().subarray(PLAIN_BYTES);
  }

  /** The times of rows as bytes. */
  timeBytes(from: number, to: number): Uint8Array {
    return new Uint8Array(this.#times.buffer, from * 8, (to - from) * 8);
  }

  /** Adds as many rows of a run as there is room for. @returns the rest; undefined: there is none. */
  add(run: Run): Run | undefined {
    const rows = Math.min(run.values.length, this.capacity - this.rows);
    const taken = cutRun(run, 0, rows);
    this.#values.set(taken.values, this.rows);
    this.#addTimes(taken);
    repeat(this.queries, run.query, rows);
    for (const [column, number] of run.texts.entries()) {
      const repeats = this.texts[column];
      if (repeats) repeat(repeats, number, rows);
    }
    this.rows += rows;
    this.#last = taken;
    return rows === run.values.length ? undefined : cutRun(run, rows, run.values.length);
  }

  #addTimes(run: Run): void {
    const rows = run.values.length;
    const at = this.rows;
    const last = this.#last;
    const { times } = run;
    if (isEven(times)) {
      if (this.#repeatEven(at, rows, times)) return;
      this.#writeEven(at, rows, times.start, times.step);
      this.#even = { ...times, at, rows };
      this.timeParts.push({ rows, back: 0 });
    } else if (last !== undefined && rows <= MOST_BACK && areSame(last.times, times)) {
      this.#times.copyWithin(2 * at, 2 * (at - rows), 2 * at);
      this.timeParts.push({ rows, back: rows });
    } else {
      this.#write(at, times);
      this.timeParts.push({ rows, back: 0 });
    }
  }

  /** Repeats even times that contain the run's: a column may come in parts. @returns whether there are any near enough. */
  #repeatEven(at: number, rows: number, { start, step }: EvenTimes): boolean {
    const known = this.#even;
    if (known === undefined || known.step !== step) return false;
    const first = (start - known.start) / step;
    if (!Number.isInteger(first) || first < 0 || first + rows > known.rows) return false;
    const from = known.at + first;
    if (at - from > MOST_BACK) return false;
    this.#times.copyWithin(2 * at, 2 * from, 2 * (from + rows));
    this.timeParts.push({ rows, back: at - from });
    // The next ones look for them here, unless this is but a part.
    if (rows === known.rows) known.at = at;
    return true;
  }

  #writeEven(at: number, rows: number, start: number, step: number): void {
    let high = Math.floor(start / WORD);
    let low = start - high * WORD;
    for (let word = 2 * at; word < 2 * (at + rows); word += 2) {
      this.#times[word] = low;
      this.#times[word + 1] = high;
      low += step;
      if (low < WORD) continue;
      const carry = Math.floor(low / WORD);
      low -= carry * WORD;
      high += carry;
    }
  }

  #write(at: number, times: Float64Array): void {
    for (let row = 0; row < times.length; row++) {
      const time = times[row] ?? 0;
      const high = Math.floor(time / WORD);
      this.#times[2 * (at + row)] = time - high * WORD;
      this.#times[2 * (at + row) + 1] = high;
    }
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.rows = 0;
    this.timeParts.length = 0;
    this.#last = undefined;
    this.#even = undefined;
    for (const { numbers, counts } of [this.queries, ...this.texts]) {
      numbers.length = 0;
      counts.length = 0;
    }
  }
}

/** Whether times are the same as some uneven ones. */
function areSame(a: Float64Array | EvenTimes, b: Float64Array): boolean {
  if (isEven(a) || a.length !== b.length) return false;
  for (let row = 0; row < a.length; row++) if (a[row] !== b[row]) return false;
  return true;
}

/** Numbers as i32 each. */
export function expand({ numbers, counts }: Repeats, rows: number): Uint8Array {
  const all = new Int32Array(rows);
  let at = 0;
  for (const [i, number] of numbers.entries()) {
    const end = at + (counts[i] ?? 0);
    all.fill(number, at, end);
    at = end;
  }
  return new Uint8Array(all.buffer);
}

function repeat({ numbers, counts }: Repeats, number: number, rows: number): void {
  const last = numbers.length - 1;
  if (last >= 0 && numbers[last] === number) counts[last] = (counts[last] ?? 0) + rows;
  else {
    numbers.push(number);
    counts.push(rows);
  }
}
