/** Calls of functions. */

import { filterInTurns, mapInTurns } from '../../../base/turns.js';
import type { Call, Expr, MatrixSelector, Subquery, VectorSelector } from '../../parse/ast.js';
import { unwrap } from '../../parse/ast.js';
import { queryConstants } from '../invariant.js';
import { Labels } from '../labels.js';
import {
  type Grid,
  isEmpty,
  isPresent,
  joinEqualLabels,
  presentInAny,
  type Row,
  type RowMaker,
  refuseEqualLabels,
  setAllPresent,
  setPresent,
  timeAt,
} from '../rows.js';
import type { QueryRun } from '../run.js';
import type { InstantShape } from '../source.js';
import type { Value, VectorValue } from '../value.js';
import { keepsName, windowFunctions } from '../windows.js';
import { histogramFraction, histogramQuantile } from './histogram-functions.js';
import { absentLabels, joinLabels, replaceLabel, sortByLabels, sortByValue } from './label-functions.js';
import {
  calendarFunctions,
  type ParametrisedFunction,
  parametrisedFunctions,
  sampleFunctions,
} from './sample-functions.js';

/** What calls need of the evaluator. */
interface Host {
  readonly run: QueryRun;
  vector(expr: Expr, grid: Grid): Promise<readonly Row[]>;
  scalar(expr: Expr, grid: Grid): Promise<Float64Array>;
  instant(selector: VectorSelector, grid: Grid, take: InstantShape['take']): Promise<VectorValue>;
  windows(arg: MatrixSelector | Subquery, name: string, parameters: Float64Array[], grid: Grid): Promise<Row[]>;
  map(rows: readonly Row[], grid: Grid, compute: (value: number) => number): Promise<Row[]>;
  maker(rows: number, grid: Grid): RowMaker;
  vectorOf(values: Float64Array, grid: Grid): VectorValue;
  constant(value: number, grid: Grid): Float64Array;
}

function vector(rows: readonly Row[]): VectorValue {
  return { type: 'vector', rows };
}

/** Unix seconds of each step. */
function times(grid: Grid, host: Host): Float64Array {
  return host.constant(0, grid).map((_, step) => timeAt(grid, step) / 1000);
}

function texts(args: readonly Expr[]): string[] {
  return args.map((arg) => {
    const literal = unwrap(arg);
    return literal.kind === 'string' ? literal.value : '';
  });
}

/** A call whose types are right. @throws ExecutionError */
export async function evaluateCall(call: Call, grid: Grid, host: Host): Promise<Value> {
  const { name } = call.signature;
  const [first, second, third] = call.args;
  if (queryConstants.has(name)) return { type: 'scalar', values: host.constant(queryConstant(name, host.run), grid) };
  if (name === 'time') return { type: 'scalar', values: times(grid, host) };
  if (name === 'pi') return { type: 'scalar', values: host.constant(Math.PI, grid) };
  if (first === undefined) return calendarOfStep(name, grid, host);
  const windowed = call.args.map(unwrap).find((arg) => arg.kind === 'range' || arg.kind === 'subquery');
  if (windowed !== undefined && windowFunctions.has(name)) return overWindows(call, windowed, grid, host);
  const simple = sampleFunctions.get(name);
  if (simple !== undefined) {
    return vector(await joinEqualLabels(await host.map(await host.vector(first, grid), grid, simple), host.run));
  }
  const parametrised = parametrisedFunctions.get(name);
  if (parametrised !== undefined) return withParameters(call, parametrised, grid, host);
  switch (name) {
    case 'vector':
      return host.vectorOf(await host.scalar(first, grid), grid);
    case 'scalar':
      return { type: 'scalar', values: await onlySample(await host.vector(first, grid), grid, host) };
    case 'timestamp':
      return timestamps(unwrap(first), grid, host);
    case 'absent':
      return absent(unwrap(first), await host.vector(first, grid), grid, host);
    case 'label_replace':
      return vector(await replaceLabel(await host.vector(first, grid), texts(call.args.slice(1)), host.run));
    case 'label_join':
      return vector(await joinLabels(await host.vector(first, grid), texts(call.args.slice(1)), host.run));
    case 'sort':
    case 'sort_desc':
    case 'sort_by_label':
    case 'sort_by_label_desc':
      return sorted(call, await host.vector(first, grid), grid, host);
    case 'histogram_quantile':
      if (second === undefined) break;
      return vector(
        await histogramQuantile(
          await host.vector(second, grid),
          await host.scalar(first, grid),
          undefined,
          { vector: second.start, quantile: first.start },
          grid,
          host.run,
        ),
      );
    case 'histogram_quantiles':
      return histogramQuantiles(call, first, grid, host);
    case 'histogram_fraction':
      if (second === undefined || third === undefined) break;
      return vector(
        await histogramFraction(
          await host.vector(third, grid),
          await host.scalar(first, grid),
          await host.scalar(second, grid),
          third.start,
          grid,
          host.run,
        ),
      );
  }
  // What is left is of native histograms, or of start times: there are none.
  await host.vector(first, grid);
  return vector([]);
}

