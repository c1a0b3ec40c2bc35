/** Messages from a loader to the worker that owns the partition. The buffer of an image goes back, to go with the loader. */
import type { MessagePort } from 'node:worker_threads';
import type { LogSettings } from '../../base/log.js';
import type { MetricConfig, StoreConfig } from '../../config/config.js';
import type { TagRule } from '../../config/influx-tags.js';
import type { ReadFiles } from '../../partition/load-partition.js';

/** What every thread with cores is started with. */
export interface ThreadStart {
  module: WebAssembly.Module;
  partitionCount: number;
  metrics: [string, MetricConfig][];
  tagRules: TagRule[];
  store: StoreConfig;
  log: LogSettings;
}

export interface LoaderStart extends ThreadStart {
  /** Of `Claims`. */
  claims: SharedArrayBuffer;
  /** One a worker, by its number. Partition n is of worker n modulo their number. */
  ports: MessagePort[];
}

/** Who helps a worker to load. */
export interface LoadHelp {
  claims: SharedArrayBuffer;
  /** One a loader. */
  ports: MessagePort[];
}

export interface ReadMessage {
  kind: 'read';
  partition: number;
  /** Of the core: its whole memory. */
  image: ArrayBuffer;
  files: ReadFiles;
}

export interface ReadingMessage {
  kind: 'reading';
  partition: number;
  bytes: number;
  of: number;
}

export type FromLoader = ReadMessage | ReadingMessage;
