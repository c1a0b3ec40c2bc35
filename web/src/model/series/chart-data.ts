/** What a chart over time shows. */

export interface ChartLine {
  label: string;
  /** One a time; NaN: none. */
  values: ArrayLike<number>;
  /** Of the theme (`accent`, `soft`, ...), or as CSS writes it. */
  colour: string;
  /** Pixels; 0: none, the line is only the edge of a band. */
  width: number;
  /** Position of the line that a band reaches down to. */
  bandTo?: number;
  dashed?: boolean;
}

export interface ChartData {
  /** Unix seconds, ascending. */
  times: ArrayLike<number>;
  lines: readonly ChartLine[];
}
