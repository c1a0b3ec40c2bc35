/** Walks an expression and computes its value at all steps of a grid. */

import { filterInTurns, mapInTurns } from '../../base/turns.js';
import type { Aggregation, Binary, Call, Expr, MatrixSelector, Subquery, VectorSelector } from '../parse/ast.js';
import { typeOf, unwrap } from '../parse/ast.js';
import { printExpr } from '../parse/print.js';
import { Aggregator } from './aggregation/aggregation.js';
import { combineScalars, combineVectors, combineWithScalar } from './binary.js';
import { millisecondsOf, shiftOf } from './durations.js';
import { evaluateCall } from './functions/calls.js';
import { isInvariant } from './invariant.js';
import { Labels } from './labels.js';
import { extentOf, fillWindows, readLeaf } from './leaf.js';
import {
  countPresent,
  ExecutionError,
  type Grid,
  gridOf,
  isPresent,
  joinEqualLabels,
  type Row,
  RowMaker,
  setAllPresent,
  timeAt,
} from './rows.js';
import type { QueryRun } from './run.js';
import type { InstantShape, Leaf, RawSeries, SeriesSource, WindowShape } from './source.js';
import type { MatrixValue, SampleSeries, ScalarValue, Value, VectorValue } from './value.js';

/** The step of a subquery that gives none, in milliseconds. */
const DEFAULT_SUBQUERY_STEP = 60_000;
/** Steps of one subquery: more would hold the main thread for too long within one row. */
const MAX_SUBQUERY_STEPS = 1_000_000;

export class Evaluator {
  /** Leaves that occur more than once are read once. */
  private readonly leaves = new Map<string, Promise<Row[]>>();
  private readonly aggregator: Aggregator;

  constructor(
    private readonly source: SeriesSource,
    readonly run: QueryRun,
  ) {
    this.aggregator = new Aggregator(this);
  }

  /**
   * @throws ExecutionError, DurationError, QueryTimeout, QueryCanceled; whatever the source throws.
   */
  async evaluate(expr: Expr, grid: Grid): Promise<Value> {
    this.run.check();
    // Ten thousand operators of numbers are as long as one of many series.
    if (this.run.due()) await this.run.pause();
    if (grid.count > 1 && isInvariant(expr))
      return this.repeat(await this.evaluateOnce(expr, { ...grid, count: 1 }), grid);
    return this.evaluateOnce(expr, grid);
  }

  async vector(expr: Expr, grid: Grid): Promise<readonly Row[]> {
    const value = await this.evaluate(expr, grid);
    if (value.type !== 'vector') throw new Error(`BUG: a ${value.type} where a vector was checked for`);
    return value.rows;
  }

  async scalar(expr: Expr, grid: Grid): Promise<Float64Array> {
    const value = await this.evaluate(expr, grid);
    if (value.type !== 'scalar') throw new Error(`BUG: a ${value.type} where a scalar was checked for`);
    return value.values;
  }

  /** Rows without samples for results, reserved before they are made. @throws ExecutionError when they are too many. */
  maker(rows: number, grid: Grid): RowMaker {
    this.run.reserveRows(rows, grid.count);
    return new RowMaker(rows, grid.count);
  }

  /** Says that rows are not needed any more. */
  release(rows: readonly Row[], grid: Grid): void {
    this.run.releaseRows(rows.length, grid.count);
  }

