/**
 * How many partitions a store has, and how large one may become. Everything that needs the number asks here. The data
 * directory follows it: what another number of partitions has left is read once, by all partitions, and written anew
 * (src/persistence/layout.ts).
 *
 * A partition is one linear memory with 32-bit addresses, 4.29e9 bytes.
 */
import type { StoreConfig } from './config.js';

/** Bytes that a partition is planned for. Hosts are not spread evenly: some partitions hold more than their share. */
export const PARTITION_BYTES = 3.5e9;

/**
 * Bytes in use at which a partition gives up its oldest data, although the whole store is below its cap. The rest of the
 * memory is for answers, for the gaps between what is in use, and for what arrives until the next check.
 */
export const PARTITION_LIMIT = 3.75e9;

/** What the cluster says; else one partition a worker, or as many as the memory cap needs. */
export function partitionCount({ numWorkers, memoryCapBytes, partitions }: StoreConfig): number {
  return partitions ?? Math.max(1, numWorkers, Math.ceil(memoryCapBytes / PARTITION_BYTES));
}
