/**
 * What the HTTP layer, NATS and the operations commands ask of the store. Free of implementation: `pool.ts` implements
 * it with worker threads, tests may implement it with nothing at all.
 *
 * Times are unix seconds, sizes bytes. Every method rejects with a `StoreError`; callers compare `code`, never messages.
 */
import type { Trigger } from '../partition/checkpointer.js';
import type { Contents } from '../partition/contents.js';
import type { ClusterSummary, NodeHealth, NodeSpan, PartitionStats } from '../partition/figures.js';
import type { Column, ColumnError } from '../wasm/columns.js';
import type { QueryRequest } from '../wasm/request.js';
import type { SamplePrinter } from '../wasm/sample-printer.js';
import type { UnconfiguredMetrics } from '../wasm/unconfigured.js';
import type { FieldMode } from '../wasm/writes.js';

export type { Contents } from '../partition/contents.js';
export type { ClusterSummary, NodeHealth, NodeSpan, PartitionStats } from '../partition/figures.js';

import type { LeafAnswerPart, LeafRequest } from '../wasm/leaf.js';

export { StoreError, type StoreErrorCode } from '../base/store-error.js';
export type { RefusalFigures } from '../partition/refusals.js';
export type { Column, ColumnError } from '../wasm/columns.js';
export type { MemoryUse } from '../wasm/figures.js';
export type { LeafAnswerPart, LeafRequest, NameFilter } from '../wasm/leaf.js';
export type { QueryRequest, SeriesQuery } from '../wasm/request.js';
export { PRINT_STEPS, type SamplePrinter } from '../wasm/sample-printer.js';
export { LeafAggregation, LeafFunction, LeafGrouping, QueryError } from '../wasm/tables/codes.js';
export type { UnconfiguredMetric, UnconfiguredMetrics } from '../wasm/unconfigured.js';
export type { FieldMode } from '../wasm/writes.js';

/** `auto` recognises s, ms, us and ns by magnitude. */
export type Precision = 'auto' | 's' | 'ms' | 'us' | 'ns';

export interface LineRefusal {
  /** 1-based number of the line within the written body. */
  line: number;
  reason: string;
}

/** How a body is stored otherwise than usual. */
export interface WriteOptions {
  /** 'all': a sample a field, tags become levels by the configuration's table; default: one field, `value`. */
  fields?: FieldMode;
  /** Unix seconds, of lines without a time. Default: when they are stored. */
  now?: number;
  /** Samples are stored only where there is none: for what may have been stored before, and be older than what came since. */
  onlyMissing?: boolean;
}

export interface WriteOutcome {
  /** Samples, which are in the log. */
  stored: number;
  /** Samples of metrics that the config does not name. */
  skipped: number;
  /** Refused lines; `refusals` describes the first few of them, in order of line. */
  refused: number;
  refusals: LineRefusal[];
}

/**
 * UTF-8 JSON: all of it, as short answers are, or in pieces, in order, which must be read or left (`return`). A piece must be
 * used before the next is asked for: its memory is used again then.
 */
export type Answer = Uint8Array | AsyncIterable<Uint8Array>;

/** Counts the rows of an answer before they are copied out of its pieces. */
export interface RowAccount {
  /** What it throws ends the question. @param steps of a row. */
  take(rows: number, steps: number): void;
  give(rows: number, steps: number): void;
}

/**
 * A part of a column, or why there is none. `query` is the index of its query in `queries`; for a metric for all nodes it is
 * the number of these more than its index in `forAllNodes`, and each node is an entry, in no order.
 */
export type AnswerColumn = (Column | ColumnError) & { metric: string };

export interface Store {
  /** While loading, writes are taken, and queries whose partitions are loaded are answered. */
  readonly state: 'loading' | 'ready' | 'stopping';
  /** Whole seconds until everything is loaded, estimated; 0: it is. */
  readonly secondsToReady: number;
  /** A buffer of at least `bytes` for a body that will be given to `write`; recycled, so its content is garbage. */
  takeBuffer(bytes: number): ArrayBuffer;
  /**
   * Stores a body of line protocol. Resolves once all good lines are in the log. Waits up to 4 s where too much is on its
   * way already, then rejects OVERLOADED.
   * @param body taken over: transferred to a worker, detached afterwards. The text is its first `length` bytes.
   * @param cluster for lines without a cluster tag; empty: such lines are refused.
   */
  write(
    body: ArrayBuffer,
    length: number,
    cluster: string,
    precision: Precision,
    options?: WriteOptions,
  ): Promise<WriteOutcome>;
  /** What was written until now survives a power failure, unless `wal-sync` is off. Rejects when the disk refuses. */
  sync(): Promise<void>;
  /**
   * Answers a query. The first piece is made before this resolves, so an error that concerns the whole request rejects here
   * and not in the middle of a 200 answer.
   */
  query(request: QueryRequest): Promise<Answer>;
  /**
   * The same answer as columns of doubles, in pieces of a few hundred KiB: parts of a column follow each other, columns and queries
   * are in order, and after them those for all nodes, in none. Pieces are to be used as those of an `Answer`, values are views
   * of them. Rejects as `query` does.
   */
  columns(request: QueryRequest): Promise<AsyncIterable<AnswerColumn[]>>;
  /** Frees whole blocks that end before `to` below each selector; resolves to the number of blocks. */
  free(to: number, selectors: string[][]): Promise<number>;
  /** The tree below the selector as JSON text (`{"data": ...}`). Rejects NOT_FOUND. */
  debug(selector: string[]): Promise<Answer>;
  /**
   * Answers a leaf of a PromQL expression: series or groups of them, in the order of the partitions and of their trees. The rows
   * belong to the caller, who has been told of each before it was made. Rejects TOO_LARGE, CHANGED; with the signal's reason when that
   * ends the work; with what the account throws.
   */
  leaf(request: LeafRequest, signal: AbortSignal, account: RowAccount): Promise<LeafAnswerPart[]>;
  /** Prints rows of PromQL as JSON, in this thread. */
  readonly samplePrinter: SamplePrinter;
  /** The names that there are at a depth of the tree, each once: 1 clusters, 2 hosts, 3 levels, 4 sub-levels. @param isStrong see `QueryRequest`. */
  levelNames(depth: number, isStrong?: boolean): Promise<string[]>;
  /** A text that is another one whenever nodes or series have come or gone. @param isStrong see `QueryRequest`. */
  treeChanges(isStrong?: boolean): Promise<string>;
  /** Names of the clusters that have nodes. */
  clusters(): Promise<string[]>;
  /** What is held of each metric at each level of each cluster. */
  contents(): Promise<Contents[]>;
  /** Units of metrics that lines have brought since the start, of each the first. */
  units(): Promise<Map<string, string>>;
  /** Metrics that arrive although the configuration does not name them, by name; those that it names by now are left out. */
  unconfigured(): Promise<UnconfiguredMetrics>;
  summary(): Promise<ClusterSummary[]>;
  /** The nodes of a cluster, sorted by name; none for a cluster that is not there. */
  nodes(cluster: string): Promise<NodeSpan[]>;
  health(cluster: string, nodes: string[], metrics: string[]): Promise<Map<string, NodeHealth>>;
  stats(): Promise<PartitionStats[]>;
  /** Writes a checkpoint of every partition now. @param trigger why, for the log. */
  checkpoint(trigger: Trigger): Promise<void>;
  /**
   * Frees what ends before `to`, except below the given hosts (cluster -> hosts).
   * Resolves to the number of blocks freed.
   */
  retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number>;
  /** Refuses new work, finishes what is in flight, flushes and checkpoints. */
  stop(): Promise<void>;
}
