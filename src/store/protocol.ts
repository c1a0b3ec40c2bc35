/**
 * Messages between the main thread and the shard workers. Buffers are transferred, never copied: a write's body goes to the
 * worker and comes back with the answer to be used again; an answer's pieces go to the main thread, and their buffers come
 * back when more is asked for.
 */
import type { MetricConfig, StoreConfig } from '../config/config.js';
import type { LogSettings } from '../log.js';
import type { Trigger } from '../partition/checkpointer.js';
import type { Contents } from '../partition/contents.js';
import type { Retention } from '../partition/retention-pass.js';
import type { Batch } from '../wasm/writes.js';
import type { ClusterSummary, NodeHealth, NodeSpan, PartitionStats, StoreErrorCode } from './store.js';

/** What a worker is started with. */
export interface WorkerStart {
  module: WebAssembly.Module;
  worker: number;
  /** Partitions that this worker owns, of `partitionCount`. */
  partitions: number[];
  partitionCount: number;
  metrics: [string, MetricConfig][];
  store: StoreConfig;
  log: LogSettings;
}

/** The directory is ours now: the worker reads its partitions. The first message. */
export interface LoadMessage {
  kind: 'load';
}

export interface WriteMessage {
  kind: 'write';
  id: number;
  partition: number;
  body: ArrayBuffer;
  length: number;
  cluster: string;
  perSecond: number;
}

/** A partition's part of a query. */
export interface QueryPart {
  id: number;
  partition: number;
  /** Of request.ts: `encodeRequest`. */
  request: Uint8Array<ArrayBuffer>;
}

/** A query's parts in the partitions of one worker: one message, for waking a thread costs more than most queries. */
export interface QueryMessage {
  kind: 'query';
  parts: QueryPart[];
}

/** Metrics of all nodes, of some partitions of one worker. */
export interface QueryAllMessage {
  kind: 'queryAll';
  partitions: number[];
  /** Of partition 0's answer; that of partition n has this id + n. */
  id: number;
  /** Of request.ts: `encodeForAllNodes`. */
  request: Uint8Array<ArrayBuffer>;
}

/** The receiver has used a piece: one more may be made. */
export interface PullMessage {
  kind: 'pull';
  id: number;
  /** For a piece, to be used again. */
  buffer?: ArrayBuffer;
}

/** The receiver wants no more of a query or dump. */
export interface CancelMessage {
  kind: 'cancel';
  id: number;
}

/** One-shot calls, by name. */
export interface Calls {
  free: { args: { to: number; selectors: string[][] }; result: number };
  clusters: { args: Record<string, never>; result: string[] };
  contents: { args: Record<string, never>; result: Contents[] };
  summary: { args: Record<string, never>; result: ClusterSummary[] };
  nodes: { args: { cluster: string }; result: NodeSpan[] };
  health: { args: { cluster: string; nodes: string[]; metrics: string[] }; result: [string, NodeHealth][] };
  stats: { args: Record<string, never>; result: PartitionStats };
  checkpoint: { args: { trigger: Trigger }; result: null };
  retain: { args: Retention; result: number };
  memory: { args: Record<string, never>; result: number };
  dropFiles: { args: { to: number }; result: number };
  pinFiles: { args: Record<string, never>; result: null };
  unpinFiles: { args: Record<string, never>; result: null };
  ages: { args: { now: number }; result: Uint32Array };
  oldest: { args: Record<string, never>; result: number | null };
  stop: { args: Record<string, never>; result: null };
}

export type CallName = keyof Calls;

export interface CallMessage<N extends CallName = CallName> {
  kind: 'call';
  id: number;
  partition: number;
  name: N;
  args: Calls[N]['args'];
}

/** A dump of the tree is answered in pieces, like a query. */
export interface DumpMessage {
  kind: 'dump';
  id: number;
  partition: number;
  selector: string[];
}

export type ToWorker =
  | WriteMessage
  | QueryMessage
  | QueryAllMessage
  | PullMessage
  | CancelMessage
  | CallMessage
  | DumpMessage;

export interface Failure {
  code: StoreErrorCode;
  message: string;
}

/** What became of a write. Mostly nothing but samples: then two numbers say it, which is a third of the cost of a batch. */
export interface Written {
  id: number;
  /** The body, to be used again. */
  body: ArrayBuffer;
  stored: number;
  skipped: number;
  /** Something was refused or strayed. */
  batch?: Batch;
  failure?: Failure;
}

/** Answers to all writes that one log write made safe. */
export interface WroteMessage {
  kind: 'wrote';
  results: Written[];
}

/** A piece of an answer, as the main thread reads it; a large one is at the start of a buffer of its own. */
export interface Piece {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** Offsets behind each list of results completed in this piece. None in answers for all nodes. */
  ends: readonly number[];
  done: boolean;
  /** First piece of a query for all nodes: the queries it made, as JSON without brackets. Else empty. */
  text: Uint8Array<ArrayBuffer>;
  failure: Failure | undefined;
}

/** Pieces, packed (pieces.ts): one, or the first pieces of all parts of a query. */
export interface PiecesMessage {
  kind: 'pieces';
  heads: number[];
  small: ArrayBuffer;
  large: ArrayBuffer[];
  failures?: Failure[];
}

export interface ReplyMessage {
  kind: 'reply';
  id: number;
  result?: unknown;
  failure?: Failure;
}

export interface ReadyMessage {
  kind: 'ready';
}

/** Loading failed in a way that a start must not survive. */
export interface FatalMessage {
  kind: 'fatal';
  message: string;
}

export type FromWorker = WroteMessage | PiecesMessage | ReplyMessage | ReadyMessage | FatalMessage;
