/** Main thread. Partitions' answers to calls become the store's. */
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { ClusterSummary, PartitionStats, UnconfiguredMetric, UnconfiguredMetrics } from './store.js';

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

/** Lines that were refused or left out before they came to a partition: during the load, and at a store of a cluster. */
export type CheckedFigures = Pick<PartitionStats, 'skipped' | 'leftOut' | 'refused' | 'refusals'>;

/** Partitions' figures with the lines that no partition has seen, which count with the first. */
export function withChecked(parts: PartitionStats[], checked: CheckedFigures): PartitionStats[] {
  const [first, ...rest] = parts;
  if (!first || checked.skipped + checked.leftOut + checked.refused === 0) return parts;
  const refusals = first.refusals.map((figures) => {
    const more = checked.refusals.find(({ reason }) => reason === figures.reason);
    const example = figures.example ?? more?.example;
    return { ...figures, count: figures.count + (more?.count ?? 0), ...(example && { example }) };
  });
  const all = {
    ...first,
    lines: first.lines + checked.skipped + checked.refused,
    skipped: first.skipped + checked.skipped,
    leftOut: first.leftOut + checked.leftOut,
    refused: first.refused + checked.refused,
    refusals,
  };
  return [all, ...rest];
}

export function sumClocks(parts: readonly HostClockCounts[]): HostClockCounts {
  return { ahead: sum(parts.map(({ ahead }) => ahead)), senders: sum(parts.map(({ senders }) => senders)) };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