function queryConstant(name: string, { options: { start, end, step } }: QueryRun): number {
  if (name === 'start') return start / 1000;
  if (name === 'end') return end / 1000;
  if (name === 'range') return (end - start) / 1000;
  return start === end ? 0 : step / 1000;
}

function calendarOfStep(name: string, grid: Grid, host: Host): VectorValue {
  const compute = calendarFunctions.get(name);
  if (compute === undefined) throw new Error(`BUG: no function ${name} without arguments`);
  return host.vectorOf(
    times(grid, host).map((seconds) => compute(seconds)),
    grid,
  );
}

async function overWindows(call: Call, arg: MatrixSelector | Subquery, grid: Grid, host: Host): Promise<VectorValue> {
  const { name } = call.signature;
  const parameters: Float64Array[] = [];
  for (const other of call.args) if (unwrap(other) !== arg) parameters.push(await host.scalar(other, grid));
  const { run } = host;
  const found = await host.windows(arg, name, parameters, grid);
  const rows = await filterInTurns(found, ({ present }) => !isEmpty(present), run);
  if (name === 'absent_over_time') {
    return absentSteps(rows, arg.kind === 'range' ? absentLabels(arg.selector.matchers) : Labels.none, grid, host);
  }
  // What a subquery found has no place of its own in Prometheus's messages.
  const position = call.args[0] === arg && arg.kind === 'subquery' ? 0 : (call.args[0]?.start ?? call.start);
  if (name === 'quantile_over_time') await warnOfQuantiles(rows, parameters[0], position, run);
  const noted = name === 'rate' || name === 'increase';
  const made = (row: Row): Row => {
    if (noted) run.annotations.noteCounter(row.labels.metricName, position);
    return keepsName(name) ? row : { ...row, labels: row.labels.withoutName() };
  };
  const named = await mapInTurns(rows, made, run);
  await refuseEqualLabels(named, run);
  return vector(named);
}

/** Only at steps that have a sample. */
async function warnOfQuantiles(
  rows: readonly Row[],
  quantiles: Float64Array | undefined,
  position: number,
  run: QueryRun,
): Promise<void> {
  if (quantiles === undefined || quantiles.every((quantile) => quantile >= 0 && quantile <= 1)) return;
  const any = await presentInAny(rows, quantiles.length, run);
  quantiles.forEach((quantile, step) => {
    if (!(quantile >= 0 && quantile <= 1) && isPresent(any, step)) run.annotations.invalidQuantile(quantile, position);
  });
}

