/** Leaves of expressions from the store: matchers become filters of the tree, functions over windows run in the core. */

import { mapInTurns } from '../../base/turns.js';
import type { LeafAnswerPart, LeafRequest, Store } from '../../store/store.js';
import { LeafAggregation, LeafFunction, LeafGrouping } from '../../store/store.js';
import { Grouper, type Grouping } from '../evaluate/aggregation/groups.js';
import type { Labels } from '../evaluate/labels.js';
import { METRIC_NAME } from '../evaluate/labels.js';
import type { Pace } from '../evaluate/pace.js';
import { ExecutionError, isEmpty, type Row } from '../evaluate/rows.js';
import type { QueryRun } from '../evaluate/run.js';
import type { Leaf, RawSeries, SeriesSource } from '../evaluate/source.js';
import { keepsName } from '../evaluate/windows.js';
import type { AggregationOperator } from '../parse/ast.js';
import type { Matcher } from '../parse/matcher.js';
import { coreAggregations, finishPartial, mergePartial, type Partial } from './partial.js';
import { type Selection, Selector } from './selection.js';
import { LEVEL_LABELS, SeriesLabels } from './series-labels.js';
import { CachedTreeNames } from './tree-names.js';

/** Functions over windows that the core computes, by their names in PromQL. */
export const coreFunctions: ReadonlyMap<string, LeafFunction> = new Map([
  ['rate', LeafFunction.Rate],
  ['increase', LeafFunction.Increase],
  ['delta', LeafFunction.Delta],
  ['irate', LeafFunction.Irate],
  ['idelta', LeafFunction.Idelta],
  ['deriv', LeafFunction.Deriv],
  ['predict_linear', LeafFunction.PredictLinear],
  ['avg_over_time', LeafFunction.Avg],
  ['sum_over_time', LeafFunction.Sum],
  ['count_over_time', LeafFunction.Count],
  ['min_over_time', LeafFunction.Min],
  ['max_over_time', LeafFunction.Max],
  ['first_over_time', LeafFunction.First],
  ['last_over_time', LeafFunction.Last],
  ['present_over_time', LeafFunction.Present],
  ['absent_over_time', LeafFunction.Present],
  ['stddev_over_time', LeafFunction.Stddev],
  ['stdvar_over_time', LeafFunction.Stdvar],
  ['ts_of_min_over_time', LeafFunction.TimeOfMin],
  ['ts_of_max_over_time', LeafFunction.TimeOfMax],
  ['ts_of_first_over_time', LeafFunction.TimeOfFirst],
  ['ts_of_last_over_time', LeafFunction.TimeOfLast],
  ['changes', LeafFunction.Changes],
  ['resets', LeafFunction.Resets],
]);

const groupingBits: ReadonlyMap<string, LeafGrouping> = new Map([
  [METRIC_NAME, LeafGrouping.Metric],
  ['cluster', LeafGrouping.Cluster],
  ['hostname', LeafGrouping.Host],
  ['type', LeafGrouping.Type],
  ['type_id', LeafGrouping.TypeId],
  ['stype', LeafGrouping.Subtype],
  ['stype_id', LeafGrouping.SubtypeId],
]);

/** Series that a list may have: one takes some 600 bytes until it is sent. */
const MOST_LISTED = 500_000;

/** What the core is to compute of a leaf. */
interface CoreShape {
  readonly function: LeafFunction;
  readonly range: number;
  readonly parameter: number;
}

/** Steps of a row that has one value. */
function only(values: Float64Array): number | undefined {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : undefined;
}

/** Undefined: the core has no such function, or its argument varies with the step. */
function coreShape({ shape }: Leaf): CoreShape | undefined {
  if (shape.kind === 'instant') {
    const chosen = shape.take === 'time' ? LeafFunction.InstantTime : LeafFunction.Instant;
    return { function: chosen, range: 0, parameter: 0 };
  }
  const chosen = coreFunctions.get(shape.name);
  if (chosen === undefined) return undefined;
  const [argument] = shape.parameters;
  const parameter = argument === undefined ? 0 : only(argument);
  return parameter === undefined ? undefined : { function: chosen, range: shape.range, parameter };
}

