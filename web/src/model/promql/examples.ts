/** Questions of a computing centre as PromQL: what one can begin with. */

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
  {
    question: 'the ten hottest nodes',
    expression: 'topk(10, max by (hostname) (cpu_temp))',
    needs: ['cpu_temp'],
  },
  { question: 'nodes that idle', expression: 'count(cpu_load < 1)', needs: ['cpu_load'] },
  {
    question: 'memory bandwidth of each socket of a node',
    expression: 'mem_bw{type="socket"}',
    needs: ['mem_bw'],
  },
  {
    question: 'floating point operations a watt',
    expression: 'sum by (hostname) (flops_any) / sum by (hostname) (cpu_power)',
    needs: ['flops_any', 'cpu_power'],
  },
  {
    question: 'the load below which 95 % of the nodes stay',
    expression: 'quantile(0.95, cpu_load)',
    needs: ['cpu_load'],
  },
  { question: 'network traffic of the cluster', expression: 'sum(rate(ib_recv[5m]))', needs: ['ib_recv'] },
  { question: 'busiest GPUs', expression: 'topk(8, acc_utilization)', needs: ['acc_utilization'] },
  {
    question: 'nodes that were silent for ten minutes',
    expression: 'cpu_load offset 1h unless on (hostname) last_over_time(cpu_load[10m])',
    needs: ['cpu_load'],
  },
];

/** Those that the held metrics can answer. */
export function examplesFor(held: readonly string[]): Example[] {
  return TEMPLATES.filter(({ needs }) => needs.every((metric) => held.includes(metric)));
}
