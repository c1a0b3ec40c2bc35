/** What the views know of the cluster that is looked at: its nodes and until when each has samples, and its metrics. */
import type { ContentsAnswer, NodesAnswer } from '../api/answers.js';
import { ApiError } from '../api/client.js';
import { type Liveness, livenessOf, type NodeSpan, type Roll, rollOf } from '../model/nodes/nodes.js';
import { ofNodes } from '../model/promql/expressions.js';
import type { Contents } from '../model/store/contents.js';
import { orderMetrics } from '../model/values/metrics.js';
import { repeat } from './repeat.js';
import { router } from './router.svelte.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

const NODES_SECONDS = 10;
/** Counting looks at every block of the store, and metrics seldom come or go. */
const CONTENTS_SECONDS = 300;

class Cluster {
  nodes = $state.raw<NodeSpan[] | undefined>();
  /** By metric and level. */
  contents = $state.raw<Contents[] | undefined>();
  problem = $state<string | undefined>();
  /** Unix seconds by the server's clock at which `nodes` were true. */
  #time = $state(0);

  /** The cluster that is looked at; empty: the server has none. */
  name = $derived(router.place.cluster || (server.status?.clusters[0] ?? ''));
  roll: Roll | undefined = $derived(this.nodes && rollOf(this.nodes, this.#time));
  #byName = $derived(new Map((this.nodes ?? []).map((node) => [node.node, node])));
  /** Metrics that there are samples of, in the order in which people look for them. */
  metrics = $derived(orderMetrics([...new Set((this.contents ?? []).map(({ metric }) => metric))]));

  find(node: string): NodeSpan | undefined {
    return this.#byName.get(node);
  }

  livenessOf(node: string): Liveness {
    const span = this.find(node);
    return span === undefined ? 'dead' : livenessOf(span, this.#time);
  }

  /** Unix seconds by the server's clock, as of the last answer. */
  get time(): number {
    return this.#time;
  }

  /** Levels at which a metric is measured; empty: the node itself. */
  levelsOf(metric: string): string[] {
    return (this.contents ?? []).filter((part) => part.metric === metric).map(({ level }) => level);
  }

  /**
   * Whether a metric has a value of the whole node: measured there, or rolled up from below, or one of a kind below.
   */
  hasNodeValue(metric: string): boolean {
    return this.levelsOf(metric).includes('') || (server.config?.metrics[metric]?.aggregation ?? null) !== null;
  }

  /** PromQL for the metric of each node. */
  expressionOf(metric: string): string {
    return ofNodes(metric, this.name, this.levelsOf(metric), server.config?.metrics[metric]?.aggregation ?? null);
  }

  /** Asks until the returned function is called. @param name of the cluster; not empty. */
  watch(name: string): () => void {
    this.nodes = undefined;
    this.contents = undefined;
    const { client } = session;
    const ends = [
      repeat(
        () => NODES_SECONDS,
        (signal) =>
          this.#reporting(signal, async () => {
            const answer = await client.json<NodesAnswer>('api/nodes', { params: { cluster: name }, signal });
            this.nodes = answer.nodes;
            this.#time = answer.time;
          }),
      ),
      repeat(
        () => CONTENTS_SECONDS,
        (signal) =>
          this.#reporting(signal, async () => {
            const params = { cluster: name };
            this.contents = (await client.json<ContentsAnswer>('api/contents', { params, signal })).contents;
          }),
      ),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async #reporting(signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error instanceof ApiError ? error.message : String(error);
      throw error;
    }
  }
}

export const cluster = new Cluster();
