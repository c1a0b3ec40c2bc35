/** What expressions evaluate to. */

import type { Labels } from './labels.js';
import type { Row } from './rows.js';

export interface ScalarValue {
  readonly type: 'scalar';
  /** One number a step, never missing. */
  readonly values: Float64Array;
}

export interface VectorValue {
  readonly type: 'vector';
  /** In the order that the expression gives them. Rows may be without samples. */
  readonly rows: readonly Row[];
}

export interface StringValue {
  readonly type: 'string';
  readonly value: string;
}

/** The samples of one series, as a range vector at one time has them. */
export interface SampleSeries {
  readonly labels: Labels;
  /** Unix milliseconds. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** A range vector: as a value of its own only in instant queries. */
export interface MatrixValue {
  readonly type: 'matrix';
  readonly series: readonly SampleSeries[];
}

export type Value = ScalarValue | VectorValue | StringValue | MatrixValue;
