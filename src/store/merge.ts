/** Main thread. Partitions' answers to calls become the store's. */
import type { ClusterSummary } from './store.js';

/** One summary a cluster, by name. */
export function mergeSummaries(parts: readonly ClusterSummary[]): ClusterSummary[] {
  const merged = new Map<string, ClusterSummary>();
  for (const part of parts) {
    const sum = merged.get(part.cluster);
    if (!sum) {
      merged.set(part.cluster, { ...part, blocks: { ...part.blocks } });
      continue;
    }
    sum.hosts += part.hosts;
    sum.series += part.series;
    sum.samples += part.samples;
    sum.bytes += part.bytes;
    for (const [codec, n] of Object.entries(part.blocks)) sum.blocks[codec] = (sum.blocks[codec] ?? 0) + n;
  }
  return [...merged.values()].sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
