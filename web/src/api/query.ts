/** POST /api/query. */
import type { Row } from '../model/series/grid.js';
import type { Span } from '../model/time/range.js';
import type { Client } from './client.js';

/** One series of an answer; times are unix seconds. */
export interface Series {
  /** Why it cannot be answered; the other members are meaningless then. */
  error?: string;
  data?: (number | null)[];
  from: number;
  to: number;
  /** Seconds from one value to the next. */
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
}

export interface SeriesQuery {
  metric: string;
  host: string;
  type?: string;
  'type-ids'?: string[];
  aggreg?: boolean;
  /** Seconds; absent: as stored. */
  resolution?: number;
}

interface Answer {
  queries?: { metric: string; host: string }[];
  results: Series[][];
}

/** What is asked for beside the values. */
export interface Wanted {
  stats?: boolean;
  data?: boolean;
}

function requestOf(cluster: string, { from, to }: Span, { stats = false, data = true }: Wanted) {
  return { cluster, from, to, 'with-stats': stats, 'with-data': data, 'with-padding': false };
}

/** One list of series a query, in their order. */
export async function askSeries(
  client: Client,
  cluster: string,
  span: Span,
  queries: readonly SeriesQuery[],
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Series[][]> {
  if (queries.length === 0) return [];
  const body = { ...requestOf(cluster, span, wanted), queries };
  const { results } = await client.json<Answer>('api/query', { body, signal });
  return results;
}

export interface NodeSeries {
  node: string;
  metric: string;
  series: Series;
}

/** Each of the metrics of every node of the cluster, rolled up to the node. Nodes without data in the span are left out. */
export async function askAllNodes(
  client: Client,
  cluster: string,
  span: Span,
  metrics: readonly string[],
  wanted: Wanted,
  signal: AbortSignal,
): Promise<NodeSeries[]> {
  const body = { ...requestOf(cluster, span, wanted), 'for-all-nodes': metrics };
  const { queries = [], results } = await client.json<Answer>('api/query', { body, signal });
  const found: NodeSeries[] = [];
  for (const [i, { metric, host }] of queries.entries()) {
    const series = results[i]?.[0];
    if (series !== undefined && series.error === undefined) found.push({ node: host, metric, series });
  }
  return found;
}

/** As a grid takes them. */
export function rowsOf(found: readonly NodeSeries[], metric: string): Row[] {
  return found
    .filter((one) => one.metric === metric)
    .map(({ node, series }) => ({ node, from: series.from, step: series.resolution, values: series.data ?? [] }));
}
