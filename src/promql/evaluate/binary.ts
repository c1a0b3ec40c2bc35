/**
 * Operators between scalars and vectors, rows at a time. Between two vectors rows are paired by their matching labels
 * first; the steps at which both have a sample are those of the result.
 */

import { mapInTurns, type Turns } from '../../base/turns.js';
import type { Binary, VectorMatching } from '../parse/ast.js';
import { Grouper } from './aggregation/groups.js';
import { Labels } from './labels.js';
import { arithmeticOf, comparisonOf } from './operators.js';
import {
  addPresent,
  ExecutionError,
  firstCommon,
  isPresent,
  joinEqualLabels,
  presentInAny,
  type Row,
  RowMaker,
  setPresent,
} from './rows.js';
import type { QueryRun } from './run.js';

/** Computes `left operator right` at each step of two scalars. */
export function combineScalars(expr: Binary, left: Float64Array, right: Float64Array): Float64Array {
  const compute = arithmeticOf(expr.operator);
  const compare = comparisonOf(expr.operator);
  return left.map((value, step) => {
    const other = right[step] ?? 0;
    if (compute !== undefined) return compute(value, other);
    return compare?.(value, other) === true ? 1 : 0;
  });
}

/** Whether the result is another quantity than the operand, and so has no metric's name. */
function changesValue(expr: Binary): boolean {
  return expr.bool || arithmeticOf(expr.operator) !== undefined;
}

type Combine = (result: Row, left: Float64Array, right: Float64Array, present: Uint8Array) => void;

/**
 * How one row is made of two. The bitmap given says at which steps both have a sample.
 * @param kept what a filtering comparison keeps: the left values, or the right ones where the left is a scalar.
 */
function combinerOf(expr: Binary, kept: 'left' | 'right'): Combine {
  const compute = arithmeticOf(expr.operator);
  if (compute !== undefined) {
    return (result, left, right, present) => {
      for (let step = 0; step < left.length; step++) result.values[step] = compute(left[step] ?? 0, right[step] ?? 0);
      addPresent(result.present, present);
    };
  }
  const compare = comparisonOf(expr.operator);
  if (compare === undefined) return () => {};
  if (expr.bool) {
    return (result, left, right, present) => {
      for (let step = 0; step < left.length; step++) {
        result.values[step] = compare(left[step] ?? 0, right[step] ?? 0) ? 1 : 0;
      }
      addPresent(result.present, present);
    };
  }
  return (result, left, right, present) => {
    for (let step = 0; step < left.length; step++) {
      const [a, b] = [left[step] ?? 0, right[step] ?? 0];
      if (!isPresent(present, step) || !compare(a, b)) continue;
      result.values[step] = kept === 'left' ? a : b;
      setPresent(result.present, step);
    }
  };
}

/** A vector with a scalar on either side. @throws ExecutionError when dropping the name makes two rows the same. */
export async function combineWithScalar(
  expr: Binary,
  rows: readonly Row[],
  scalar: Float64Array,
  scalarIsLeft: boolean,
  run: QueryRun,
): Promise<Row[]> {
  const combine = combinerOf(expr, scalarIsLeft ? 'right' : 'left');
  if (rows.length > 0) informOfTrim(expr, run);
  const unnamed = changesValue(expr);
  const maker = new RowMaker(rows.length, scalar.length);
  const results: Row[] = [];
  for (const row of rows) {
    const result = maker.row(unnamed ? row.labels.withoutName() : row.labels);
    if (scalarIsLeft) combine(result, scalar, row.values, row.present);
    else combine(result, row.values, scalar, row.present);
    results.push(result);
    if (run.due()) await run.pause();
  }
  return joinEqualLabels(results, run);
}

/** Trimming is for native histograms: of floats nothing is left. */
function informOfTrim({ operator, start }: Binary, run: QueryRun): void {
  if (operator === '</' || operator === '>/') run.annotations.incompatibleTypes(operator, start);
}

/** The rows of both sides that share the labels that are matched by. */
interface MatchGroup {
  readonly labels: Labels;
  readonly left: Row[];
  readonly right: Row[];
}

async function matchGroups(
  matching: VectorMatching,
  left: readonly Row[],
  right: readonly Row[],
  turns: Turns,
): Promise<MatchGroup[]> {
  const grouper = new Grouper({ without: !matching.on, labels: matching.labels });
  const groups = new Map<string, MatchGroup>();
  for (const [rows, side] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    for (const row of rows) {
      const labels = grouper.labelsOf(row.labels);
      let group = groups.get(labels.key);
      if (group === undefined) {
        group = { labels, left: [], right: [] };
        groups.set(labels.key, group);
      }
      group[side].push(row);
      if (turns.due()) await turns.pause();
    }
  }
  return [...groups.values()];
}

function both(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte & (b[at] ?? 0));
}

/** The rows at the steps where some other rows have a sample, or have none. */
async function masked(rows: readonly Row[], others: readonly Row[], wanted: boolean, turns: Turns): Promise<Row[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const matched = await presentInAny(others, first.values.length, turns);
  return mapInTurns(
    rows,
    (row) => {
      const present = row.present.map((byte, at) => byte & (wanted ? (matched[at] ?? 0) : ~(matched[at] ?? 0)));
      return { ...row, present };
    },
    turns,
  );
}

/**
 * `and` and `unless`: the left rows at the steps where the right side has a matching sample, or has none. `or`: all left rows, and
 * the right ones at the steps where the left side has no matching sample.
 */