  private evaluateOnce(expr: Expr, grid: Grid): Promise<Value> | Value {
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', values: this.constant(expr.value, grid) };
      case 'string':
        return { type: 'string', value: expr.value };
      case 'parentheses':
        return this.evaluate(expr.expr, grid);
      case 'unary':
        return this.unary(expr.operator, expr.expr, grid);
      case 'binary':
        return this.binary(expr, grid);
      case 'aggregation':
        return this.aggregation(expr, grid);
      case 'call':
        return evaluateCall(expr, grid, this);
      case 'selector':
        return this.instant(expr, grid, 'value');
      case 'range':
        return this.range(expr, grid);
      case 'subquery':
        return this.subqueryValue(expr, grid);
    }
  }

  constant(value: number, grid: Grid): Float64Array {
    this.run.reserveRows(1, grid.count);
    return new Float64Array(grid.count).fill(value);
  }

  /** A value of one step at all steps. */
  private async repeat(value: Value, grid: Grid): Promise<Value> {
    if (value.type === 'scalar') return { type: 'scalar', values: this.constant(value.values[0] ?? Number.NaN, grid) };
    if (value.type !== 'vector') return value;
    const maker = this.maker(value.rows.length, grid);
    const repeated = ({ labels, values, present }: Row): Row => {
      const row = maker.row(labels);
      if (isPresent(present, 0)) {
        row.values.fill(values[0] ?? Number.NaN);
        setAllPresent(row.present, grid.count);
      }
      return row;
    };
    return { type: 'vector', rows: await mapInTurns(value.rows, repeated, this.run) };
  }

  private async unary(operator: '+' | '-', operand: Expr, grid: Grid): Promise<Value> {
    const value = await this.evaluate(operand, grid);
    if (operator === '+') return value;
    if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((one) => -one) };
    if (value.type !== 'vector') return value;
    return { type: 'vector', rows: await joinEqualLabels(await this.map(value.rows, grid, (one) => -one), this.run) };
  }

  /** A function of each sample, without the metric's name. */
  async map(rows: readonly Row[], grid: Grid, compute: (value: number) => number): Promise<Row[]> {
    const maker = this.maker(rows.length, grid);
    const results: Row[] = [];
    for (const row of rows) {
      const result = maker.row(row.labels.withoutName());
      for (let step = 0; step < grid.count; step++) result.values[step] = compute(row.values[step] ?? 0);
      result.present.set(row.present);
      results.push(result);
      if (this.run.due()) await this.run.pause();
    }
    this.release(rows, grid);
    return results;
  }

  private async binary(expr: Binary, grid: Grid): Promise<Value> {
    // Both sides read their leaves at the same time.
    const [left, right] = await Promise.all([this.evaluate(expr.left, grid), this.evaluate(expr.right, grid)]);
    if (left.type === 'scalar' && right.type === 'scalar') {
      return { type: 'scalar', values: combineScalars(expr, left.values, right.values) };
    }
    if (left.type === 'vector' && right.type === 'vector') {
      const rows = await combineVectors(expr, left.rows, right.rows, this.run);
      this.release(left.rows, grid);
      this.release(right.rows, grid);
      return { type: 'vector', rows };
    }
    const vector = left.type === 'vector' ? left : (right as VectorValue);
    const scalar = left.type === 'vector' ? (right as ScalarValue) : (left as ScalarValue);
    this.run.reserveRows(vector.rows.length, grid.count);
    const rows = await combineWithScalar(expr, vector.rows, scalar.values, left.type === 'scalar', this.run);
    this.release(vector.rows, grid);
    return { type: 'vector', rows };
  }

  private async aggregation(expr: Aggregation, grid: Grid): Promise<VectorValue> {
    return { type: 'vector', rows: await this.aggregator.aggregate(expr, grid) };
  }

  /** Reads a leaf; one that was read already for the same grid is not read again. Its rows are never written to. */
  private leaf(key: string, leaf: Leaf): Promise<Row[]> {
    const { start, step, count } = leaf.grid;
    const whole = `${start} ${step} ${count} ${key}`;
    let rows = this.leaves.get(whole);
    if (rows === undefined) {
      rows = readLeaf(this.source, leaf, this.run);
      this.leaves.set(whole, rows);
    }
    return rows;
  }

  /** The newest samples of the series that a selector chooses, or their times. */
  async instant(selector: VectorSelector, grid: Grid, take: InstantShape['take']): Promise<VectorValue> {
    const shape: InstantShape = { kind: 'instant', take };
    const shift = shiftOf(selector, this.run);
    const leaf: Leaf = { matchers: selector.matchers, grid, ...shift, shape, position: selector.start };
    return { type: 'vector', rows: await this.leaf(`${take} ${printExpr(selector)}`, leaf) };
  }

  /** The samples of one window: the value of a range selector in an instant query. */
  private async range(expr: MatrixSelector, grid: Grid): Promise<MatrixValue> {
    const range = millisecondsOf(expr.range, this.run);
    const shape: WindowShape = { kind: 'window', name: 'last_over_time', range, parameters: [] };
    const leaf = this.windowLeaf(expr, shape, grid);
    const { from, to } = extentOf(leaf, this.run);
    const series = await this.source.samples(expr.selector.matchers, from, to, this.run);
    const cut = await mapInTurns(series, (one) => within(one, from, to), this.run);
    return { type: 'matrix', series: await filterInTurns(cut, ({ times }) => times.length > 0, this.run) };
  }

  /** A function over windows of raw samples, or of what a subquery found. Names are still there. */
  async windows(arg: MatrixSelector | Subquery, name: string, parameters: Float64Array[], grid: Grid): Promise<Row[]> {
    const range = millisecondsOf(arg.range, this.run);
    const shape: WindowShape = { kind: 'window', name, range, parameters };
    if (arg.kind === 'subquery') return this.subqueryWindows(arg, shape, grid);
    const leaf = this.windowLeaf(arg, shape, grid);
    // Parameters are rows of numbers: too long for a key, and rarely the same.
    if (parameters.length > 0) return readLeaf(this.source, leaf, this.run);
    return this.leaf(`${name} ${printExpr(arg)}`, leaf);
  }

  private windowLeaf({ selector, start }: MatrixSelector, shape: WindowShape, grid: Grid): Leaf {
    return { matchers: selector.matchers, grid, ...shiftOf(selector, this.run), shape, position: start };
  }

  /**
   * The aggregation of a selector, or of a function over its windows, where the source computes both at once. Undefined: it
   * cannot, or the expression is another one.
   */
  async aggregateLeaf(expr: Aggregation, grid: Grid): Promise<Row[] | undefined> {
    const inner = unwrap(expr.expr);
    const leaf = this.leafOf(inner, grid);
    if (leaf === undefined || grid.count === 0) return undefined;
    return this.source.aggregate?.(leaf, expr.operator, expr, this.run);
  }

  private leafOf(expr: Expr, grid: Grid): Leaf | undefined {
    if (expr.kind === 'selector') {
      const shape: InstantShape = { kind: 'instant', take: 'value' };
      return { matchers: expr.matchers, grid, ...shiftOf(expr, this.run), shape, position: expr.start };
    }
    if (expr.kind !== 'call' || expr.args.length !== 1) return undefined;
    const arg = rangeArgument(expr);
    const { name } = expr.signature;
    if (arg?.kind !== 'range' || name === 'absent_over_time') return undefined;
    const range = millisecondsOf(arg.range, this.run);
    return this.windowLeaf(arg, { kind: 'window', name, range, parameters: [] }, grid);
  }

  private async subqueryWindows(arg: Subquery, shape: WindowShape, grid: Grid): Promise<Row[]> {
    const shift = shiftOf(arg, this.run);
    const inner = this.subqueryGrid(arg, grid);
    const rows = await this.vector(arg.expr, inner);
    const maker = this.maker(rows.length, grid);
    const results: Row[] = [];
    // One row at a time is cut down to its samples.
    this.run.reserveRows(2, inner.count);
    for (const row of rows) {
      const result = maker.row(row.labels);
      await fillWindows(result, compact(row, inner), { grid, ...shift }, shape, this.run);
      results.push(result);
      if (this.run.due()) await this.run.pause();
    }
    this.run.releaseRows(2, inner.count);
    this.release(rows, inner);
    return results;
  }

  /** The steps of a subquery: multiples of its own step, all that lie in any of the windows. */
  private subqueryGrid(expr: Subquery, grid: Grid): Grid {
    const range = millisecondsOf(expr.range, this.run);
    const step = expr.step === undefined ? DEFAULT_SUBQUERY_STEP : millisecondsOf(expr.step, this.run);
    const { shift, fixed } = shiftOf(expr, this.run);
    const first = (fixed ?? grid.start + shift) - range;
    const last = fixed ?? timeAt(grid, grid.count - 1) + shift;
    // A step below a millisecond is none.
    if (step === 0) throw new ExecutionError('subquery step must be at least 1ms');
    let start = step * Math.trunc(first / step);
    if (start <= first) start += step;
    const inner = gridOf(start, last, step);
    if (inner.count > MAX_SUBQUERY_STEPS) {
      throw new ExecutionError(`subquery has ${inner.count} steps, expected at most ${MAX_SUBQUERY_STEPS}`);
    }
    return inner;
  }

  private async subqueryValue(expr: Subquery, grid: Grid): Promise<MatrixValue> {
    const inner = this.subqueryGrid(expr, grid);
    const rows = await this.vector(expr.expr, inner);
    const series: SampleSeries[] = [];
    for (const row of rows) {
      const count = countPresent(row.present);
      if (count === 0) continue;
      this.run.reserveRows(2, count);
      series.push({ labels: row.labels, ...compact(row, inner) });
      if (this.run.due()) await this.run.pause();
    }
    this.release(rows, inner);
    return { type: 'matrix', series };
  }

  /** A scalar as the only row of a vector. */
  vectorOf(values: Float64Array, grid: Grid): VectorValue {
    const row = this.maker(1, grid).row(Labels.none);
    row.values.set(values);
    setAllPresent(row.present, grid.count);
    return { type: 'vector', rows: [row] };
  }
}

/** The samples of a row that are there. */
function compact({ values, present }: Row, grid: Grid): { times: Float64Array; values: Float64Array } {
  const most = countPresent(present);
  const times = new Float64Array(most);
  const kept = new Float64Array(most);
  let count = 0;
  for (let step = 0; step < grid.count; step++) {
    if (!isPresent(present, step)) continue;
    times[count] = timeAt(grid, step);
    kept[count++] = values[step] ?? 0;
  }
  return { times, values: kept };
}

/** The samples in (from, to]. */
function within({ labels, times, values }: RawSeries, from: number, to: number): SampleSeries {
  let first = 0;
  while (first < times.length && (times[first] ?? 0) <= from) first++;
  let last = times.length;
  while (last > first && (times[last - 1] ?? 0) > to) last--;
  return { labels, times: times.subarray(first, last), values: values.subarray(first, last) };
}

/** The argument of a call that is a range vector. */
function rangeArgument(call: Call): MatrixSelector | Subquery | undefined {
  for (const arg of call.args) {
    const inner = unwrap(arg);
    if (typeOf(inner) === 'matrix' && (inner.kind === 'range' || inner.kind === 'subquery')) return inner;
  }
  return undefined;
}
