/** What the view of a node knows: what the node has, its values, and how its metrics are doing. */
import { ApiError } from '../api/client.js';
import { askSeries, type SeriesQuery } from '../api/query.js';
import { metricsOf, type NodeTree, readNodeTree } from '../model/nodes/node-tree.js';
import type { Row } from '../model/series/grid.js';
import type { Range, Span } from '../model/time/range.js';
import { cluster } from './cluster.svelte.js';
import { LiveGrids } from './live-grid.svelte.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

/** Between two looks at what the node has, and at how it is doing. */
const TREE_SECONDS = 60;

export interface Verdict {
  state: string;
  degraded: string[];
  missing: string[];
}

/** A query, and the row that its answer makes: a level by name; the node's own has none. */
interface Question {
  query: SeriesQuery;
  row: string;
}

export class NodeState {
  tree = $state.raw<NodeTree | undefined>();
  verdict = $state.raw<Verdict | undefined>();
  problem = $state<string | undefined>();
  /** The node does not exist, or no longer. */
  unknown = $state(false);
  /** By metric; rows are levels by name, the node's own without. */
  readonly values = new LiveGrids();

  /** Asks what the node has until the returned function is called. */
  watch(node: string): () => void {
    this.tree = undefined;
    this.unknown = false;
    return this.#repeat(async (signal) => {
      const params = { selector: `${cluster.name}:${node}` };
      const { data } = await session.client.json<{ data: Record<string, unknown> }>('api/debug', { params, signal });
      const tree = readNodeTree(data);
      // The same again must not have everything asked anew.
      if (JSON.stringify(tree) !== JSON.stringify(this.tree)) this.tree = tree;
      this.unknown = false;
    });
  }

  /** Asks how its metrics are doing until the returned function is called. */
  watchHealth(node: string, tree: NodeTree): () => void {
    this.verdict = undefined;
    return this.#repeat(async (signal) => {
      this.verdict = await this.#judge(node, tree, signal);
    });
  }

  #repeat(ask: (signal: AbortSignal) => Promise<void>): () => void {
    return repeat(
      () => TREE_SECONDS,
      async (signal) => {
        try {
          await ask(signal);
          this.problem = undefined;
        } catch (error) {
          if (signal.aborted) return;
          this.unknown = error instanceof ApiError && error.status === 400;
          this.problem = error instanceof ApiError ? error.message : String(error);
          throw error;
        }
      },
    );
  }

  /** Asks for the values until the returned function is called. */
  watchValues(node: string, tree: NodeTree, range: Range): () => void {
    const questions = questionsOf(node, tree);
    const steps = new Map(metricsOf(tree).map((metric) => [metric, server.frequency(metric)]));
    if (steps.size === 0) return () => {};
    return this.values.watch(steps, range, (span, signal) => answersOf(questions, span, signal));
  }

  /** Of the metrics that a node with such levels is to have: those that the cluster has at them. */
  async #judge(node: string, tree: NodeTree, signal: AbortSignal): Promise<Verdict> {
    const kinds = new Set(['', ...tree.kinds.map(({ type }) => type)]);
    const expected = cluster.metrics.filter((metric) => cluster.levelsOf(metric).some((level) => kinds.has(level)));
    const names = [...new Set([...expected, ...metricsOf(tree)])];
    const body = { cluster: cluster.name, nodes: [node], 'metric-names': names };
    type Answer = Record<string, { State: string; HealthMetrics: string }>;
    const answer = (await session.client.json<Answer>('api/healthcheck', { body, signal }))[node];
    const { degraded = [], missing = [] } = JSON.parse(answer?.HealthMetrics || '{}') as Partial<Verdict>;
    return { state: answer?.State ?? 'failed', degraded, missing };
  }
}

/**
 * Every metric of the node, as the node's own value where there is one, and at each of its levels: a query each, for a list of
 * ids is answered without those that have no data, and does not say which.
 */
function questionsOf(node: string, tree: NodeTree): Question[] {
  const questions: Question[] = [];
  for (const metric of metricsOf(tree)) {
    const isSummed = (server.config?.metrics[metric]?.aggregation ?? null) !== null;
    if (tree.metrics.includes(metric) || isSummed) questions.push({ query: { metric, host: node }, row: '' });
  }
  for (const { type, ids, metrics } of tree.kinds) {
    for (const metric of metrics) {
      for (const id of ids)
        questions.push({ query: { metric, host: node, type, 'type-ids': [id] }, row: `${type}${id}` });
    }
  }
  return questions;
}

async function answersOf(questions: readonly Question[], span: Span, signal: AbortSignal): Promise<Map<string, Row[]>> {
  const queries = questions.map(({ query }) => query);
  const answers = await askSeries(session.client, cluster.name, span, queries, {}, signal);
  const rows = new Map<string, Row[]>();
  for (const [i, { query, row }] of questions.entries()) {
    const found = rows.get(query.metric) ?? [];
    rows.set(query.metric, found);
    const series = answers[i]?.[0];
    if (series?.error !== undefined || series?.data === undefined) continue;
    found.push({ node: row, from: series.from, step: series.resolution, values: series.data });
  }
  return rows;
}
