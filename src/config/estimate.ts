/** What a configuration's samples cost in memory once the whole retention is filled. */
import type { Config, MetricConfig } from './config.js';

/** Index, names and open block of one series. */
export const SERIES_BYTES = 512;
/** Bytes of one sample in memory, measured over a busy cluster's mix of metrics. */
export const DOUBLE_BYTES = 5;
const SINGLE_BYTES = 2.6;
/** With 3 decimals; each decimal more or less is worth about 3.3 bits. */
export const THREE_DECIMALS_BYTES = 2;
const BYTES_PER_DECIMAL = 0.4;
/** The process without any samples. */
export const BASE_BYTES = 0.15e9;

export interface Estimate {
  series: number;
  samples: number;
  /** Of samples alone. */
  sampleBytes: number;
  /** Of samples, series and the process. */
  bytes: number;
}

/** @param seriesOf the number of series of a metric, all levels together. */
export function atFullRetention({ metrics, store }: Config, seriesOf: (metric: string) => number): Estimate {
  const estimate = { series: 0, samples: 0, sampleBytes: 0 };
  for (const [name, metric] of metrics) {
    const series = seriesOf(name);
    const samples = series * Math.ceil(store.retentionSeconds / metric.frequency);
    estimate.series += series;
    estimate.samples += samples;
    estimate.sampleBytes += samples * bytesPerSample(metric);
  }
  const { sampleBytes } = estimate;
  const series = Math.round(estimate.series);
  return {
    series,
    samples: Math.round(estimate.samples),
    sampleBytes,
    bytes: BASE_BYTES + series * SERIES_BYTES + sampleBytes,
  };
}

function bytesPerSample({ precision }: MetricConfig): number {
  if (precision === 'double') return DOUBLE_BYTES;
  if (precision === 'single') return SINGLE_BYTES;
  const bytes = THREE_DECIMALS_BYTES + (precision - 3) * BYTES_PER_DECIMAL;
  return Math.min(DOUBLE_BYTES, bytes);
}
