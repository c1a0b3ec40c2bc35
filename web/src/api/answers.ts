/** What the server's routes answer, as docs/api.md describes them. */
import type { NodeSpan } from '../model/nodes/nodes.js';
import type { ClusterStatus } from '../model/store/cluster.js';
import type { Contents } from '../model/store/contents.js';
import type { MainSettings, StoreSettings } from '../model/store/settings.js';

export interface PartitionStatus {
  partition: number;
  worker: number;
  series: number;
  hosts: number;
  samples: number;
  memory: { index: number; openBlocks: number; sealedBlocks: number; rollups: number; total: number };
  linearMemory: number;
  log: { bytes: number; segments: number; writes: number; syncs: number; syncSeconds: number; failed: string | null };
  checkpoint: { last: number; seconds: number; bytes: number; count: number };
}

export interface NatsStatus {
  connection: string;
  server: string | null;
  messages: number;
  bufferedBytes: number;
  stored: number;
  badLines: number;
  droppedMessages: number;
  reconnects: number;
  lastError: string | null;
}

/** Lines that were refused for the same reason. */
export interface Refusals {
  reason: string;
  text: string;
  count: number;
  /** The newest one. */
  example?: { time: number; line: string };
}

/** GET /api/status. Times are unix seconds, sizes bytes, counters since the server's start. */
export interface Status {
  version: string;
  commit: string;
  state: 'loading' | 'ready' | 'stopping';
  time: number;
  /** When the figures were true. */
  counted: number;
  started: number;
  clusters: string[];
  hosts: number;
  series: number;
  samples: number;
  lines: { read: number; stored: number; skipped: number; refused: number };
  memory: { used: number; cap: number; resident: number };
  partitions: PartitionStatus[];
  refusals: Refusals[];
  nats: NatsStatus | null;
}

export interface MetricConfig {
  /** Seconds between samples. */
  frequency: number;
  aggregation: 'sum' | 'avg' | null;
  precision: 'double' | 'single' | number;
  unit?: string;
}

/** GET /api/config. */
export interface ServerConfig {
  main: MainSettings;
  metrics: Record<string, MetricConfig>;
  store: StoreSettings;
  nats: { address: string } | null;
  /** Null: the store is alone. */
  cluster: { name: string; id: string; replicas: number } | null;
}

/** GET /api/v1/metadata: of each metric a list of one. */
export type Metadata = Record<string, { type: string; help: string; unit: string }[]>;

/** GET /api/nodes. */
export interface NodesAnswer {
  /** Unix seconds by the server's clock. */
  time: number;
  nodes: NodeSpan[];
}

/** GET /api/cluster. */
export type ClusterAnswer = ClusterStatus;

/** GET /api/contents. */
export interface ContentsAnswer {
  contents: Contents[];
  /** What the series of all clusters come to once each has its samples of the whole retention. */
  fullRetention: { series: number; samples: number; bytes: number };
}

/** GET /api/metrics-seen. Times are unix seconds. */
export interface MetricsSeen {
  unconfigured: {
    metric: string;
    samples: number;
    /** Seconds; null: not known yet. */
    frequency: number | null;
    levels: string[];
    newest: number;
    /** How a line begins. */
    example: string;
  }[];
  /** Names that were not remembered. */
  forgotten: number;
  /** Entries for the configuration. */
  metrics: Record<string, unknown>;
}

/** GET /api/writers, one address. Times are unix seconds. */
export interface Writer {
  address: string;
  /** Requests. */
  writes: number;
  stored: number;
  refused: number;
  last: number;
  error: { time: number; text: string } | null;
}
