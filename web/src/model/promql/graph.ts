/** Answers of PromQL over a span of time as a chart. */
import type { ChartData } from '../series/chart-data.js';
import type { Span } from '../time/range.js';
import { mean, sortedValues } from '../values/statistics.js';
import { shortNames } from './series-names.js';

/** Points of a line at most: a screen shows no more. */
const MOST_POINTS = 360;
/** Lines of a chart at most: more are not told apart, and slow. */
export const MOST_LINES = 64;

export interface LabelledSeries {
  labels: Record<string, string>;
  times: number[];
  values: number[];
}

/** One line of the chart with its figures. */
export interface GraphLine {
  name: string;
  labels: Record<string, string>;
  /** At each step; NaN: nothing. */
  values: Float64Array;
  mean: number;
  least: number | undefined;
  most: number | undefined;
  newest: number | undefined;
}

/** Times at which an expression is evaluated: multiples of the step, so that the next look asks for the same ones. */
export interface Steps extends Span {
  step: number;
}

const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** @param frequency seconds between samples: in between nothing new is to be seen. */
export function stepsOf({ from, to }: Span, frequency: number): Steps {
  const least = Math.max((to - from) / MOST_POINTS, frequency);
  const step = NICE.find((nice) => nice >= least) ?? Math.ceil(least / 86_400) * 86_400;
  return { from: Math.ceil(from / step) * step, to: Math.floor((to - 1) / step) * step, step };
}

/** The series as lines, in their order. */
export function linesOf(series: readonly LabelledSeries[], { from, to, step }: Steps): GraphLine[] {
  const count = Math.max(0, Math.round((to - from) / step) + 1);
  const names = shortNames(series.map(({ labels }) => labels));
  return series.map(({ labels, times, values }, i) => {
    const even = new Float64Array(count).fill(Number.NaN);
    for (const [k, time] of times.entries()) even[Math.round((time - from) / step)] = values[k] ?? Number.NaN;
    const sorted = sortedValues(even);
    return {
      name: names[i] ?? '',
      labels,
      values: even,
      mean: mean(sorted),
      least: sorted[0],
      most: sorted.at(-1),
      newest: values.at(-1),
    };
  });
}

/** @param lit names the line that stands out; -1: none. @param colourOf the colour of the i-th line. */
export function graphOf(
  lines: readonly GraphLine[],
  { from, step }: Steps,
  lit: number,
  colourOf: (i: number) => string,
): ChartData {
  const count = lines[0]?.values.length ?? 0;
  return {
    times: Array.from({ length: count }, (_, i) => from + i * step),
    lines: lines.slice(0, MOST_LINES).map(({ name, values }, i) => ({
      label: name,
      values,
      colour: colourOf(i),
      width: i === lit ? 3 : 1.25,
    })),
  };
}
