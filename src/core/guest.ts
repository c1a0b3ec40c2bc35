/**
 * Small questions, answered by the main thread itself. To wake a worker and to be woken by it takes 0.1 ms, twice as long as the
 * answer to "what do these nodes do now" does. So the main thread has a second instance of each partition's core, on the same
 * memory, and uses it when the worker is not at work there: then nothing waits. Else, and for all larger questions, it asks
 * the worker.
 */
import type { MetricConfig } from '../config/config.js';
import type { Core } from './instance.js';
import type { Piece } from './protocol.js';
import type { QueryRequest, SeriesQuery } from './store.js';
import type { MemoryView } from './wasm-instance.js';

/**
 * Bins of all entries up to which a question is small: a few metrics of a node for a day, or minutes of some dozen nodes. Each
 * may be a roll-up of a hundred series, at 1.5 ns a sample the first time: for a millisecond or so the main thread serves
 * nobody else.
 */
const SMALL_BINS = 8192;
/** What an entry costs besides its bins, in bins: a status page takes 3 µs an entry, of 72 series, when the nodes are many. */
const ENTRY_BINS = 16;
/** Bytes of an answer that is not small after all. */
const SMALL_ANSWER = 64 << 10;
const SLAB = 64 << 10;

/** How many bins a request asks for, or what costs as much. */
export interface Extent {
  /** Of its own queries. */
  queries: number;
  /** For every node of the cluster. */
  perNode: number;
}

/** @param metrics of the config: those that it does not know are answered with an error, which is small. */
export function extentOf(request: QueryRequest, metrics: ReadonlyMap<string, MetricConfig>): Extent {
  const seconds = Math.max(0, request.to - request.from);
  const bins = (metric: string): number =>
    seconds / (metrics.get(metric)?.frequency ?? Number.POSITIVE_INFINITY) + 1 + ENTRY_BINS;
  const queries = request.queries.reduce((sum, query) => {
    const ids = idCount(query);
    // What is added up is one entry, whose ids have to be looked for.
    return sum + (query.aggregate ? bins(query.metric) + ids * ENTRY_BINS : ids * bins(query.metric));
  }, 0);
  const perNode = request.forAllNodes?.reduce((sum, metric) => sum + bins(metric), 0) ?? 0;
  return { queries, perNode };
}

function idCount({ type, typeIds, subtype, subtypeIds }: SeriesQuery): number {
  if (type === undefined) return 1;
  return typeIds.length * (subtype === undefined ? 1 : subtypeIds.length);
}

/** A request that has begun. */
interface Begun {
  state: number;
  /** See `Piece`. */
  text?: Uint8Array<ArrayBuffer>;
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

export class Guest {
  readonly #core: Core;

  /** @param core of `Core.guest`. */
  constructor(core: Core) {
    this.#core = core;
  }

  /** Answers a part of a query. @returns undefined: the worker must be asked. */
  query(id: number, request: Uint8Array, { queries }: Extent): Piece | undefined {
    if (queries > SMALL_BINS) return undefined;
    return this.#whole(id, () => ({ state: this.#core.queryBegin(request) }));
  }

  /** The same for all nodes. @param partitions that are asked, one after the other. */
  queryAll(id: number, request: Uint8Array, { perNode }: Extent, partitions: number): Piece | undefined {
    const limit = SMALL_BINS / partitions;
    if (perNode > limit) return undefined;
    return this.#whole(id, () => {
      if (perNode * this.#core.hosts > limit) return undefined;
      const { state, text } = this.#core.queryAllBegin(request);
      return { state, text: slab.copy(text) };
    });
  }

  #whole(id: number, begin: () => Begun | undefined): Piece | undefined {
    const core = this.#core;
    try {
      return core.asGuest(() => {
        const begun = begin();
        if (!begun) return undefined;
        const { state, text = NOTHING } = begun;
        try {
          const { bytes, done } = core.queryStep(state, SMALL_ANSWER);
          return done
            ? { id, bytes: slab.copy(bytes), ends: core.queryEnds, done, text, failure: undefined }
            : undefined;
        } finally {
          core.queryEnd(state);
        }
      });
    } catch {
      // The worker will fail as well, and says why.
      return undefined;
    }
  }
}

const NOTHING = new Uint8Array(0);
