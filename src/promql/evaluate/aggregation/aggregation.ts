/** Aggregation expressions: groups of rows to one row each, or to some of the rows. */

import { mapInTurns, sortInTurns } from '../../../base/turns.js';
import type { Aggregation, Expr } from '../../parse/ast.js';
import { unwrap } from '../../parse/ast.js';
import { formatPlain } from '../../parse/literals.js';
import { checkQuantiles } from '../functions/histogram-functions.js';
import { quantileOf } from '../functions/quantile.js';
import type { Labels } from '../labels.js';
import { ExecutionError, type Grid, isPresent, joinEqualLabels, type Row, type RowMaker, setPresent } from '../rows.js';
import type { QueryRun } from '../run.js';
import { Selection } from '../select.js';
import { accumulatorOf } from './aggregate.js';
import { Grouper, groupRows } from './groups.js';

/** What an aggregation needs of the evaluator. */
interface Host {
  readonly run: QueryRun;
  vector(expr: Expr, grid: Grid): Promise<readonly Row[]>;
  scalar(expr: Expr, grid: Grid): Promise<Float64Array>;
  maker(rows: number, grid: Grid): RowMaker;
  release(rows: readonly Row[], grid: Grid): void;
  aggregateLeaf(expr: Aggregation, grid: Grid): Promise<Row[] | undefined>;
}

const MAX_INT64 = 2 ** 63;

/** Rows of numbers that an accumulator has beside its result, at most. */
const STATE_ROWS = 3;

export class Aggregator {
  constructor(private readonly host: Host) {}

  async aggregate(expr: Aggregation, grid: Grid): Promise<Row[]> {
    const { operator, parameter } = expr;
    const text = parameter === undefined ? undefined : unwrap(parameter);
    if (operator === 'count_values') {
      const rows = await this.host.vector(expr.expr, grid);
      return this.countValues(expr, rows, text?.kind === 'string' ? text.value : '', grid);
    }
    if (text === undefined) {
      const rows = await this.host.aggregateLeaf(expr, grid);
      if (rows !== undefined) return rows;
    }
    const parameters = text === undefined ? undefined : await this.host.scalar(text, grid);
    const rows = await this.host.vector(expr.expr, grid);
    const results = await this.groupsOf(expr, rows, parameters, grid);
    this.host.release(rows, grid);
    return results;
  }

  private groupsOf(
    expr: Aggregation,
    rows: readonly Row[],
    parameters: Float64Array | undefined,
    grid: Grid,
  ): Promise<Row[]> | Row[] {
    if (parameters === undefined) return this.accumulate(expr, rows, grid);
    if (expr.operator === 'quantile') return this.quantile(expr, rows, parameters, grid);
    const position = expr.parameter?.start ?? expr.start;
    if (!this.checkSelection(expr, parameters, position)) return [];
    return this.select(expr, rows, parameters, grid);
  }

  private async accumulate(expr: Aggregation, rows: readonly Row[], grid: Grid): Promise<Row[]> {
    const { labels, groupOf } = await groupRows(rows, expr, this.host.run);
    this.host.run.reserveRows(STATE_ROWS * labels.length, grid.count);
    const maker = this.host.maker(labels.length, grid);
    const results = await mapInTurns(labels, (one) => maker.row(one), this.host.run);
    const accumulators = await mapInTurns(results, (result) => accumulatorOf(expr.operator, result), this.host.run);
    for (const [index, row] of rows.entries()) {
      accumulators[groupOf[index] ?? 0]?.add(row);
      if (this.host.run.due()) await this.host.run.pause();
    }
    for (const accumulator of accumulators) {
      accumulator?.finish();
      if (this.host.run.due()) await this.host.run.pause();
    }
    this.host.run.releaseRows(STATE_ROWS * labels.length, grid.count);
    return results;
  }

  private async quantile(expr: Aggregation, rows: readonly Row[], quantiles: Float64Array, grid: Grid): Promise<Row[]> {
    checkQuantiles(quantiles, expr.parameter?.start ?? expr.start, this.host.run);
    const { labels, groupOf } = await groupRows(rows, expr, this.host.run);
    const maker = this.host.maker(labels.length, grid);
    const results: Row[] = [];
    const membersOf: Row[][] = labels.map(() => []);
    for (const [index, row] of rows.entries()) membersOf[groupOf[index] ?? 0]?.push(row);
    for (const [group, one] of labels.entries()) {
      const members = membersOf[group] ?? [];
      const result = maker.row(one);
      const values = new Float64Array(members.length);
      for (let step = 0; step < grid.count; step++) {
        let count = 0;
        for (const member of members) {
          if (isPresent(member.present, step)) values[count++] = member.values[step] ?? 0;
        }
        if (count === 0) continue;
        result.values[step] = quantileOf(quantiles[step] ?? Number.NaN, values.subarray(0, count));
        setPresent(result.present, step);
        if (this.host.run.due()) await this.host.run.pause();
      }
      results.push(result);
    }
    return results;
  }

