/** histogram_quantile, histogram_quantiles and histogram_fraction over rows with a label `le`. */

import { formatPlain } from '../../parse/literals.js';
import type { Labels } from '../labels.js';
import { bytesOfBits, type Grid, isPresent, joinEqualLabels, type Row, RowMaker, setPresent, timeAt } from '../rows.js';
import type { QueryRun } from '../run.js';
import { type Bucket, bucketFraction, bucketQuantile, parseBound } from './histogram.js';

const bucketLabel: ReadonlySet<string> = new Set(['le']);

interface Histogram {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly row: Row }[];
}

/** Rows that are buckets of the same histogram. @param position of the argument, for rows whose `le` is no number. */
async function histogramsOf(rows: readonly Row[], position: number, run: QueryRun): Promise<Histogram[]> {
  const histograms = new Map<string, Histogram>();
  for (const row of rows) {
    if (run.due()) await run.pause();
    const le = row.labels.get('le');
    const bound = parseBound(le);
    if (bound === undefined) {
      run.annotations.badBucket(le, position);
      continue;
    }
    const whole = row.labels.drop(bucketLabel);
    let histogram = histograms.get(whole.key);
    if (histogram === undefined) {
      histogram = { labels: whole.withoutName(), buckets: [] };
      histograms.set(whole.key, histogram);
    }
    histogram.buckets.push({ bound, row });
  }
  return [...histograms.values()];
}

function bucketsAt({ buckets }: Histogram, step: number): Bucket[] {
  const found: Bucket[] = [];
  for (const { bound, row } of buckets) {
    if (isPresent(row.present, step)) found.push({ bound, count: row.values[step] ?? 0 });
  }
  return found;
}

/** One row a histogram. @param labels of a histogram's row. @param compute its value at a step. */
async function mapHistograms(
  histograms: readonly Histogram[],
  grid: Grid,
  run: QueryRun,
  labels: (histogram: Histogram) => Labels,
  compute: (buckets: Bucket[], step: number) => number,
): Promise<Row[]> {
  run.reserveRows(histograms.length, grid.count);
  const maker = new RowMaker(histograms.length, grid.count);
  const rows: Row[] = [];
  for (const histogram of histograms) {
    const row = maker.row(labels(histogram));
    for (let step = 0; step < grid.count; step++) {
      const buckets = bucketsAt(histogram, step);
      if (buckets.length === 0) continue;
      row.values[step] = compute(buckets, step);
      setPresent(row.present, step);
      if (run.due()) await run.pause();
    }
    rows.push(row);
  }
  return rows;
}

/** Warns of quantiles outside of [0, 1]. */
export function checkQuantiles(quantiles: Float64Array, position: number, run: QueryRun): void {
  for (const quantile of quantiles) {
    if (!(quantile >= 0 && quantile <= 1)) run.annotations.invalidQuantile(quantile, position);
  }
}

/** Where arguments stand in the query. */
export interface ArgumentPositions {
  readonly vector: number;
  readonly quantile: number;
  /** Another quantile of the same buckets has told already where they are not monotonic. */
  readonly told?: boolean;
}

/**
 * @param label receives the quantile, for histogram_quantiles; undefined: the labels stay.
 * @throws ExecutionError when histograms differ in their metric's name only.
 */
export async function histogramQuantile(
  rows: readonly Row[],
  quantiles: Float64Array,
  label: string | undefined,
  positions: ArgumentPositions,
  grid: Grid,
  run: QueryRun,
): Promise<Row[]> {
  checkQuantiles(quantiles, positions.quantile, run);
  const histograms = await histogramsOf(rows, positions.vector, run);
  const found = await mapHistograms(
    histograms,
    grid,
    run,
    ({ labels }) => labels,
    (buckets, step) => {
      const { value, correction } = bucketQuantile(quantiles[step] ?? Number.NaN, buckets);
      if (correction !== undefined && positions.told !== true) {
        const { lowest, highest, difference } = correction;
        run.annotations.forcedMonotonicity(timeAt(grid, step), lowest, highest, difference, positions.vector);
      }
      return value;
    },
  );
  return joinEqualLabels(label === undefined ? found : await labelled(found, quantiles, label, run), run);
}

/** The rows with the quantile in a label: one row for each quantile that there is at any step. */
async function labelled(rows: readonly Row[], quantiles: Float64Array, label: string, run: QueryRun): Promise<Row[]> {
  const distinct = new Set(quantiles);
  run.reserveRows(distinct.size * (rows.length + 1), quantiles.length);
  const results: Row[] = [];
  for (const quantile of distinct) {
    const asked = new Uint8Array(bytesOfBits(quantiles.length));
    for (let step = 0; step < quantiles.length; step++) {
      if (Object.is(quantiles[step], quantile)) setPresent(asked, step);
    }
    const text = openMetricsNumber(quantile);
    for (const { labels, values, present } of rows) {
      if (run.due()) await run.pause();
      const kept = present.map((byte, at) => byte & (asked[at] ?? 0));
      results.push({ labels: labels.with(label, text), values, present: kept });
    }
  }
  return results;
}

/** @throws ExecutionError when histograms differ in their metric's name only. */
export async function histogramFraction(
  rows: readonly Row[],
  lower: Float64Array,
  upper: Float64Array,
  position: number,
  grid: Grid,
  run: QueryRun,
): Promise<Row[]> {
  const histograms = await histogramsOf(rows, position, run);
  const found = await mapHistograms(
    histograms,
    grid,
    run,
    ({ labels }) => labels,
    (buckets, step) => bucketFraction(lower[step] ?? Number.NaN, upper[step] ?? Number.NaN, buckets),
  );
  return joinEqualLabels(found, run);
}

/** A whole number gets `.0`, as OpenMetrics wants it. */
function openMetricsNumber(value: number): string {
  const text = formatPlain(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
