/** A metric of a node as its charts show it, small or large: counters by how fast they grow, threads with limits for their colours. */
import { isCounter, ratesOf, rateUnit } from '../values/counters.js';
import { type Limits, limitsOf } from '../values/scale.js';
import { sortedValues } from '../values/statistics.js';
import type { Unit } from '../values/units.js';
import type { Grid } from './grid.js';
import { type Band, type NodeChart, nodeChart } from './node-chart.js';

export interface NodeMetric {
  isRate: boolean;
  /** Of what is shown. */
  unit: Unit;
  /** What is shown: rows by level, the node's own without a name. */
  grid: Grid;
  chart: NodeChart;
  /** Of the strip's colours; undefined: there is no strip. */
  limits: Limits | undefined;
}

/** @param grid as stored. @param unit of what is stored. @param colourOf the colour of the i-th level. */
export function nodeMetric(
  metric: string,
  grid: Grid,
  band: Band | undefined,
  unit: Unit,
  colourOf: (i: number) => string,
): NodeMetric {
  const isRate = isCounter(metric, grid);
  const shown = isRate ? grid.map((values) => ratesOf(values, grid.step)) : grid;
  // The cluster's band is of the counter, not of its rate.
  const chart = nodeChart(shown, isRate ? undefined : band, colourOf);
  const limits = chart.strip && limitsOf(sortedValues(chart.strip.rows.flatMap((row) => [...row])));
  return { isRate, unit: isRate ? rateUnit(unit) : unit, grid: shown, chart, limits };
}
