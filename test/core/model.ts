/**
 * What the store must hold and answer, as simply as it can be said: a map of bins a series, nothing compressed, nothing
 * cached. Follows the contract, not the core.
 */
import type { SeriesQuery } from '../../src/store/store.js';
import type { Series } from '../support/client.js';
import { keyOf } from '../support/core-driver.js';
import { printDecimals } from '../support/exact-decimals.js';

export interface Metric {
  frequency: number;
  aggregation: 'sum' | 'avg' | null;
}

export interface Sample {
  /** Cluster, host, level, sublevel. */
  levels: string[];
  metric: string;
  /** Unix seconds. */
  time: number;
  value: number;
}

export interface ModelSeries {
  levels: string[];
  metric: string;
  frequency: number;
  /** Time of the first sample: bin k covers [first - f/2 + k*f, ...). */
  first: number;
  bins: Map<number, number>;
  /** Bins that were freed; a restart may bring them back, with these values. */
  freed: Map<number, number>;
}

export interface Range {
  cluster: string;
  from: number;
  to: number;
  withStats: boolean;
  withData: boolean;
  withPadding: boolean;
}

interface Node {
  children: Map<string, Node>;
  series: Map<string, ModelSeries>;
}

function half(frequency: number): number {
  return Math.floor(frequency / 2);
}

/** The bin that a time falls into. */
export function binOf(series: ModelSeries, time: number): number {
  return Math.floor((time - series.first + half(series.frequency)) / series.frequency);
}

export class Model {
  readonly series = new Map<string, ModelSeries>();
  readonly #root: Node = { children: new Map(), series: new Map() };

  constructor(readonly metrics: ReadonlyMap<string, Metric>) {}

  write({ levels, metric, time, value }: Sample): void {
    const frequency = this.metrics.get(metric)?.frequency;
    if (frequency === undefined) return;
    const key = keyOf(levels, metric);
    let series = this.series.get(key);
    if (!series) {
      series = { levels, metric, frequency, first: time, bins: new Map(), freed: new Map() };
      this.series.set(key, series);
      let node = this.#root;
      for (const name of levels) {
        const child: Node = node.children.get(name) ?? { children: new Map(), series: new Map() };
        node.children.set(name, child);
        node = child;
      }
      node.series.set(metric, series);
    }
    series.bins.set(binOf(series, time), value);
  }

  /** Takes a series out, and levels that hold nothing any more. */
  remove(key: string): void {
    const series = this.series.get(key);
    if (!series) return;
    this.series.delete(key);
    const path = [this.#root];
    for (const name of series.levels) path.push(path.at(-1)?.children.get(name) ?? this.#root);
    path.at(-1)?.series.delete(series.metric);
    for (let depth = series.levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node?.children.size || node?.series.size) break;
      path[depth - 1]?.children.delete(series.levels[depth - 1] ?? '');
    }
  }

  query(range: Range, query: SeriesQuery): Series[] {
    const metric = this.metrics.get(query.metric);
    return this.#groups(range.cluster, query).flatMap((levels): Series[] => {
      if (range.from > range.to || !metric) return [failed()];
      const found = levels.flatMap((path) => this.#collect(this.#find(path), query.metric));
      if (!found.length) return [];
      if (found.length > 1 && metric.aggregation === null) return [failed()];
      return [answer(found, metric, range, query.scaleBy)];
    });
  }

  /** The paths whose series make one entry each. */
  #groups(cluster: string, { host, type, typeIds, subtype, subtypeIds, aggregate }: SeriesQuery): string[][][] {
    if (type === undefined) return [[[cluster, host]]];
    const paths = typeIds.flatMap((id) =>
      subtype === undefined
        ? [[cluster, host, type + id]]
        : subtypeIds.map((subId) => [cluster, host, type + id, subtype + subId]),
    );
    return aggregate ? [paths] : paths.map((path) => [path]);
  }

  #find(path: string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path) node = node?.children.get(name);
    return node;
  }

  /** The level's own series, or else those of all levels below. */
  #collect(node: Node | undefined, metric: string): ModelSeries[] {
    if (!node) return [];
    const own = node.series.get(metric);
    return own ? [own] : [...node.children.values()].flatMap((child) => this.#collect(child, metric));
  }
}

export function firstBin(series: ModelSeries): number {
  let first = Number.POSITIVE_INFINITY;
  for (const bin of series.bins.keys()) first = Math.min(first, bin);
  return first;
}

export function endBin(series: ModelSeries): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const bin of series.bins.keys()) last = Math.max(last, bin);
  return last + 1;
}

function failed(): Series {
  return { error: 'some', from: 0, to: 0, resolution: 0, avg: 0, min: 0, max: 0 };
}

function answer(found: ModelSeries[], { frequency: f, aggregation }: Metric, range: Range, scaleBy: number): Series {
  const starts = found.map((series) => series.first + firstBin(series) * f);
  const earliest = Math.min(...starts);
  const start = Math.max(earliest, range.from);
  const padding = start > range.from ? Math.floor(start / f) - Math.floor(range.from / f) : 0;
  let n = Math.max(0, Math.ceil((range.to - start) / f));
  for (const series of found) n = Math.min(n, Math.max(0, endBin(series) - binOf(series, start)));
  const data = Array.from({ length: n }, (_, k): number | null => {
    let sum: number | null = null;
    for (const series of found) {
      const value = series.bins.get(binOf(series, start) + k);
      if (value === undefined) return null;
      sum = sum === null ? value : sum + value;
    }
    if (sum === null) return null;
    return aggregation === 'avg' ? sum / found.length : sum;
  });
  // Each number is scaled by itself: with a negative factor the minimum is above the maximum, as in the reference.
  const scaled = (value: number | null, decimals: number): number | null => {
    const product = value === null ? Number.NaN : value * (scaleBy || 1);
    return Number.isFinite(product) ? printDecimals(product, decimals) : null;
  };
  const kept = data.filter((value) => value !== null);
  const shown = data.map((value) => scaled(value, 3));
  const padded = range.withPadding ? [...Array<null>(padding).fill(null), ...shown] : shown;
  const two = (value: number): number | null => (kept.length ? scaled(value, 2) : null);
  return {
    ...(range.withData && padded.length > 0 && { data: padded }),
    from: start,
    to: start + n * f,
    resolution: f,
    ...(range.withStats
      ? {
          avg: two(kept.reduce((a, b) => a + b, 0) / kept.length),
          min: two(kept.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
          max: two(kept.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
        }
      : { avg: 0, min: 0, max: 0 }),
  };
}
