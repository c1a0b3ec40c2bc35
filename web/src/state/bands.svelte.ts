/** The cluster's median and 5 to 95 % of a metric over its nodes, behind a node's line: asked for one after the other. */
import { queryRange } from '../api/prometheus.js';
import { quantiles } from '../model/promql/expressions.js';
import type { Band } from '../model/series/node-chart.js';
import { type Range, spanOf } from '../model/time/range.js';
import { cluster } from './cluster.svelte.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

const SHARES = [0.05, 0.5, 0.95];
/** Steps of a band at most: it is a background. */
const STEPS = 120;
/** Between two looks, in seconds: it costs the server a look at all nodes. */
const SECONDS = 300;

export class Bands {
  /** By metric. */
  bands = $state.raw<ReadonlyMap<string, Band>>(new Map());

  /** Asks until the returned function is called. What cannot be had is left out: the node's own line says enough. */
  watch(metrics: readonly string[], range: Range): () => void {
    this.bands = new Map();
    return repeat(
      () => (range.kind === 'fixed' ? 0 : SECONDS),
      async (signal) => {
        for (const metric of metrics) {
          const band = await this.#ask(metric, range, signal);
          if (signal.aborted) return;
          if (band !== undefined) this.bands = new Map(this.bands).set(metric, band);
        }
      },
    );
  }

  async #ask(metric: string, range: Range, signal: AbortSignal): Promise<Band | undefined> {
    const span = spanOf(range, server.now);
    const frequency = server.frequency(metric);
    const step = Math.max(1, Math.ceil((span.to - span.from) / STEPS / frequency)) * frequency;
    const query = quantiles(cluster.expressionOf(metric), SHARES);
    const series = await queryRange(session.client, query, span, step, signal);
    const [low, median, high] = SHARES.map((share) => series.find(({ metric: { q } }) => q === String(share)));
    if (low === undefined || median === undefined || high === undefined) return undefined;
    return { times: median.times, low: low.values, median: median.values, high: high.values };
  }
}
