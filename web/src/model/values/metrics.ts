/** Which metrics are shown, in which order and where. */

export type MetricGroup = 'CPU' | 'Memory' | 'GPUs' | 'Network' | 'File systems' | 'Power and heat' | 'Others';

export const GROUPS: readonly MetricGroup[] = [
  'CPU',
  'Memory',
  'GPUs',
  'Power and heat',
  'Network',
  'File systems',
  'Others',
];

const PATTERNS: readonly [RegExp, MetricGroup][] = [
  [/^(acc|gpu|nv|rocm)_/, 'GPUs'],
  [/power|energy|temp|fan/, 'Power and heat'],
  [/^mem_|^swap|^numa|vmstat/, 'Memory'],
  [/^(net|ib|infiniband|opa|eth)_/, 'Network'],
  [/^(lustre|gpfs|nfs|beegfs|file|disk|io|bb)/, 'File systems'],
  [/^(cpu|flops|ipc|cpi|clock|load|core|vectorization|uncore|hwthread|l[123]_|branch)/, 'CPU'],
];

export function groupOf(metric: string): MetricGroup {
  for (const [pattern, group] of PATTERNS) if (pattern.test(metric)) return group;
  return 'Others';
}

/** What says most about a node at a glance, the first first. */
const FIRST = ['cpu_load', 'cpu_user', 'flops_any', 'mem_bw', 'cpu_power', 'acc_utilization', 'mem_used'];

/** The metrics in the order in which a person looks for them. */
export function orderMetrics(names: readonly string[]): string[] {
  const rank = (name: string): number => {
    const at = FIRST.indexOf(name);
    return at >= 0 ? at : FIRST.length + GROUPS.indexOf(groupOf(name));
  };
  return names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** A total of the cluster: the sum over its nodes of the metrics that it has. */
export interface Total {
  label: string;
  metrics: readonly string[];
}

const TOTALS: readonly Total[] = [
  { label: 'power', metrics: ['cpu_power', 'mem_power', 'acc_power', 'node_power'] },
  { label: 'floating point', metrics: ['flops_any'] },
  { label: 'memory bandwidth', metrics: ['mem_bw'] },
  { label: 'load', metrics: ['cpu_load'] },
];

/** @param held the metrics that the cluster has samples of. */
export function totalsOf(held: readonly string[]): Total[] {
  return TOTALS.map(({ label, metrics }) => ({ label, metrics: metrics.filter((name) => held.includes(name)) })).filter(
    ({ metrics }) => metrics.length > 0,
  );
}
