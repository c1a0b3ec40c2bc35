/** Grids of some metrics that follow a range of time: the whole once, then only what is new. */
import { ApiError } from '../api/client.js';
import { queryRange, rowOf } from '../api/prometheus.js';
import { askAllNodes, rowsOf } from '../api/query.js';
import { Grid, type Row } from '../model/series/grid.js';
import { type Range, type Span, spanOf } from '../model/time/range.js';
import { livePause } from './live.svelte.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

/** Samples may come late: so many frequencies are asked for again. */
const OVERLAP = 6;

/** Name of the row of a sum. */
export const SUM = 'sum';

/** Rows by metric, of a span of time that begins at a multiple of each metric's step. */
export type Ask = (span: Span, signal: AbortSignal) => Promise<ReadonlyMap<string, readonly Row[]>>;

export class LiveGrids {
  /** By metric; absent: not asked for yet. */
  grids = $state.raw<ReadonlyMap<string, Grid>>(new Map());
  problem = $state<string | undefined>();
  /** Asked for the first time. */
  loading = $state(true);

  /**
   * Asks until the returned function is called.
   * @param steps seconds from one value to the next, by metric.
   */
  watch(steps: ReadonlyMap<string, number>, range: Range, ask: Ask): () => void {
    this.grids = new Map();
    this.loading = true;
    let asked: Span | undefined;
    const longest = Math.max(...steps.values());
    // What does not move is asked for once.
    const pause = (): number => (range.kind === 'fixed' ? 0 : livePause(Math.min(...steps.values())));
    return repeat(pause, async (signal) => {
      try {
        const span = spanOf(range, server.now);
        const from = asked === undefined ? span.from : Math.max(span.from, asked.to - OVERLAP * longest);
        const found = await ask({ from: Math.floor(from / longest) * longest, to: span.to }, signal);
        this.grids = new Map(
          [...steps].map(([metric, step]) => {
            const grid = this.grids.get(metric) ?? Grid.empty(span, step);
            return [metric, grid.advance(span, found.get(metric) ?? [])];
          }),
        );
        this.problem = undefined;
        asked = span;
      } catch (error) {
        if (signal.aborted) return;
        this.problem = error instanceof ApiError ? error.message : String(error);
        throw error;
      } finally {
        if (!signal.aborted) this.loading = false;
      }
    });
  }

  /** The metrics of every node of a cluster, rolled up to the node, as stored. */
  watchNodes(cluster: string, metrics: readonly string[], range: Range): () => void {
    const steps = new Map(metrics.map((metric) => [metric, server.frequency(metric)]));
    return this.watch(steps, range, async (span, signal) => {
      const found = await askAllNodes(session.client, cluster, span, metrics, {}, signal);
      return new Map(metrics.map((metric) => [metric, rowsOf(found, metric)]));
    });
  }

  /** The sum of each metric over all nodes of a cluster, in at most so many steps. */
  watchSums(metrics: readonly string[], range: Range, most: number, ofNode: (metric: string) => string): () => void {
    const span = spanOf(range, server.now);
    const steps = new Map(
      metrics.map((metric) => {
        const frequency = server.frequency(metric);
        return [metric, Math.ceil((span.to - span.from) / most / frequency) * frequency];
      }),
    );
    return this.watch(steps, range, async (asked, signal) => {
      const rows = new Map<string, Row[]>();
      for (const [metric, step] of steps) {
        const [sum] = await queryRange(session.client, `sum(${ofNode(metric)})`, asked, step, signal);
        rows.set(metric, sum === undefined ? [] : [rowOf(SUM, sum, step)]);
      }
      return rows;
    });
  }
}
