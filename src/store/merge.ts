/** Main thread. Partitions' answers to calls become the store's. */
import type { ClusterSummary, UnconfiguredMetric, UnconfiguredMetrics } from './store.js';

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

/** One entry a metric, by name: a name may come to any partition. */
export function mergeUnconfigured(parts: readonly UnconfiguredMetrics[]): UnconfiguredMetrics {
  const merged = new Map<string, UnconfiguredMetric>();
  for (const part of parts.flatMap(({ metrics }) => metrics)) {
    const known = merged.get(part.metric);
    if (!known) {
      merged.set(part.metric, { ...part });
      continue;
    }
    known.samples += part.samples;
    known.step = Math.min(known.step || part.step, part.step || known.step);
    known.levels = [...new Set([...known.levels, ...part.levels])];
    if (part.newest <= known.newest) continue;
    known.newest = part.newest;
    known.example = part.example;
  }
  return {
    metrics: [...merged.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1)),
    forgotten: sum(parts.map(({ forgotten }) => forgotten)),
  };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
