/**
 * Where an expression's samples come from. The engine asks for leaves: what a selector finds at each step of a grid, or
 * what a function makes of each step's window. A source may answer a leaf with rows that it computed itself, as the store's
 * core does, or with raw samples, of which `leaf.ts` makes the rows.
 */

import type { AggregationOperator } from '../parse/ast.js';
import type { Matcher } from '../parse/matcher.js';
import type { Grouping } from './aggregation/groups.js';
import type { Labels } from './labels.js';
import { type Grid, type Row, timeAt } from './rows.js';
import type { QueryRun } from './run.js';

/** The samples of a series in order of time. */
export interface RawSeries {
  readonly labels: Labels;
  /** Unix milliseconds, rising. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Milliseconds between two samples of its metric. */
  readonly frequency: number;
}

/** How a selector is to be looked at. */
export interface Leaf {
  readonly matchers: readonly Matcher[];
  readonly grid: Grid;
  /** Added to a step's time to find the time that is looked at, in milliseconds: minus the offset. */
  readonly shift: number;
  /** The one time that all steps look at, in unix milliseconds: `@` with the offset taken off. */
  readonly fixed: number | undefined;
  /** What is made of the samples at each step. */
  readonly shape: InstantShape | WindowShape;
  /** Where the selector stands in the query. */
  readonly position: number;
}

/** The time that a leaf looks at in a step, in unix milliseconds. */
export function lookedAt({ grid, shift, fixed }: Leaf, step: number): number {
  return fixed ?? timeAt(grid, step) + shift;
}

/** The newest sample that is not older than the look-back: its value, or its time in seconds. */
export interface InstantShape {
  readonly kind: 'instant';
  readonly take: 'value' | 'time';
}

/** A function of the samples in (t - range, t]. */
export interface WindowShape {
  readonly kind: 'window';
  readonly name: string;
  /** Milliseconds. */
  readonly range: number;
  /** Of the function's scalar arguments one row each. */
  readonly parameters: readonly Float64Array[];
}

export interface SeriesSource {
  /**
   * Raw samples, in the order of the tree, of the series that all matchers choose.
   * @param from, to samples in (from, to] are wanted, in milliseconds; more may come.
   */
  samples(matchers: readonly Matcher[], from: number, to: number, run: QueryRun): Promise<RawSeries[]>;
  /** Computes a leaf, names and all labels in it, or returns undefined when it cannot. */
  rows?(leaf: Leaf, run: QueryRun): Promise<Row[] | undefined>;
  /** Computes an aggregation of a leaf, one row a group, or returns undefined when it cannot. */
  aggregate?(leaf: Leaf, operator: AggregationOperator, grouping: Grouping, run: QueryRun): Promise<Row[] | undefined>;
}