async function withParameters(call: Call, compute: ParametrisedFunction, grid: Grid, host: Host): Promise<VectorValue> {
  const [first, ...others] = call.args;
  if (first === undefined) return vector([]);
  const rows = await host.vector(first, grid);
  const parameters: Float64Array[] = [];
  for (const other of others) parameters.push(await host.scalar(other, grid));
  const maker = host.maker(rows.length, grid);
  const results: Row[] = [];
  const current: number[] = [];
  for (const row of rows) {
    const result = maker.row(row.labels.withoutName());
    for (let step = 0; step < grid.count; step++) {
      if (!isPresent(row.present, step)) continue;
      parameters.forEach((parameter, at) => {
        current[at] = parameter[step] ?? Number.NaN;
      });
      const value = compute(row.values[step] ?? 0, current);
      if (value === undefined) continue;
      result.values[step] = value;
      setPresent(result.present, step);
    }
    results.push(result);
    if (host.run.due()) await host.run.pause();
  }
  return vector(await joinEqualLabels(results, host.run));
}

/** The value of the only sample of each step; NaN where there is none or more than one. */
async function onlySample(rows: readonly Row[], grid: Grid, host: Host): Promise<Float64Array> {
  const values = host.constant(Number.NaN, grid);
  const found = new Uint8Array(grid.count);
  for (const row of rows) {
    for (let step = 0; step < grid.count; step++) {
      if (!isPresent(row.present, step)) continue;
      values[step] = found[step] === 0 ? (row.values[step] ?? 0) : Number.NaN;
      found[step] = 1;
    }
    if (host.run.due()) await host.run.pause();
  }
  return values;
}

/** Of a selector the samples' own times, of anything else the steps'. */
async function timestamps(arg: Expr, grid: Grid, host: Host): Promise<VectorValue> {
  if (arg.kind === 'selector') {
    const { rows } = await host.instant(arg, grid, 'time');
    const unnamed = await mapInTurns(rows, (row) => ({ ...row, labels: row.labels.withoutName() }), host.run);
    return vector(await joinEqualLabels(unnamed, host.run));
  }
  const rows = await host.vector(arg, grid);
  const maker = host.maker(rows.length, grid);
  const timeOf = (row: Row): Row => {
    const result = maker.row(row.labels.withoutName());
    for (let step = 0; step < grid.count; step++) result.values[step] = timeAt(grid, step) / 1000;
    result.present.set(row.present);
    return result;
  };
  return vector(await joinEqualLabels(await mapInTurns(rows, timeOf, host.run), host.run));
}

/** 1 at the steps at which no row has a sample. */
async function absentSteps(rows: readonly Row[], labels: Labels, grid: Grid, host: Host): Promise<VectorValue> {
  const row = host.maker(1, grid).row(labels);
  setAllPresent(row.present, grid.count);
  const any = await presentInAny(rows, grid.count, host.run);
  any.forEach((byte, at) => {
    row.present[at] = (row.present[at] ?? 0) & ~byte;
  });
  row.values.fill(1);
  return vector(isEmpty(row.present) ? [] : [row]);
}

function absent(arg: Expr, rows: readonly Row[], grid: Grid, host: Host): Promise<VectorValue> {
  return absentSteps(rows, arg.kind === 'selector' ? absentLabels(arg.matchers) : Labels.none, grid, host);
}

/** Orders the only step of a query; ranges are always in the order of labels. */
async function sorted(call: Call, rows: readonly Row[], grid: Grid, host: Host): Promise<VectorValue> {
  if (grid.count > 1) {
    host.run.annotations.ineffectiveSort(call.start);
    return vector(rows);
  }
  const { name } = call.signature;
  const descending = name.endsWith('_desc');
  if (name.startsWith('sort_by_label')) {
    return vector(await sortByLabels(rows, texts(call.args.slice(1)), descending, host.run));
  }
  return vector(await sortByValue(rows, descending, host.run));
}

async function histogramQuantiles(call: Call, arg: Expr, grid: Grid, host: Host): Promise<VectorValue> {
  const rows = await host.vector(arg, grid);
  const [label = ''] = texts(call.args.slice(1, 2));
  const results: Row[] = [];
  for (const [index, quantile] of call.args.slice(2).entries()) {
    const positions = { vector: arg.start, quantile: quantile.start, told: index > 0 };
    results.push(
      ...(await histogramQuantile(rows, await host.scalar(quantile, grid), label, positions, grid, host.run)),
    );
  }
  return vector(await joinEqualLabels(results, host.run));
}
