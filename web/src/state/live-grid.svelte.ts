/** Grids of some metrics of all nodes that follow a range of time: the whole once, then only what is new. */
import { ApiError } from '../api/client.js';
import { askAllNodes, rowsOf } from '../api/query.js';
import { Grid } from '../model/grid.js';
import { type Range, type Span, spanOf } from '../model/range.js';
import { livePause } from './live.svelte.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

/** Samples may come late: so many frequencies are asked for again. */
const OVERLAP = 6;

export class LiveGrids {
  /** By metric; absent: not asked for yet. */
  grids = $state.raw<ReadonlyMap<string, Grid>>(new Map());
  problem = $state<string | undefined>();
  /** Asked for the first time. */
  loading = $state(true);

  /**
   * Asks until the returned function is called.
   * @param metrics all of one request.
   */
  watch(cluster: string, metrics: readonly string[], range: Range): () => void {
    this.grids = new Map();
    this.loading = true;
    let asked: Span | undefined;
    const step = Math.max(...metrics.map((metric) => server.frequency(metric)));
    // What does not move is asked for once.
    const pause = (): number => (range.kind === 'fixed' ? 0 : livePause(step));
    return repeat(pause, async (signal) => {
      try {
        const span = spanOf(range, server.now);
        const from = asked === undefined ? span.from : Math.max(span.from, asked.to - OVERLAP * step);
        const found = await askAllNodes(
          session.client,
          cluster,
          aligned({ from, to: span.to }, step),
          metrics,
          {},
          signal,
        );
        const grids = new Map<string, Grid>();
        for (const metric of metrics) {
          const own = server.frequency(metric);
          const grid = this.grids.get(metric) ?? Grid.empty(span, own);
          grids.set(metric, grid.advance(span, rowsOf(found, metric)));
        }
        this.grids = grids;
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
}

/** Values of a column come from the same bin in every answer only if the start is a multiple of the step. */
function aligned({ from, to }: Span, step: number): Span {
  return { from: Math.floor(from / step) * step, to };
}
