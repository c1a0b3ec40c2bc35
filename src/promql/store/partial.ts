/**
 * Groups that partitions have added up, merged: partial results carry what rounding has lost, so that the result does not
 * depend on the number of partitions but for the last digit. They merge in the order of the partitions.
 */

import { LeafAggregation } from '../../store/store.js';
import type { Labels } from '../evaluate/labels.js';
import { addPresent, isPresent, type Row } from '../evaluate/rows.js';
import type { AggregationOperator } from '../parse/ast.js';

/** Operators that the core knows, and how it adds for them. */
export const coreAggregations: ReadonlyMap<AggregationOperator, LeafAggregation> = new Map([
  ['sum', LeafAggregation.Sum],
  ['avg', LeafAggregation.Avg],
  ['count', LeafAggregation.Count],
  ['group', LeafAggregation.Count],
  ['min', LeafAggregation.Min],
  ['max', LeafAggregation.Max],
  ['stddev', LeafAggregation.Variance],
  ['stdvar', LeafAggregation.Variance],
]);

/** One group: the rows that the core keeps for it, and the steps that have a sample. */
export interface Partial {
  readonly labels: Labels;
  readonly rows: readonly Float64Array[];
  readonly present: Uint8Array;
}

/** Adds the sum of another group to one, and what both have lost. */
function addSums(sums: Float64Array, lost: Float64Array, other: Float64Array, otherLost: Float64Array): void {
  for (let step = 0; step < sums.length; step++) {
    const sum = sums[step] ?? 0;
    const term = other[step] ?? 0;
    const next = sum + term;
    const error = Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sums[step] = next;
    lost[step] = (lost[step] ?? 0) + (otherLost[step] ?? 0) + error;
  }
}

function addCounts(counts: Float64Array, other: Float64Array): void {
  for (let step = 0; step < counts.length; step++) counts[step] = (counts[step] ?? 0) + (other[step] ?? 0);
}

/** Chan's: squared differences, means and counts of two sets as those of both. */
function addVariance([squares, means, counts]: Rows, [otherSquares, otherMeans, otherCounts]: Rows): void {
  for (let step = 0; step < squares.length; step++) {
    const count = counts[step] ?? 0;
    const other = otherCounts[step] ?? 0;
    if (other === 0) continue;
    const all = count + other;
    const delta = (otherMeans[step] ?? 0) - (means[step] ?? 0);
    means[step] = (means[step] ?? 0) + (delta * other) / all;
    squares[step] = (squares[step] ?? 0) + (otherSquares[step] ?? 0) + (delta * delta * count * other) / all;
    counts[step] = all;
  }
}

type Rows = readonly [Float64Array, Float64Array, Float64Array];

const none = new Float64Array(0);

function rowsOf({ rows: [first = none, second = none, third = none] }: Partial): Rows {
  return [first, second, third];
}

/** Adds `from` to `to`. Both are of the same group. */
export function mergePartial(to: Partial, from: Partial, aggregation: LeafAggregation): void {
  const rows = rowsOf(to);
  const others = rowsOf(from);
  switch (aggregation) {
    case LeafAggregation.Sum:
      addSums(rows[0], rows[1], others[0], others[1]);
      break;
    case LeafAggregation.Avg:
      addSums(rows[0], rows[1], others[0], others[1]);
      addCounts(rows[2], others[2]);
      break;
    case LeafAggregation.Count:
      addCounts(rows[0], others[0]);
      break;
    case LeafAggregation.Variance:
      addVariance(rows, others);
      break;
    default:
      keepExtreme(to, from, aggregation === LeafAggregation.Max);
  }
  addPresent(to.present, from.present);
}

function keepExtreme(to: Partial, from: Partial, greatest: boolean): void {
  const [row] = rowsOf(to);
  const [other] = rowsOf(from);
  for (let step = 0; step < row.length; step++) {
    if (!isPresent(from.present, step)) continue;
    const value = other[step] ?? 0;
    const known = row[step] ?? 0;
    if (!isPresent(to.present, step) || (greatest ? known < value : known > value)) row[step] = value;
  }
}

/** The result of a group, in its first row. Undefined: a mean whose sum overflows has to be computed otherwise. */
export function finishPartial(partial: Partial, operator: AggregationOperator): Row | undefined {
  const { labels, present } = partial;
  const [values, second, counts] = rowsOf(partial);
  for (let step = 0; step < values.length; step++) {
    const value = values[step] ?? 0;
    const count = counts[step] ?? 1;
    switch (operator) {
      case 'sum':
        values[step] = Number.isFinite(value) ? value + (second[step] ?? 0) : value;
        break;
      case 'avg':
        if (!Number.isFinite(value)) return undefined;
        values[step] = value / count + (second[step] ?? 0) / count;
        break;
      case 'stdvar':
        values[step] = value / count;
        break;
      case 'stddev':
        values[step] = Math.sqrt(value / count);
        break;
      case 'group':
        values[step] = 1;
        break;
    }
  }
  return { labels, values, present };
}