async function combineSets({ operator }: Binary, groups: readonly MatchGroup[], turns: Turns): Promise<Row[]> {
  const results: Row[] = [];
  for (const { left, right } of groups) {
    const rows =
      operator === 'or'
        ? [...left, ...(await masked(right, left, false, turns))]
        : await masked(left, right, operator === 'and', turns);
    for (const row of rows) results.push(row);
    if (turns.due()) await turns.pause();
  }
  return results;
}

/** Pairs rows for one operator; `many` is the side whose labels the results get, `one` the other. */
class Matcher {
  private readonly combine: Combine;
  private readonly unnamed: boolean;
  private readonly matchLabels: ReadonlySet<string>;
  /** The right operand is the side with more series. */
  private readonly swapped: boolean;

  constructor(private readonly expr: Binary) {
    this.combine = combinerOf(expr, 'left');
    this.unnamed = changesValue(expr);
    this.matchLabels = new Set(expr.matching.labels);
    this.swapped = expr.matching.cardinality === 'one-to-many';
  }

  private get grouped(): boolean {
    return this.expr.matching.cardinality !== 'one-to-one';
  }

  private labelsOf(many: Labels, one: Labels): Labels {
    const { on, include } = this.expr.matching;
    let labels = this.unnamed ? many.withoutName() : many;
    if (!this.grouped) labels = on ? labels.keep(this.matchLabels) : labels.drop(this.matchLabels);
    if (include.length === 0) return labels;
    return Labels.from([...labels.entries(), ...include.map((name) => [name, one.get(name)] as const)]);
  }

  /** @param sides steps at which both operands have any sample at all: only there duplicates are looked for. */
  private async refuseDuplicates({ labels, left, right }: MatchGroup, sides: Uint8Array, turns: Turns): Promise<void> {
    const one = this.swapped ? left : right;
    const taken = new Uint8Array(sides.length);
    for (const [index, row] of one.entries()) {
      if (turns.due()) await turns.pause();
      const here = both(row.present, sides);
      const isTaken = firstCommon(taken, here) >= 0;
      addPresent(taken, here);
      if (!isTaken) continue;
      const other = one.slice(0, index).find(({ present }) => firstCommon(present, here) >= 0);
      if (other === undefined) continue;
      const side = this.swapped ? 'left' : 'right';
      throw new ExecutionError(
        `found duplicate series for the match group ${labels} on the ${side} hand-side of the operation: ` +
          `[${row.labels}, ${other.labels}];many-to-many matching not allowed: matching labels must be unique on one side`,
      );
    }
  }

  /** All pairs of a group. @param maker has room for one row a pair. @throws ExecutionError; what `run.pause()` does. */
  async pairs(group: MatchGroup, sides: Uint8Array, maker: RowMaker, run: QueryRun): Promise<Row[]> {
    await this.refuseDuplicates(group, sides, run);
    const many = this.swapped ? group.right : group.left;
    const one = this.swapped ? group.left : group.right;
    const results: Row[] = [];
    /** Steps at which a result with these labels was made, whether or not a comparison kept it. */
    const made = new Map<string, Uint8Array>();
    for (const row of many) {
      for (const other of one) {
        const present = both(row.present, other.present);
        const result = maker.row(this.labelsOf(row.labels, other.labels));
        this.refuseAmbiguous(made, result, present);
        if (this.swapped) this.combine(result, other.values, row.values, present);
        else this.combine(result, row.values, other.values, present);
        results.push(result);
        if (run.due()) await run.pause();
      }
    }
    return results;
  }

  private refuseAmbiguous(made: Map<string, Uint8Array>, { labels }: Row, present: Uint8Array): void {
    // One to one the second match is one too many, whatever its labels.
    const key = this.grouped ? labels.key : '';
    const known = made.get(key);
    if (known === undefined) {
      made.set(key, present);
      return;
    }
    if (firstCommon(known, present) >= 0) {
      throw new ExecutionError(
        this.grouped
          ? 'multiple matches for labels: grouping labels must ensure unique matches'
          : 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
      );
    }
    addPresent(known, present);
  }
}

function pairsOf({ left, right }: MatchGroup): number {
  return left.length * right.length;
}

/** Two vectors. @throws ExecutionError when rows cannot be paired as the operator says. */
export async function combineVectors(
  expr: Binary,
  left: readonly Row[],
  right: readonly Row[],
  run: QueryRun,
): Promise<Row[]> {
  const groups = await matchGroups(expr.matching, left, right, run);
  if (expr.operator === 'and' || expr.operator === 'unless' || expr.operator === 'or') {
    return joinEqualLabels(await combineSets(expr, groups, run), run);
  }
  const [first] = left;
  if (first === undefined || right.length === 0) return [];
  const sides = both(
    await presentInAny(left, first.values.length, run),
    await presentInAny(right, first.values.length, run),
  );
  const matcher = new Matcher(expr);
  const results: Row[] = [];
  for (const group of groups) {
    run.reserveRows(pairsOf(group), first.values.length);
    const maker = new RowMaker(pairsOf(group), first.values.length);
    const pairs = await matcher.pairs(group, sides, maker, run);
    if (pairs.length > 0) informOfTrim(expr, run);
    for (const row of pairs) results.push(row);
    if (run.due()) await run.pause();
  }
  return joinEqualLabels(results, run);
}
