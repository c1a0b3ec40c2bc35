/** What a partition, or all of them together, says about itself. */
import type { LogFigures } from '../persistence/log/log-file.js';
import type { MemoryUse } from '../wasm/figures.js';
import type { RefusalFigures } from './refusals.js';

export interface NodeHealth {
  state: 'full' | 'partial' | 'failed';
  degraded: string[];
  missing: string[];
  /** False: no such node in the tree. */
  known: boolean;
}

/** Since when and until when a node has samples; unix seconds. */
export interface NodeSpan {
  node: string;
  series: number;
  oldest: number;
  newest: number;
  /** Seconds between samples of the series with the newest one: the next is due so long after it. */
  frequency: number;
}

export interface ClusterSummary {
  cluster: string;
  hosts: number;
  series: number;
  samples: number;
  /** Bytes of samples: open and sealed blocks. */
  bytes: number;
  /** Sealed blocks by codec name. */
  blocks: Record<string, number>;
}

export interface CheckpointFigures {
  /** When the last one was made, unix seconds; 0: none since the start. */
  last: number;
  /** How long that took. */
  seconds: number;
  /** Written by all of them. */
  bytes: number;
  count: number;
}

/** One partition's figures, for /metrics, the memory cap and logs. All counters are since start. */
export interface PartitionStats {
  partition: number;
  worker: number;
  lines: number;
  stored: number;
  skipped: number;
  /** Fields that hold no number. */
  leftOut: number;
  refused: number;
  /** Of every reason there is. */
  refusals: RefusalFigures[];
  series: number;
  hosts: number;
  samples: number;
  memory: MemoryUse;
  /** Size of the linear memory (it never shrinks; freed parts are reused). */
  linearMemory: number;
  /** Sealed blocks by codec name. */
  blocks: Record<string, number>;
  log: LogFigures;
  /** That the start did not find although others name them. */
  missingFiles: number;
  checkpoint: CheckpointFigures;
}
