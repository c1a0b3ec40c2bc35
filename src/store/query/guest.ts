/**
 * Small questions, answered by the main thread itself. To wake a worker and to be woken by it takes 0.1 ms, twice as long as the
 * answer to "what do these nodes do now" does. So the main thread has a second instance of each partition's core, on the same
 * memory, and uses it when the worker is not at work there: then nothing waits. Else, and for all larger questions, it asks
 * the worker.
 */
import type { MetricConfig } from '../../config/config.js';
import type { Core } from '../../wasm/instance.js';
import type { MemoryView } from '../../wasm/wasm-instance.js';
import type { Piece } from '../protocol.js';
import { type QueryRequest, type SeriesQuery, StoreError } from '../store.js';

/**
 * What is small, in bins of single series: a few metrics of a node for two days, or the last minutes of some dozen nodes. A bin
 * takes 7 ns the first time, less than 1 when its roll-up is kept: for about 3 ms, 8 before V8 has optimised, the main thread serves nobody else.
 */
const SMALL = 256 << 10;
/** What the core counts for a series besides its bins. */
const SERIES_BINS = 32;
/** Bytes after which an answer is not small after all, with the entry that it is in. */
const SMALL_ANSWER = 64 << 10;
const SLAB = 64 << 10;

/** What a request costs at least, in bins of series: that is known before it is begun. */
export interface Extent {
  /** Of queries that name their series. */
  named: number;
  /** Of those that mean all series of a host, as if it had one. */
  rolledUp: number;
  /** For every node of the cluster, as if it had one series. */
  perNode: number;
}

/** @param metrics of the config: those that it does not know are answered with an error, which costs as much as its name. */
export function extentOf(request: QueryRequest, metrics: ReadonlyMap<string, MetricConfig>): Extent {
  const seconds = Math.max(0, request.to - request.from);
  const bins = (metric: string): number =>
    seconds / (metrics.get(metric)?.frequency ?? Number.POSITIVE_INFINITY) + metric.length / 8 + SERIES_BINS;
  const extent: Extent = { named: 0, rolledUp: 0, perNode: 0 };
  for (const query of request.queries) {
    if (query.type === undefined) extent.rolledUp += bins(query.metric);
    else extent.named += idCount(query) * bins(query.metric);
  }
  for (const metric of request.forAllNodes ?? []) extent.perNode += bins(metric);
  return extent;
}

function idCount({ typeIds, subtype, subtypeIds }: SeriesQuery): number {
  return typeIds.length * (subtype === undefined ? 1 : subtypeIds.length);
}

/** Where answers are put until they are sent, many in one buffer: to make one for each, and free it, costs as much as the answer. */
class Slab {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** A copy. */
  copy(bytes: MemoryView): Uint8Array<ArrayBuffer> {
    const { length } = bytes;
    if (length > SLAB / 4) return bytes.slice();
    if (this.#used + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB);
      this.#used = 0;
    }
    const copy = this.#bytes.subarray(this.#used, this.#used + length);
    copy.set(bytes);
    this.#used += length;
    return copy;
  }
}

/** Of all partitions. */
const slab = new Slab();
const NOTHING = new Uint8Array(0);

export class Guest {
  readonly #core: Core;

  /** @param core of `Core.guest`. */
  constructor(core: Core) {
    this.#core = core;
  }

  /** Answers a part of a query. @returns undefined: the worker must be asked. */
  query(id: number, request: Uint8Array, { named, rolledUp }: Extent): Piece | undefined {
    if (named + rolledUp > SMALL) return undefined;
    return this.#inTurn(() => this.#whole(id, SMALL, this.#core.queryBegin(request)));
  }

  /** The same for all nodes. @param partitions that are asked, one after the other. */
  queryAll(id: number, request: Uint8Array, { perNode }: Extent, partitions: number): Piece | undefined {
    const limit = SMALL / partitions;
    if (perNode > limit) return undefined;
    return this.#inTurn(() => {
      if (perNode * this.#core.hosts > limit) return undefined;
      const { state, text } = this.#core.queryAllBegin(request);
      return this.#whole(id, limit, state, text);
    });
  }

  #inTurn(answer: () => Piece | undefined): Piece | undefined {
    try {
      return this.#core.asGuest(answer);
    } catch (error) {
      // The worker will fail as well, and says why.
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  /** The answer to a request that has begun, which ends. @param textView see `Piece`. @returns undefined: it is not small. */
  #whole(id: number, effort: number, state: number, textView?: MemoryView): Piece | undefined {
    const core = this.#core;
    try {
      const text = textView ? slab.copy(textView) : NOTHING;
      const { bytes, done } = core.queryStep(state, SMALL_ANSWER, effort);
      return done ? { id, bytes: slab.copy(bytes), ends: core.queryEnds, done, text, failure: undefined } : undefined;
    } finally {
      core.queryEnd(state);
    }
  }
}