  /** Looks at k or the ratio at all steps. False: nothing is chosen at any. @throws ExecutionError */
  private checkSelection({ operator }: Aggregation, parameters: Float64Array, position: number): boolean {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    let missing = false;
    for (const parameter of parameters) {
      least = Math.min(least, parameter);
      most = Math.max(most, parameter);
      missing ||= Number.isNaN(parameter);
    }
    if (operator === 'limit_ratio') {
      if (most === 0 && least === 0) return false;
      if (missing) throw new ExecutionError('Ratio value is NaN');
      if (most > 1) this.host.run.annotations.invalidRatio(most, 1, position);
      if (least < -1) this.host.run.annotations.invalidRatio(least, -1, position);
      return true;
    }
    if (most < 1) return false;
    if (missing) throw new ExecutionError('Parameter value is NaN');
    if (least <= -MAX_INT64) throw new ExecutionError(`Scalar value ${goNumber(least)} underflows int64`);
    if (most >= MAX_INT64) throw new ExecutionError(`Scalar value ${goNumber(most)} overflows int64`);
    return true;
  }

  private async select(expr: Aggregation, given: readonly Row[], parameters: Float64Array, grid: Grid): Promise<Row[]> {
    // Which of equal values are chosen, and the first k of limitk, are by the order of labels.
    const { run } = this.host;
    const rows = await sortInTurns(given, (a, b) => a.labels.compare(b.labels), run);
    const { labels, groupOf } = await groupRows(rows, expr, run);
    const maker = this.host.maker(rows.length, grid);
    const results: (Row | undefined)[] = rows.map(() => undefined);
    /** Rows in the order in which they were first chosen: best first where there is one step. */
    const chosen: Row[] = [];
    const selection = new Selection(expr.operator, rows, run);
    const members: number[][] = labels.map(() => []);
    groupOf.forEach((group, index) => {
      members[group]?.push(index);
    });
    const all = keepsAll(expr, members, parameters);
    for (let step = 0; step < grid.count; step++) {
      // Their order is known then, and nothing is left to be chosen.
      if (all && chosen.length === rows.length) {
        for (const [index, row] of rows.entries()) copyRow(results[index], row);
        break;
      }
      for (const group of members) {
        for (const index of await selection.choose(group, step, parameters[step] ?? Number.NaN)) {
          const row = rows[index];
          if (row === undefined) continue;
          let result = results[index];
          if (result === undefined) {
            result = maker.row(row.labels);
            results[index] = result;
            chosen.push(result);
          }
          result.values[step] = row.values[step] ?? 0;
          setPresent(result.present, step);
          if (run.due()) await run.pause();
        }
        if (run.due()) await run.pause();
      }
    }
    return chosen;
  }

  /** One row for each value that occurs in a group. */
  private async countValues(expr: Aggregation, rows: readonly Row[], label: string, grid: Grid): Promise<Row[]> {
    if (label === '' || label.includes('\ufffd')) throw new ExecutionError(`invalid label name "${label}"`);
    const labelsBy = expr.without ? expr.labels : [...expr.labels, label];
    const grouper = new Grouper({ without: expr.without, labels: labelsBy });
    const results = new Map<string, Row>();
    const labelled = new Map<string, Labels>();
    for (const row of rows) {
      labelled.clear();
      for (let step = 0; step < grid.count; step++) {
        if (!isPresent(row.present, step)) continue;
        const text = formatPlain(row.values[step] ?? 0);
        let labels = labelled.get(text);
        if (labels === undefined) {
          labels = grouper.labelsOf(row.labels.with(label, text));
          labelled.set(text, labels);
        }
        let result = results.get(labels.key);
        if (result === undefined) {
          result = this.host.maker(1, grid).row(labels);
          results.set(labels.key, result);
        }
        result.values[step] = (result.values[step] ?? 0) + 1;
        setPresent(result.present, step);
      }
      if (this.host.run.due()) await this.host.run.pause();
    }
    return joinEqualLabels([...results.values()], this.host.run);
  }
}

/** Whether at each step every group has no more rows than are chosen of it. */
function keepsAll({ operator }: Aggregation, groups: readonly number[][], parameters: Float64Array): boolean {
  if (operator === 'limit_ratio') return false;
  const most = groups.reduce((least, { length }) => Math.max(least, length), 0);
  return parameters.every((parameter) => parameter >= most);
}

function copyRow(to: Row | undefined, { values, present }: Row): void {
  to?.values.set(values);
  to?.present.set(present);
}

/** As Go's `%v` prints a double beyond 64 bits. */
function goNumber(value: number): string {
  if (!Number.isFinite(value)) return formatPlain(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
