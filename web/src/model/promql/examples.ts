/** Questions of a computing centre as PromQL: what one can begin with. docs/promql.md says more about most of them. */

export interface Example {
  question: string;
  expression: string;
}

interface Template extends Example {
  /** Metrics without which it has no answer. */
  needs: readonly string[];
}

const TEMPLATES: readonly Template[] = [
  { question: 'load of each node', expression: 'cpu_load', needs: ['cpu_load'] },
  { question: 'power of the cluster', expression: 'sum(cpu_power)', needs: ['cpu_power'] },
  { question: 'the ten hottest nodes', expression: 'topk(10, max by (hostname) (cpu_temp))', needs: ['cpu_temp'] },
  {
    question: 'nodes that fell silent',
    expression:
      'group by (cluster, hostname) (present_over_time(cpu_load[1d])) unless group by (cluster, hostname) (cpu_load)',
    needs: ['cpu_load'],
  },
  {
    question: 'since when, in seconds',
    expression: 'sort_desc(time() - ts_of_last_over_time(cpu_load[1d]) > 300)',
    needs: ['cpu_load'],
  },
  {
    question: 'five GPUs that did least in the last hour',
    expression: 'bottomk(5, avg_over_time(acc_utilization[1h]))',
    needs: ['acc_utilization'],
  },
  {
    question: 'nodes whose threads work least evenly',
    expression: 'topk(10, max by (hostname) (flops_any) / avg by (hostname) (flops_any))',
    needs: ['flops_any'],
  },
  {
    question: 'nodes that run out of memory',
    expression: 'mem_used / on (cluster, hostname) mem_total > 0.9',
    needs: ['mem_used', 'mem_total'],
  },
  {
    question: 'how the load is distributed, by tens',
    expression: 'count_values("load", floor(cpu_load / 10) * 10)',
    needs: ['cpu_load'],
  },
  {
    question: 'operations a watt, today against yesterday',
    expression: 'sum(flops_any) / sum(cpu_power) / (sum(flops_any offset 1d) / sum(cpu_power offset 1d))',
    needs: ['flops_any', 'cpu_power'],
  },
  {
    question: 'what each node receives',
    expression: 'sum by (hostname) (rate(net_bytes_in[5m]))',
    needs: ['net_bytes_in'],
  },
];

/** Those that the held metrics can answer. */
export function examplesFor(held: readonly string[]): Example[] {
  return TEMPLATES.filter(({ needs }) => needs.every((metric) => held.includes(metric)));
}
