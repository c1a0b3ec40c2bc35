/** The configuration as the rest of the program sees it: checked, defaults filled in, units in seconds and bytes. */

import type { TagRule } from './influx-tags.js';

/** The token itself, or the file that holds it. */
export type BackendToken = string | { file: string };

export interface MetricConfig {
  /** Seconds between samples. */
  frequency: number;
  aggregation: 'sum' | 'avg' | null;
  /** 'double' keeps every bit, 'single' float32, a number keeps that many decimals. */
  precision: 'double' | 'single' | number;
  /** As people write it; absent: unknown. */
  unit?: string;
}

export interface NatsSubscription {
  subject: string;
  /** Default cluster of lines without a cluster tag; empty: none. */
  clusterTag: string;
  /** 'all': lines may have several fields, a sample each; absent: they have one, `value`. */
  fields?: 'value' | 'all';
  /** JetStream; without `durable` it is read in order. */
  stream?: string;
  durable?: string;
}

export interface NatsConfig {
  address: string;
  username?: string;
  password?: string;
  credsFile?: string;
  nkeyFile?: string;
}

export interface StoreConfig {
  retentionSeconds: number;
  /** Samples further ahead of this server's clock are refused; 0: none is. */
  futureLimitSeconds: number;
  /** 0: none. */
  memoryCapBytes: number;
  checkpoints: {
    fileFormat: 'wal' | 'json';
    directory: string;
    /** Bytes of log after which a checkpoint is made early; 0: no limit; absent: the store's own choice. */
    maxWalSize?: number;
  };
  checkpointIntervalSeconds: number;
  /** Worker threads; 0: everything on the main thread. */
  numWorkers: number;
  /** Of the cluster that the store is of; absent: it is alone, see topology.ts. */
  partitions?: number;
  cleanup: { mode: 'delete' } | { mode: 'archive'; directory: string };
  natsSubscriptions: NatsSubscription[];
  walSync: 'always' | 'interval' | 'off';
  /** Bytes of one write, after decompression. */
  maxBodySize: number;
}

export interface MainConfig {
  host: string;
  port: number;
  tls?: { certFile: string; keyFile: string };
  /** Raw 32-byte Ed25519 key; absent: no authentication. */
  jwtPublicKey?: Uint8Array;
  logLevel?: 'debug' | 'info' | 'warn' | 'err' | 'crit';
  user?: string;
  group?: string;
  /** cc-backend's base URL without a trailing slash. */
  backendUrl?: string;
  backendToken?: BackendToken;
  dumpToFile?: string;
}

/** One of several stores (docs/cluster.md). */
export interface ClusterConfig {
  name: string;
  id: string;
  /** Without a trailing slash. */
  advertise: string;
  /** Absent: nothing is signed, for all of it is on loopback. */
  secretFile?: string;
  partitions: number;
  replicas: number;
  streamReplicas: number;
  streamMaxBytes: number;
  rebalanceAfterSeconds: number;
  zone: string;
  weight: number;
  readConsistency: 'session' | 'strong';
}

/** Limits of PromQL queries. */
export interface PromqlConfig {
  /** How far back instant selectors look. */
  lookbackSeconds: number;
  /** Not configured: of metrics that come more seldom two frequencies are looked back. */
  lookbackAdapts: boolean;
  timeoutSeconds: number;
  maxSamples: number;
  /** At once; as many again wait. */
  maxQueries: number;
  /** Of the rows of all queries together. */
  maxMemoryBytes: number;
}

export interface Config {
  main: MainConfig;
  /** In the config's order: a metric's position is its number everywhere below. */
  metrics: ReadonlyMap<string, MetricConfig>;
  store: StoreConfig;
  /** How tags of lines of several fields become levels. */
  tagRules: TagRule[];
  nats?: NatsConfig;
  cluster?: ClusterConfig;
  promql: PromqlConfig;
}
