/** What the chart of a node's metric shows: its own line, a line a level, or threads as a strip, and the cluster behind it. */
import type { ChartData, ChartLine } from './chart-data.js';
import type { Grid } from './grid.js';

/** Levels as lines; more of a kind are drawn as a strip of colours. */
const MOST_LINES = 8;

/** Median and 5 to 95 % of the cluster's nodes; times in unix seconds. */
export interface Band {
  times: readonly number[];
  low: readonly number[];
  median: readonly number[];
  high: readonly number[];
}

export interface NodeChart {
  data: ChartData;
  /** Names and values of the threads, when they are drawn as a strip. */
  strip: { names: string[]; rows: Float64Array[]; columns: number } | undefined;
}

/**
 * @param grid rows by level, the node's own without a name.
 * @param colourOf the colour of the i-th level.
 */
export function nodeChart(grid: Grid, band: Band | undefined, colourOf: (i: number) => string): NodeChart {
  const own = grid.row('');
  const levels = grid.nodes.filter((name) => name !== '');
  const isStrip = levels.length > MOST_LINES;
  const times = Array.from({ length: grid.columns }, (_, column) => grid.timeOf(column));
  const lines: ChartLine[] = band === undefined ? [] : bandLines(band, times);
  if (!isStrip) {
    for (const [i, name] of levels.entries()) {
      lines.push({
        label: name,
        values: grid.row(name) ?? [],
        colour: colourOf(i),
        width: own === undefined ? 1.5 : 1,
      });
    }
  }
  if (own !== undefined) lines.push({ label: 'node', values: own, colour: 'accent', width: 2 });
  const rows = levels.map((name) => grid.row(name) ?? new Float64Array(grid.columns).fill(Number.NaN));
  return { data: { times, lines }, strip: isStrip ? { names: levels, rows, columns: grid.columns } : undefined };
}

/** The band at the times of the chart: its last value before each. */
function bandLines({ times, low, median, high }: Band, at: readonly number[]): ChartLine[] {
  const step = (times[1] ?? 0) - (times[0] ?? 0) || 60;
  const pick = (values: readonly number[]): number[] => {
    let i = -1;
    return at.map((time) => {
      while (i + 1 < times.length && (times[i + 1] ?? 0) <= time) i++;
      const last = times[i];
      return last === undefined || time - last > 2 * step ? Number.NaN : (values[i] ?? Number.NaN);
    });
  };
  return [
    { label: '95 % of the nodes', values: pick(high), colour: 'soft', width: 0, bandTo: 1 },
    { label: '5 % of the nodes', values: pick(low), colour: 'soft', width: 0 },
    { label: 'median of the nodes', values: pick(median), colour: 'soft', width: 1, dashed: true },
  ];
}