export class StoreSource implements SeriesSource {
  private readonly selector: Selector;
  private readonly labels = new SeriesLabels();
  private readonly metrics: readonly string[];

  /** @param metrics names of all metrics of the configuration. */
  constructor(
    private readonly store: Pick<Store, 'leaf' | 'levelNames' | 'treeChanges'>,
    metrics: Iterable<string>,
  ) {
    this.metrics = [...metrics];
    this.selector = new Selector(this.metrics, new CachedTreeNames(store));
  }

  async samples(matchers: readonly Matcher[], from: number, to: number, run: QueryRun): Promise<RawSeries[]> {
    const selection = await this.selector.select(matchers, run.options.isStrong, run);
    if (selection === undefined) return [];
    const request = { ...this.request(selection, run), start: to, count: 1, range: to - from };
    const parts = await this.store.leaf({ ...request, function: LeafFunction.Samples }, run.stopped, run.account);
    return mapInTurns(parts, (part) => samplesOf(part, this.labels.of(part), run), run);
  }

  async rows(leaf: Leaf, run: QueryRun): Promise<Row[] | undefined> {
    const shape = coreShape(leaf);
    if (shape === undefined) return undefined;
    const selection = await this.selector.select(leaf.matchers, run.options.isStrong, run);
    if (selection === undefined) return [];
    const parts = await this.store.leaf(this.leafRequest(leaf, shape, selection, run), run.stopped, run.account);
    run.totalSamples += parts.length * leaf.grid.count;
    const rowOf = (part: LeafAnswerPart): Row => ({
      labels: this.labels.of(part),
      values: part.rows[0] ?? new Float64Array(leaf.grid.count),
      present: part.present,
    });
    return mapInTurns(parts, rowOf, run);
  }

  async aggregate(
    leaf: Leaf,
    operator: AggregationOperator,
    grouping: Grouping,
    run: QueryRun,
  ): Promise<Row[] | undefined> {
    const shape = coreShape(leaf);
    const aggregation = coreAggregations.get(operator);
    if (shape === undefined || aggregation === undefined) return undefined;
    const selection = await this.selector.select(leaf.matchers, run.options.isStrong, run);
    if (selection === undefined) return [];
    const named = leaf.shape.kind === 'instant' || keepsName(leaf.shape.name);
    // Without their names, series of several metrics may be the same: that has to be found out.
    if (!named && selection.metrics.length !== 1) return undefined;
    const request = this.leafRequest(leaf, shape, selection, run);
    const asked = { ...request, aggregation, grouping: bitsOf(grouping, named) };
    const parts = await this.store.leaf(asked, run.stopped, run.account);
    const merged = await this.merge(parts, aggregation, grouping, named, run);
    // Of each group one row is left.
    const rowsOfParts = parts.reduce((sum, { rows }) => sum + rows.length, 0);
    run.releaseRows(rowsOfParts - merged.length, leaf.grid.count);
    run.totalSamples += parts.length * leaf.grid.count;
    const rows: Row[] = [];
    for (const partial of merged) {
      const row = finishPartial(partial, operator);
      if (row === undefined) return undefined;
      if (!isEmpty(row.present)) rows.push(row);
      if (run.due()) await run.pause();
    }
    if (leaf.shape.kind === 'window' && rows.length > 0) this.warnOfGauges(leaf.shape.name, selection, run, leaf);
    return rows;
  }

  private warnOfGauges(name: string, { metrics: [metric = ''] }: Selection, run: QueryRun, { position }: Leaf): void {
    if (name !== 'rate' && name !== 'increase') return;
    run.annotations.noteCounter(metric, position);
  }

