/** What is safe of that which was answered, in words. */

/** What a power failure would cost. That a kill of the process costs nothing holds for all of them (docs/durability.md). */
export function powerFailureCost(walSync: string): string {
  if (walSync === 'always') return 'nothing: each write is on the disk before it is answered';
  if (walSync === 'interval') return 'the last second: the log is synced every second';
  return 'what the kernel has not written yet: wal-sync is off';
}

interface Partition {
  log: { bytes: number; segments: number; writes: number; syncs: number; syncSeconds: number; failed: string | null };
  checkpoint: { last: number; seconds: number; bytes: number; count: number };
}

export interface Safety {
  logBytes: number;
  segments: number;
  /** Mean milliseconds of a sync; NaN: there was none. */
  syncMs: number;
  /** Why logs cannot be written, each reason once. */
  failures: string[];
  /** Unix seconds of the oldest of the partitions' last checkpoints; 0: a partition has none since the start. */
  oldestCheckpoint: number;
  checkpoints: number;
  checkpointBytes: number;
}

/** All partitions as one. */
export function safetyOf(partitions: readonly Partition[]): Safety {
  const sum = (figure: (partition: Partition) => number): number =>
    partitions.reduce((total, partition) => total + figure(partition), 0);
  return {
    logBytes: sum(({ log }) => log.bytes),
    segments: sum(({ log }) => log.segments),
    syncMs: (1000 * sum(({ log }) => log.syncSeconds)) / sum(({ log }) => log.syncs),
    failures: [...new Set(partitions.map(({ log }) => log.failed).filter((reason) => reason !== null))],
    oldestCheckpoint: partitions.length === 0 ? 0 : Math.min(...partitions.map(({ checkpoint }) => checkpoint.last)),
    checkpoints: sum(({ checkpoint }) => checkpoint.count),
    checkpointBytes: sum(({ checkpoint }) => checkpoint.bytes),
  };
}
