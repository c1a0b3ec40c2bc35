import { Labels } from '../../src/promql/evaluate/labels.js';
import type { RawSeries, SeriesSource } from '../../src/promql/evaluate/source.js';
import type { Matcher } from '../../src/promql/parse/matcher.js';

/** A series as recorded cases have it: unix milliseconds and values as text. */
export interface RecordedSeries {
  labels: Record<string, string>;
  t: number[];
  v: string[];
}

/** A double as Prometheus writes it. */
export function readValue(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

/** Samples in memory, given out in the order of labels: the engine alone, without a store. */
export class MemorySource implements SeriesSource {
  readonly series: RawSeries[];
  /** How often samples were asked for. */
  reads = 0;

  /** @param frequency milliseconds, of all series. */
  constructor(series: readonly RecordedSeries[], frequency = 0) {
    this.series = series
      .map(({ labels, t, v }) => ({
        labels: Labels.from(Object.entries(labels)),
        times: Float64Array.from(t),
        values: Float64Array.from(v, readValue),
        frequency,
      }))
      .sort((a, b) => a.labels.compare(b.labels));
  }

  async samples(matchers: readonly Matcher[]): Promise<RawSeries[]> {
    this.reads++;
    return this.series.filter(({ labels }) => matchers.every(({ label, matches }) => matches(labels.get(label))));
  }
}
