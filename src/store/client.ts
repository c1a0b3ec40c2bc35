/**
 * What is asked of whoever holds partitions, wherever that is: a thread of this process (local-client.ts), or another store
 * (src/cluster/holders.ts). Everything above knows partitions and clients, no threads.
 */
import type { LogSettings } from '../base/log.js';
import type { Trigger } from '../partition/checkpointer.js';
import type { Contents } from '../partition/contents.js';
import type { ClusterSummary, NodeHealth, NodeSpan, PartitionStats } from '../partition/figures.js';
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { LevelNames } from '../partition/level-names.js';
import type { Reconfiguration } from '../partition/partition.js';
import type { Retention } from '../partition/retention-pass.js';
import type { Position } from '../persistence/stream-position.js';
import type { UnconfiguredMetrics } from '../wasm/unconfigured.js';
import type { Batch, FieldMode } from '../wasm/writes.js';
import type { Failure } from './failure.js';
import type { PieceStream } from './query/piece-stream.js';
import type { Question } from './query/question.js';

/** What became of a write. Mostly nothing but samples: then two numbers say it, which is a third of the cost of a batch. */
export interface Written {
  /** The body; detached if it is of no use any more. */
  body: ArrayBuffer;
  stored: number;
  skipped: number;
  /** Something was refused or strayed. */
  batch?: Batch;
  failure?: Failure;
}

/** What an answer has to contain. */
export interface Consistency {
  /** See `QueryRequest`. */
  isStrong?: boolean;
}

/** One-shot calls, by name. */
export interface Calls {
  free: { args: { to: number; selectors: string[][] }; result: number };
  clusters: { args: Record<string, never>; result: string[] };
  contents: { args: Record<string, never>; result: Contents[] };
  units: { args: { metrics: string[] }; result: [string, string][] };
  unconfigured: { args: Record<string, never>; result: UnconfiguredMetrics };
  summary: { args: Record<string, never>; result: ClusterSummary[] };
  nodes: { args: { cluster: string }; result: NodeSpan[] };
  levelNames: { args: { depth: number } & Consistency; result: LevelNames };
  /** Another text whenever nodes or series have come or gone, and of another copy of the partition. */
  treeChanges: { args: Consistency; result: string };
  health: { args: { cluster: string; nodes: string[]; metrics: string[] }; result: [string, NodeHealth][] };
  stats: { args: Record<string, never>; result: PartitionStats };
  checkpoint: { args: { trigger: Trigger }; result: null };
  retain: { args: Retention; result: number };
  memory: { args: Record<string, never>; result: number };
  dropFiles: { args: { to: number }; result: number };
  sync: { args: Record<string, never>; result: null };
  savePosition: { args: { position: Position }; result: null };
  pinFiles: { args: Record<string, never>; result: null };
  unpinFiles: { args: Record<string, never>; result: null };
  hostClocks: { args: { withSenders: boolean }; result: HostClockCounts };
  trustClock: { args: { isTrusted: boolean }; result: null };
  ages: { args: { now: number }; result: Uint32Array };
  oldest: { args: Record<string, never>; result: number | null };
  reconfigure: { args: Reconfiguration & { log: LogSettings }; result: null };
  stop: { args: Record<string, never>; result: null };
}

export type CallName = keyof Calls;

/** Lines for one partition. */
export interface PartitionWrite {
  partition: number;
  /** Taken over; detached afterwards. The text is its first `length` bytes. */
  body: ArrayBuffer;
  length: number;
  /** Of lines that name none. */
  cluster: string;
  /** Units of the timestamps a second; 0: by magnitude. */
  perSecond: number;
  /** Unix seconds, of lines without a time. Absent: when they are stored. */
  now?: number;
  fields: FieldMode;
  /** Bins that have a sample keep it. */
  onlyMissing?: boolean;
  /** Their times were checked where they came in: the clock of this process has no say. */
  trusted?: boolean;
}

/** Whoever holds some of the partitions. Rejects with a StoreError when it can't be reached. */
export interface PartitionClient {
  /** Resolves once the lines are safe, or says why they are not. */
  write(write: PartitionWrite): Promise<Written>;
  /**
   * Asks its partitions at once. Resolves when each has made its first piece, in the order of the questions; rejects with the
   * first error, and no stream is left open then. Streams must be read to their end or left.
   */
  ask(questions: readonly Question[]): Promise<PieceStream[]>;
  call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']>;
}
