/**
 * A long table: what answers in columns (Arrow, Parquet, CSV) are made of. A row is a sample; its texts come from short lists
 * and stay the same for whole runs of rows, so that nothing is made for a single row.
 */

/** A column of texts, each row of which has one of them or none. */
export interface TextColumn {
  readonly name: string;
  readonly texts: readonly string[];
}

/** Samples one after the other that have the same texts. */
export interface Run {
  /** Number of the query in its request. */
  readonly query: number;
  /** Indexes into the texts of each text column; -1: none. */
  readonly texts: Int32Array;
  /** At least one. A view that is used before the next run is asked for. */
  readonly values: Float64Array;
  /** Unix milliseconds: of each value, or of the first one with a fixed distance between two. Not written to later. */
  readonly times: Float64Array | EvenTimes;
}

export interface EvenTimes {
  readonly start: number;
  readonly step: number;
}

/** A table is known but for its rows before it is read: formats say first what will come. */
export interface Table {
  /** Whether the rows say which query they answer. */
  readonly hasQueries: boolean;
  readonly columns: readonly TextColumn[];
  /** What is to be said beside the rows, as JSON: errors, warnings. */
  readonly notes: ReadonlyMap<string, string>;
  /** In order, at most `MAX_RUN` rows each. */
  readonly runs: AsyncIterable<Run>;
}

/** Rows of a run at most. */
export const MAX_RUN = 1 << 16;

/** Names of the columns that every table has. */
export const QUERY = 'query';
export const TIMESTAMP = 'timestamp';
export const VALUE = 'value';

export function isEven(times: Float64Array | EvenTimes): times is EvenTimes {
  return !(times instanceof Float64Array);
}

/** Unix milliseconds of a run's row. */
export function timeOf({ times }: Run, row: number): number {
  return isEven(times) ? times.start + row * times.step : (times[row] ?? 0);
}

/** The rows [from, to) of a run. */
export function cutRun(run: Run, from: number, to: number): Run {
  if (from === 0 && to === run.values.length) return run;
  const { times } = run;
  const cut = isEven(times) ? { start: times.start + from * times.step, step: times.step } : times.subarray(from, to);
  return { ...run, values: run.values.subarray(from, to), times: cut };
}

/** Numbers texts in the order in which they first come. */
export class TextList {
  readonly #numbers = new Map<string, number>();

  get texts(): string[] {
    return [...this.#numbers.keys()];
  }

  /** @param text empty: none, which is -1. */
  add(text: string): number {
    if (text === '') return -1;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** The number of a text that was added; -1: it was not. */
  numberOf(text: string): number {
    return this.#numbers.get(text) ?? -1;
  }
}
