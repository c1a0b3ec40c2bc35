/** Rows of raw samples: what selectors and functions over windows find at each step. */

import { type Row, RowMaker, setPresent, timeAt } from './rows.js';
import type { QueryRun } from './run.js';
import {
  type InstantShape,
  type Leaf,
  lookedAt,
  type RawSeries,
  type SeriesSource,
  type WindowShape,
} from './source.js';
import { type Window, windowFunctions } from './windows.js';

/**
 * How far back an instant selector looks at a series, in milliseconds: where nobody said, two of its frequencies if that is
 * further, so that a metric of ten minutes draws a line and not dots.
 */
export function lookbackOf(run: QueryRun, frequency: number): number {
  const { lookback, adaptiveLookback } = run.options;
  return adaptiveLookback && frequency > lookback / 2 ? 2 * frequency : lookback;
}

/** Frequencies above this are not looked back for: a metric of a day still draws a line. */
const MAX_ADAPTIVE_LOOKBACK = 2 * 86_400_000;

/** The times of samples that a leaf may need: (from, to], in unix milliseconds. */
export function extentOf(leaf: Leaf, run: QueryRun): { from: number; to: number } {
  const { lookback, adaptiveLookback } = run.options;
  const instant = adaptiveLookback ? Math.max(lookback, MAX_ADAPTIVE_LOOKBACK) : lookback;
  const back = leaf.shape.kind === 'window' ? leaf.shape.range : instant;
  return { from: lookedAt(leaf, 0) - back, to: lookedAt(leaf, leaf.grid.count - 1) };
}

/** Writes the newest samples not older than `lookback`. Steps and samples both rise, so one pass over both is enough. */
function fillInstant(row: Row, series: RawSeries, leaf: Leaf, lookback: number, take: InstantShape['take']): void {
  const { times, values } = series;
  let next = 0;
  for (let step = 0; step < leaf.grid.count; step++) {
    const time = lookedAt(leaf, step);
    while (next < times.length && (times[next] ?? 0) <= time) next++;
    const found = times[next - 1];
    if (found === undefined || found <= time - lookback) continue;
    row.values[step] = take === 'time' ? found / 1000 : (values[next - 1] ?? 0);
    setPresent(row.present, step);
  }
}

/** Samples between two looks at the clock: a window may hold many, and a row many windows. */
const SAMPLES_A_LOOK = 1 << 14;

/** Writes a function's value of each window that has samples enough. */
export async function fillWindows(
  row: Row,
  { times, values }: Pick<RawSeries, 'times' | 'values'>,
  leaf: Pick<Leaf, 'grid' | 'shift' | 'fixed'>,
  shape: WindowShape,
  run: QueryRun,
): Promise<void> {
  const compute = windowFunctions.get(shape.name);
  if (compute === undefined) throw new Error(`BUG: no function ${shape.name} over windows`);
  const window: Window = { times, values, from: 0, to: 0, start: 0, end: 0, time: 0, parameters: [] };
  let samples = 0;
  for (let step = 0; step < leaf.grid.count; step++) {
    window.time = timeAt(leaf.grid, step);
    window.end = leaf.fixed ?? window.time + leaf.shift;
    window.start = window.end - shape.range;
    while (window.to < times.length && (times[window.to] ?? 0) <= window.end) window.to++;
    while (window.from < window.to && (times[window.from] ?? 0) <= window.start) window.from++;
    if (window.from === window.to) continue;
    shape.parameters.forEach((parameter, at) => {
      window.parameters[at] = parameter[step] ?? Number.NaN;
    });
    const value = compute(window);
    samples += window.to - window.from;
    if (samples >= SAMPLES_A_LOOK) {
      run.totalSamples += samples;
      samples = 0;
      if (run.due()) await run.pause();
    }
    if (value === undefined) continue;
    row.values[step] = value;
    setPresent(row.present, step);
  }
  run.totalSamples += samples;
}

/** The rows of a leaf, one a series. */
export async function rowsOfSamples(series: readonly RawSeries[], leaf: Leaf, run: QueryRun): Promise<Row[]> {
  const { shape } = leaf;
  run.reserveRows(series.length, leaf.grid.count);
  const maker = new RowMaker(series.length, leaf.grid.count);
  const rows: Row[] = [];
  for (const one of series) {
    const row = maker.row(one.labels);
    if (shape.kind === 'window') {
      await fillWindows(row, one, leaf, shape, run);
    } else {
      fillInstant(row, one, leaf, lookbackOf(run, one.frequency), shape.take);
      run.totalSamples += leaf.grid.count;
    }
    rows.push(row);
    if (run.due()) await run.pause();
  }
  return rows;
}

/** A leaf's rows from its source, in the order of the tree. Their memory is reserved. */
export async function readLeaf(source: SeriesSource, leaf: Leaf, run: QueryRun): Promise<Row[]> {
  if (leaf.grid.count === 0) return [];
  const computed = await source.rows?.(leaf, run);
  if (computed !== undefined) return computed;
  const { from, to } = extentOf(leaf, run);
  return rowsOfSamples(await source.samples(leaf.matchers, from, to, run), leaf, run);
}
