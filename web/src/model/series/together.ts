/** Some nodes seen as one: a job's. */

import { deviation, mean, quantile, sortedValues } from '../values/statistics.js';
import type { ChartData } from './chart-data.js';
import type { Grid } from './grid.js';

/** A node whose mean is so many deviations away from the others' median is a line of its own. */
const OUTLIER = 3;
/** Lines of a chart at most: more cannot be told apart. */
const MOST_LINES = 8;

/** Nodes that differ from the others in the mean of the span, the most extreme first. */
export function outliersOf(grid: Grid): string[] {
  const means = grid.nodes.map((node) => ({ node, mean: mean(grid.row(node) ?? []) }));
  const sorted = sortedValues(means.map((one) => one.mean));
  const middle = quantile(sorted, 0.5);
  // Where most are equal, a hair's breadth makes no outlier.
  const least = Math.max(deviation(sorted), Math.abs(middle) * 0.01, Number.MIN_VALUE);
  const away = means.map(({ node, mean: own }) => ({ node, away: Math.abs(own - middle) / least }));
  return away
    .filter((one) => one.away > OUTLIER)
    .toSorted((a, b) => b.away - a.away)
    .map(({ node }) => node);
}

/** Least, median and most over the nodes as a band, and some nodes as lines. @param colourOf of the i-th line. */
export function bandChart(grid: Grid, nodes: readonly string[], colourOf: (i: number) => string): ChartData {
  const times = Array.from({ length: grid.columns }, (_, column) => grid.timeOf(column));
  const [least, middle, most] = grid.quantiles([0, 0.5, 1]) as [Float64Array, Float64Array, Float64Array];
  const lines = nodes.slice(0, MOST_LINES).map((node, i) => ({
    label: node,
    values: grid.row(node) ?? [],
    colour: colourOf(i),
    width: 1.5,
  }));
  return {
    times,
    lines: [
      { label: 'most', values: most, colour: 'accent', width: 0.5, bandTo: 1 },
      { label: 'least', values: least, colour: 'accent', width: 0.5 },
      { label: 'median', values: middle, colour: 'accent', width: 2 },
      ...lines,
    ],
  };
}

/** Every node as a line. */
export function linesChart(grid: Grid, colourOf: (i: number) => string): ChartData {
  const times = Array.from({ length: grid.columns }, (_, column) => grid.timeOf(column));
  const lines = grid.nodes.map((node, i) => ({
    label: node,
    values: grid.row(node) ?? [],
    colour: colourOf(i),
    width: 1,
  }));
  return { times, lines };
}

export type Statistic = 'mean' | 'least' | 'most';

/** A figure of each node's values; nodes without any are left out. */
export function figuresOf(grid: Grid, statistic: Statistic): Map<string, number> {
  const figures = new Map<string, number>();
  for (const node of grid.nodes) {
    const sorted = sortedValues(grid.row(node) ?? []);
    const figure = statistic === 'mean' ? mean(sorted) : statistic === 'least' ? sorted[0] : sorted.at(-1);
    if (figure !== undefined && !Number.isNaN(figure)) figures.set(node, figure);
  }
  return figures;
}

/** How evenly the nodes are used: the highest mean over the mean of all; 1 is perfect. NaN: there is nothing to compare. */
export function balanceOf(figures: ReadonlyMap<string, number>): number {
  const values = [...figures.values()];
  const middle = mean(values);
  return middle === 0 ? Number.NaN : Math.max(...values) / middle;
}
