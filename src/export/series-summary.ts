import type { SeriesRun } from '../persistence/reference/types.js';

interface MetricSummary {
  /** Paths of levels. */
  series: Set<string>;
  /** Seconds; empty for samples of a log, which do not say. */
  frequencies: Set<number>;
  samples: number;
  missing: number;
  first: number;
  last: number;
  min: number;
  max: number;
}

/** Counts by metric what a file holds. Memory: the names of its series. */
export class SeriesSummary {
  readonly #metrics = new Map<string, MetricSummary>();
  readonly #levels = new Set<string>();

  addRun({ levels, metric, frequency, start, values }: SeriesRun): void {
    const summary = this.#of(levels, metric);
    summary.frequencies.add(frequency);
    values.forEach((value, k) => {
      if (Number.isNaN(value)) summary.missing++;
      else count(summary, start + k * frequency, value);
    });
  }

  addSample(levels: readonly string[], metric: string, timestamp: number, value: number): void {
    count(this.#of(levels, metric), timestamp, value);
  }

  /** One line about everything, then one a metric, sorted by name. */
  *lines(): Generator<string> {
    const all = [...this.#metrics.values()];
    const series = all.reduce((sum, metric) => sum + metric.series.size, 0);
    const samples = all.reduce((sum, metric) => sum + metric.samples, 0);
    const missing = all.reduce((sum, metric) => sum + metric.missing, 0);
    const gaps = missing > 0 ? `, ${missing} bins missing` : '';
    yield `${series} series of ${all.length} metrics on ${this.#levels.size} levels, ${samples} samples${gaps}`;
    for (const [name, metric] of [...this.#metrics].sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield `  ${name}: ${describeMetric(metric)}`;
    }
  }

  #of(levels: readonly string[], metric: string): MetricSummary {
    let summary = this.#metrics.get(metric);
    if (summary === undefined) {
      summary = {
        series: new Set(),
        frequencies: new Set(),
        samples: 0,
        missing: 0,
        first: Number.POSITIVE_INFINITY,
        last: Number.NEGATIVE_INFINITY,
        min: Number.POSITIVE_INFINITY,
        max: Number.NEGATIVE_INFINITY,
      };
      this.#metrics.set(metric, summary);
    }
    const path = levels.join('/');
    summary.series.add(path);
    this.#levels.add(path);
    return summary;
  }
}

function count(summary: MetricSummary, timestamp: number, value: number): void {
  summary.samples++;
  summary.first = Math.min(summary.first, timestamp);
  summary.last = Math.max(summary.last, timestamp);
  summary.min = Math.min(summary.min, value);
  summary.max = Math.max(summary.max, value);
}

function describeMetric(metric: MetricSummary): string {
  const every = metric.frequencies.size > 0 ? `every ${[...metric.frequencies].join(' or ')} s, ` : '';
  if (metric.samples === 0) return `${metric.series.size} series, ${every}no samples`;
  const range = `${formatTime(metric.first)} to ${formatTime(metric.last)}`;
  return `${metric.series.size} series, ${every}${metric.samples} samples from ${range}, values ${metric.min} to ${metric.max}`;
}

/** Unix seconds, and the date where there is one. */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(seconds);
  return `${seconds} (${date.toISOString().replace('.000Z', 'Z')})`;
}
