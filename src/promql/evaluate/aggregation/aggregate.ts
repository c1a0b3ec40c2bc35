/**
 * Aggregations that make one row of each group: sum, avg, min, max, count, group, stddev, stdvar. Rows are added one after
 * the other, so each step sees its samples in the order of the rows, as in Prometheus.
 */

import type { AggregationOperator } from '../../parse/ast.js';
import { isPresent, type Row, setPresent } from '../rows.js';

/** The state of one group at all steps. */
export interface Accumulator {
  add(row: Row): void;
  /** Writes the results into the row, whose bitmap has been kept by `add`. */
  finish(): void;
}

/** Sums with compensation: `lost` is what rounding has taken off. */
class Summing implements Accumulator {
  private readonly lost: Float64Array;

  constructor(private readonly result: Row) {
    this.lost = new Float64Array(result.values.length);
  }

  add({ values, present }: Row): void {
    const { result, lost } = this;
    for (let step = 0; step < values.length; step++) {
      if (!isPresent(present, step)) continue;
      const term = values[step] ?? 0;
      if (!isPresent(result.present, step)) {
        result.values[step] = term;
        setPresent(result.present, step);
        continue;
      }
      const sum = result.values[step] ?? 0;
      const next = sum + term;
      const carried = lost[step] ?? 0;
      if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) lost[step] = 0;
      else if (Math.abs(sum) >= Math.abs(term)) lost[step] = carried + (sum - next + term);
      else lost[step] = carried + (term - next + sum);
      result.values[step] = next;
    }
  }

  finish(): void {
    const { values } = this.result;
    for (let step = 0; step < values.length; step++) values[step] = (values[step] ?? 0) + (this.lost[step] ?? 0);
  }
}

/** The mean as the sum by the count; where the sum would overflow, from there on incrementally. */
class Averaging implements Accumulator {
  private readonly lost: Float64Array;
  private readonly counts: Float64Array;
  private readonly incremental: Uint8Array;

  constructor(private readonly result: Row) {
    const steps = result.values.length;
    this.lost = new Float64Array(steps);
    this.counts = new Float64Array(steps);
    this.incremental = new Uint8Array(steps);
  }

  add({ values, present }: Row): void {
    for (let step = 0; step < values.length; step++) {
      if (isPresent(present, step)) this.addSample(step, values[step] ?? 0);
    }
  }

  private addSample(step: number, term: number): void {
    const { result, lost, counts, incremental } = this;
    const count = (counts[step] ?? 0) + 1;
    counts[step] = count;
    if (count === 1) {
      result.values[step] = term;
      setPresent(result.present, step);
      return;
    }
    if (incremental[step] === 0) {
      const sum = result.values[step] ?? 0;
      const next = sum + term;
      if (next !== Number.POSITIVE_INFINITY && next !== Number.NEGATIVE_INFINITY) {
        this.accumulate(step, sum, term, lost[step] ?? 0);
        return;
      }
      incremental[step] = 1;
      result.values[step] = sum / (count - 1);
      lost[step] = (lost[step] ?? 0) / (count - 1);
    }
    const weight = (count - 1) / count;
    this.accumulate(step, weight * (result.values[step] ?? 0), term / count, weight * (lost[step] ?? 0));
  }

  private accumulate(step: number, sum: number, term: number, carried: number): void {
    const next = sum + term;
    const { lost } = this;
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) lost[step] = 0;
    else if (Math.abs(sum) >= Math.abs(term)) lost[step] = carried + (sum - next + term);
    else lost[step] = carried + (term - next + sum);
    this.result.values[step] = next;
  }

  finish(): void {
    const { values } = this.result;
    for (let step = 0; step < values.length; step++) {
      const count = this.incremental[step] === 0 ? (this.counts[step] ?? 1) : 1;
      values[step] = (values[step] ?? 0) / count + (this.lost[step] ?? 0) / count;
    }
  }
}

/** The least or the greatest; NaN only where there is nothing else. */
class Extreme implements Accumulator {
  constructor(
    private readonly result: Row,
    private readonly sign: 1 | -1,
  ) {}

  add({ values, present }: Row): void {
    const { result, sign } = this;
    for (let step = 0; step < values.length; step++) {
      if (!isPresent(present, step)) continue;
      const value = values[step] ?? 0;
      const known = result.values[step] ?? 0;
      if (!isPresent(result.present, step)) setPresent(result.present, step);
      else if (!(sign * known < sign * value) && !Number.isNaN(known)) continue;
      result.values[step] = value;
    }
  }

  finish(): void {}
}

class Counting implements Accumulator {
  constructor(
    private readonly result: Row,
    /** 1 whatever the number of samples. */
    private readonly once: boolean,
  ) {}

  add({ values, present }: Row): void {
    const { result, once } = this;
    for (let step = 0; step < values.length; step++) {
      if (!isPresent(present, step)) continue;
      const known = isPresent(result.present, step) ? (result.values[step] ?? 0) : 0;
      result.values[step] = once ? 1 : known + 1;
      setPresent(result.present, step);
    }
  }

  finish(): void {}
}

/** Welford's variance, or its root. */
class Deviation implements Accumulator {
  private readonly means: Float64Array;
  private readonly counts: Float64Array;

  constructor(
    private readonly result: Row,
    private readonly root: boolean,
  ) {
    this.means = new Float64Array(result.values.length);
    this.counts = new Float64Array(result.values.length);
  }

  add({ values, present }: Row): void {
    const { result, means, counts } = this;
    for (let step = 0; step < values.length; step++) {
      if (!isPresent(present, step)) continue;
      const value = values[step] ?? 0;
      const count = (counts[step] ?? 0) + 1;
      counts[step] = count;
      if (count === 1) {
        setPresent(result.present, step);
        means[step] = value;
        result.values[step] = Number.isFinite(value) ? 0 : Number.NaN;
        continue;
      }
      const delta = value - (means[step] ?? 0);
      const mean = (means[step] ?? 0) + delta / count;
      means[step] = mean;
      result.values[step] = (result.values[step] ?? 0) + delta * (value - mean);
    }
  }

  finish(): void {
    const { values } = this.result;
    for (let step = 0; step < values.length; step++) {
      const variance = (values[step] ?? 0) / (this.counts[step] ?? 1);
      values[step] = this.root ? Math.sqrt(variance) : variance;
    }
  }
}

const makers: Partial<Record<AggregationOperator, (result: Row) => Accumulator>> = {
  sum: (result) => new Summing(result),
  avg: (result) => new Averaging(result),
  min: (result) => new Extreme(result, -1),
  max: (result) => new Extreme(result, 1),
  count: (result) => new Counting(result, false),
  group: (result) => new Counting(result, true),
  stddev: (result) => new Deviation(result, true),
  stdvar: (result) => new Deviation(result, false),
};

/** The accumulator of an operator over an empty row, which becomes the result; undefined for operators of other kinds. */
export function accumulatorOf(operator: AggregationOperator, result: Row): Accumulator | undefined {
  return makers[operator]?.(result);
}