  private async merge(
    parts: readonly LeafAnswerPart[],
    aggregation: LeafAggregation,
    grouping: Grouping,
    named: boolean,
    run: QueryRun,
  ): Promise<Partial[]> {
    const grouper = new Grouper(grouping);
    const groups = new Map<string, Partial>();
    for (const part of parts) {
      const { rows, present } = part;
      const all = this.labels.of(part);
      const labels = grouper.labelsOf(named ? all : all.withoutName());
      const known = groups.get(labels.key);
      if (known === undefined) groups.set(labels.key, { labels, rows, present });
      else mergePartial(known, { labels, rows, present }, aggregation);
      if (run.due()) await run.pause();
    }
    return [...groups.values()];
  }

  /**
   * The series that all matchers choose and that have samples between two times, in unix milliseconds.
   * @param distinct labels by which they are told apart: one of those that are the same is enough. Undefined: all of them.
   * @param isStrong see `QueryRequest`.
   */
  async series(
    matchers: readonly Matcher[],
    from: number,
    to: number,
    distinct: readonly string[] | undefined,
    isStrong: boolean,
    pace: Pace,
  ): Promise<Labels[]> {
    let found = 0;
    const account = {
      take: () => {
        if (++found > MOST_LISTED)
          throw new ExecutionError(`more than ${MOST_LISTED} series, expected fewer: match less`);
      },
      give: () => {
        found--;
      },
    };
    const selection = await this.selector.select(matchers, isStrong, pace);
    if (selection === undefined) return [];
    const grouped = distinct !== undefined;
    const request: LeafRequest = {
      ...emptyRequest,
      ...selection,
      isStrong,
      start: from,
      range: to,
      room: Number.MAX_SAFE_INTEGER,
      aggregation: grouped ? LeafAggregation.Count : LeafAggregation.None,
      grouping: grouped ? bitsOf({ without: false, labels: distinct }, true) : 0,
    };
    const parts = await this.store.leaf(request, pace.stopped, account);
    return mapInTurns(parts, (part) => this.labels.of(part), pace);
  }

  private request(selection: Selection, run: QueryRun): LeafRequest {
    return {
      ...emptyRequest,
      ...selection,
      lookback: run.options.lookback,
      adaptiveLookback: run.options.adaptiveLookback,
      room: run.room,
      isStrong: run.options.isStrong,
    };
  }

  private leafRequest(leaf: Leaf, shape: CoreShape, selection: Selection, run: QueryRun): LeafRequest {
    const { grid, shift, fixed } = leaf;
    return { ...this.request(selection, run), ...shape, ...grid, shift, fixed };
  }
}

const emptyRequest: LeafRequest = {
  start: 0,
  step: 1,
  count: 0,
  shift: 0,
  fixed: undefined,
  range: 0,
  lookback: 0,
  adaptiveLookback: false,
  function: LeafFunction.Series,
  parameter: 0,
  aggregation: LeafAggregation.None,
  grouping: 0,
  room: 0,
  metrics: [],
  levels: [],
  depths: 0,
};

/** The labels that groups are told apart by. @param named whether the metric's name is still there. */
function bitsOf({ without, labels }: Grouping, named: boolean): number {
  let bits = 0;
  for (const name of [METRIC_NAME, ...LEVEL_LABELS]) {
    const isListed = labels.includes(name);
    const counts = without ? !isListed && name !== METRIC_NAME : isListed;
    if (counts && (name !== METRIC_NAME || named)) bits |= groupingBits.get(name) ?? 0;
  }
  return bits;
}

/** The bins of a series that are not missing. They take the place of the part, in what the run has reserved. */
function samplesOf({ frequency, first, rows: [bins] }: LeafAnswerPart, labels: Labels, run: QueryRun): RawSeries {
  const all = bins ?? new Float64Array(0);
  run.reserveRows(2, all.length);
  run.releaseRows(1, all.length);
  const width = frequency * 1000;
  const times = new Float64Array(all.length);
  const values = new Float64Array(all.length);
  let count = 0;
  all.forEach((value, bin) => {
    if (Number.isNaN(value)) return;
    times[count] = first + bin * width;
    values[count++] = value;
  });
  return {
    labels,
    times: times.subarray(0, count),
    values: values.subarray(0, count),
    frequency: width,
  };
}
