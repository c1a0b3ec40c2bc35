/**
 * Values of one metric, nodes x time: what the matrix draws, and what sums and bands over a cluster are made of.
 *
 *     column k is [from + k * step, from + (k + 1) * step); NaN where a node has no sample
 *
 * A grid is never changed: what is new makes the next one.
 */
import type { Span } from '../time/range.js';
import { quantile, sortedValues } from '../values/statistics.js';

/** Values of one node as /api/query answers them, evenly spaced from `from` on. */
export interface Row {
  node: string;
  from: number;
  step: number;
  values: readonly (number | null)[];
}

export class Grid {
  readonly #rows: ReadonlyMap<string, number>;

  /**
   * @param from unix seconds, a multiple of `step`.
   * @param nodes names of the rows.
   * @param values row by row.
   */
  private constructor(
    readonly from: number,
    readonly step: number,
    readonly columns: number,
    readonly nodes: readonly string[],
    readonly values: Float64Array,
  ) {
    this.#rows = new Map(nodes.map((node, row) => [node, row]));
  }

  static empty(span: Span, step: number): Grid {
    const from = Math.floor(span.from / step) * step;
    return new Grid(from, step, Math.max(1, Math.ceil((span.to - from) / step)), [], new Float64Array(0));
  }

  /** Unix seconds at which the last column ends. */
  get to(): number {
    return this.from + this.columns * this.step;
  }

  timeOf(column: number): number {
    return this.from + column * this.step;
  }

  /** The node's values, a view; undefined: it has none. */
  row(node: string): Float64Array | undefined {
    const row = this.#rows.get(node);
    return row === undefined ? undefined : this.values.subarray(row * this.columns, (row + 1) * this.columns);
  }

  /** The grid of another span of time: what both cover, with new values over it. Nodes without any value are left out. */
  advance(span: Span, rows: readonly Row[]): Grid {
    const { step } = this;
    const { from, columns } = Grid.empty(span, step);
    const nodes = [...new Set([...this.nodes, ...rows.map(({ node }) => node)])];
    const values = new Float64Array(nodes.length * columns).fill(Number.NaN);
    const shift = Math.round((this.from - from) / step);
    const keep = Math.min(this.columns, columns - shift);
    const skip = Math.max(0, -shift);
    for (const [row, node] of nodes.entries()) {
      const old = this.row(node);
      if (old !== undefined && keep > skip) values.set(old.subarray(skip, keep), row * columns + Math.max(0, shift));
    }
    const rowOf = new Map(nodes.map((node, row) => [node, row]));
    for (const { node, from: first, step: own, values: given } of rows) {
      const start = (rowOf.get(node) ?? 0) * columns;
      for (let k = 0; k < given.length; k++) {
        const value = given[k];
        const column = Math.floor((first + k * own - from) / step);
        if (value !== null && value !== undefined && column >= 0 && column < columns) values[start + column] = value;
      }
    }
    return new Grid(from, step, columns, nodes, values).#withoutEmpty();
  }

  #withoutEmpty(): Grid {
    const kept = this.nodes.filter((node) => this.row(node)?.some((value) => !Number.isNaN(value)));
    if (kept.length === this.nodes.length) return this;
    const values = new Float64Array(kept.length * this.columns);
    for (const [row, node] of kept.entries()) values.set(this.row(node) ?? [], row * this.columns);
    return new Grid(this.from, this.step, this.columns, kept, values);
  }

  /** The same rows with other values. @param change gives as many values as it gets. */
  map(change: (values: Float64Array) => Float64Array): Grid {
    const values = new Float64Array(this.values.length);
    for (const [row, node] of this.nodes.entries())
      values.set(change(this.row(node) ?? new Float64Array(0)), row * this.columns);
    return new Grid(this.from, this.step, this.columns, this.nodes, values);
  }

  /** The newest value of each node that has one, not older than so many columns. */
  newest(columns: number): Map<string, number> {
    const found = new Map<string, number>();
    for (const node of this.nodes) {
      const row = this.row(node) ?? [];
      for (let k = this.columns - 1; k >= Math.max(0, this.columns - columns); k--) {
        const value = row[k] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        found.set(node, value);
        break;
      }
    }
    return found;
  }

  /** Quantiles over all nodes, column by column, one list each. */
  quantiles(shares: readonly number[]): Float64Array[] {
    const lines = shares.map(() => new Float64Array(this.columns).fill(Number.NaN));
    for (let column = 0; column < this.columns; column++) {
      const sorted = sortedValues(this.nodes.map((_, row) => this.values[row * this.columns + column] ?? Number.NaN));
      for (const [i, share] of shares.entries()) {
        const line = lines[i];
        if (line !== undefined) line[column] = quantile(sorted, share);
      }
    }
    return lines;
  }
}
