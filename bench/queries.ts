/** The six questions that cc-backend asks, from one plot to a whole cluster. */
import { CLUSTER, hostName, SOCKET_METRICS, THREAD_METRICS } from './mix.js';

export interface QueryShape {
  key: string;
  label: string;
  /** JSON. */
  body: string;
}

interface Range {
  from: number;
  to: number;
  hosts: number;
  threads: number;
}

/** Nodes of the job whose views are asked for. */
const JOB_NODES = 4;
/** Seconds that the cluster's status looks back. */
const STATUS_SECONDS = 600;
const COARSE_SECONDS = 600;

export function queryShapes({ from, to, hosts, threads }: Range): QueryShape[] {
  const threadMetrics = THREAD_METRICS.map(([name]) => name);
  const rolledUp = [...threadMetrics.slice(0, 8), ...SOCKET_METRICS.map(([name]) => name)];
  const perThread = threadMetrics.slice(5, 9);
  const typeIds = Array.from({ length: threads }, (_, id) => String(id));
  const nodes = Math.min(JOB_NODES, hosts);
  const job = (count: number, metrics: readonly string[], extra: object = {}): string => {
    const queries = [];
    for (let i = 0; i < count; i++) for (const metric of metrics) queries.push({ metric, host: hostName(i), ...extra });
    return JSON.stringify({ cluster: CLUSTER, from, to, queries });
  };
  const forAll = (start: number, metrics: string[], withData: boolean): string =>
    JSON.stringify({ cluster: CLUSTER, from: start, to, 'with-data': withData, 'for-all-nodes': metrics });
  const size = `${nodes} nodes x ${perThread.length} metrics x ${threads} threads`;
  return [
    { key: 'query_node', label: 'query: one node metric', body: job(1, ['cpu_load']) },
    {
      key: 'query_job_rollup',
      label: `query: job, ${nodes} nodes x ${rolledUp.length} metrics, rolled up`,
      body: job(nodes, rolledUp),
    },
    {
      key: 'query_job_threads',
      label: `query: job, ${size}`,
      body: job(nodes, perThread, { type: 'hwthread', 'type-ids': typeIds }),
    },
    {
      key: 'query_job_resampled',
      label: `query: the same at ${COARSE_SECONDS} s`,
      body: job(nodes, perThread, { type: 'hwthread', 'type-ids': typeIds, resolution: COARSE_SECONDS }),
    },
    {
      key: 'query_statistics',
      label: `query: statistics only, ${hosts} nodes x 3 metrics`,
      body: forAll(from, ['cpu_load', 'flops_any', 'mem_bw'], false),
    },
    {
      key: 'query_status',
      label: `query: cluster status, ${hosts} nodes x 5 metrics, 10 min`,
      body: forAll(to - STATUS_SECONDS, ['cpu_load', 'flops_any', 'mem_bw', 'mem_used', 'cpu_power'], true),
    },
  ];
}
