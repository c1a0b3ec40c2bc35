/** The routes below /api/v1, as Prometheus has them. */
import { numberOf } from '../model/promql/answer.js';
import type { Row } from '../model/series/grid.js';
import type { Span } from '../model/time/range.js';
import type { Client } from './client.js';

/** A series of a range: times in unix seconds and values, `NaN` among them. */
export interface RangeSeries {
  metric: Record<string, string>;
  times: number[];
  values: number[];
}

interface Matrix {
  metric: Record<string, string>;
  values: [number, string][];
}

/** Evaluates an expression at steps over a span. @param step seconds. */
export async function queryRange(
  client: Client,
  query: string,
  { from, to }: Span,
  step: number,
  signal: AbortSignal,
): Promise<RangeSeries[]> {
  // Multiples of the step: the next question asks for the same times again.
  const start = Math.ceil(from / step) * step;
  const form = new URLSearchParams({ query, start: String(start), end: String(to), step: String(step) });
  const answer = await client.json<{ data: { result: Matrix[] } }>('api/v1/query_range', { form, signal });
  return answer.data.result.map(({ metric, values }) => ({
    metric,
    times: values.map(([time]) => time),
    values: values.map(([, text]) => numberOf(text)),
  }));
}

/** As a grid takes them: evenly spaced, null where there is no value. @param step of the question. */
export function rowOf(name: string, { times, values }: RangeSeries, step: number): Row {
  const from = times[0] ?? 0;
  const even: (number | null)[] = [];
  for (const [i, time] of times.entries()) even[Math.round((time - from) / step)] = values[i] ?? null;
  return { node: name, from, step, values: Array.from(even, (value) => value ?? null) };
}
