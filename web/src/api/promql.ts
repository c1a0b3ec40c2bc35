/** What Explore asks below /api/v1: whole answers with statistics, and names for completion. */
import type { QueryData } from '../model/promql/answer.js';
import type { Span } from '../model/time/range.js';
import type { Client } from './client.js';

export interface QueryAnswer {
  data: QueryData & {
    stats?: { timings: { execTotalTime: number }; samples: { totalQueryableSamples: number } };
  };
  warnings?: string[];
  infos?: string[];
}

/** Evaluates an expression at steps over a span. @param step seconds. */
export function askRange(client: Client, query: string, { from, to }: Span, step: number, signal: AbortSignal) {
  const form = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step), stats: 'all' });
  return client.json<QueryAnswer>('api/v1/query_range', { form, signal });
}

/** The same as a file. @param format `csv`, `arrow` or `parquet`. */
export function askRangeFile(client: Client, query: string, { from, to }: Span, step: number, format: string) {
  const form = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step), format });
  return client.ask('api/v1/query_range', { form });
}

/** Evaluates an expression at one time, unix seconds. */
export function askInstant(client: Client, query: string, time: number, signal: AbortSignal): Promise<QueryAnswer> {
  const form = new URLSearchParams({ query, time: String(time), stats: 'all' });
  return client.json<QueryAnswer>('api/v1/query', { form, signal });
}

/** Names of labels, of the series that a selector matches; empty: of all. */
export async function askLabelNames(client: Client, selector: string): Promise<string[]> {
  const params = selector === '' ? {} : { 'match[]': selector };
  return (await client.json<{ data: string[] }>('api/v1/labels', { params })).data;
}

/** Values of a label, of the series that a selector matches; empty: of all. */
export async function askLabelValues(client: Client, label: string, selector: string): Promise<string[]> {
  const params = selector === '' ? {} : { 'match[]': selector };
  return (await client.json<{ data: string[] }>(`api/v1/label/${label}/values`, { params })).data;
}
