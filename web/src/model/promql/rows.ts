/** The answer at one time as rows of a table. */
import type { QueryData } from './answer.js';

export interface ValueRow {
  labels: Record<string, string>;
  /** Unix seconds. */
  time: number;
  /** As Prometheus writes numbers; of a text the text. */
  value: string;
}

/** Of series of samples the newest one of each. */
export function rowsOf(data: QueryData): ValueRow[] {
  switch (data.resultType) {
    case 'vector':
      return data.result.map(({ metric, value: [time, value] }) => ({ labels: metric, time, value }));
    case 'matrix':
      return data.result.flatMap(({ metric, values }) => {
        const [time, value] = values.at(-1) ?? [];
        return time === undefined || value === undefined ? [] : [{ labels: metric, time, value }];
      });
    default:
      return [{ labels: {}, time: data.result[0], value: data.result[1] }];
  }
}

/** Labels that any of the rows has, the metric's name first. */
export function labelsOf(rows: readonly ValueRow[]): string[] {
  const names = new Set(rows.flatMap(({ labels }) => Object.keys(labels)));
  return [...names].toSorted((a, b) => Number(b === '__name__') - Number(a === '__name__') || (a < b ? -1 : 1));
}
