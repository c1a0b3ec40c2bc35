/** What the server's routes answer, as docs/api.md describes them. */
import type { NodeSpan } from '../model/nodes.js';

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
  main: { host: string; port: number; tls: boolean; token: boolean; backendUrl: string | null };
  metrics: Record<string, MetricConfig>;
  store: {
    retentionSeconds: number;
    memoryCapBytes: number;
    checkpoints: { fileFormat: string; directory: string; maxWalSize?: number };
    checkpointIntervalSeconds: number;
    numWorkers: number;
    cleanup: { mode: string; directory?: string };
    natsSubscriptions: { subject: string; clusterTag: string; stream?: string; durable?: string }[];
    walSync: string;
    maxBodySize: number;
  };
  nats: { address: string } | null;
}

/** GET /api/debug?summary=1, a cluster. */
export interface ClusterSummary {
  hosts: number;
  series: number;
  samples: number;
  bytes: number;
  chunks: Record<string, number>;
}

/** GET /api/nodes. */
export interface NodesAnswer {
  /** Unix seconds by the server's clock. */
  time: number;
  nodes: NodeSpan[];
}

/** GET /api/contents, one part. */
export interface Contents {
  cluster: string;
  metric: string;
  /** Empty: the node itself. */
  level: string;
  series: number;
  samples: number;
  bytes: number;
  /** Sealed blocks by codec. */
  blocks: Record<string, number>;
}
