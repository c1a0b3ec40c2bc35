/** What the simulated collectors measure, and how it follows from what a node does. */
import type { Activity } from './activity.js';
import { normal, type Random } from './random.js';

export type Scope = 'node' | 'network' | 'infiniband' | 'filesystem' | 'hwthread' | 'socket' | 'accelerator';

/**
 * - `gauge`: the value itself, every digit of a double
 * - `decimals`: the same with two decimals, as /proc/loadavg has it
 * - `whole`: a whole number
 * - `counter`: grows by the value each second, written with an `i`
 */
export type Form = 'gauge' | 'decimals' | 'whole' | 'counter';

export interface SimulatedMetric {
  name: string;
  scope: Scope;
  form: Form;
  unit?: string;
  /** Share by which a value scatters around what the activity makes it. */
  noise: number;
  /** @param threads of the node. */
  value(activity: Activity, threads: number): number;
}

/** Bytes of memory of a node, in kB. */
const NODE_MEMORY = 256e6;
/** Watts of a socket: idle, and what full load adds. */
const SOCKET_IDLE = 60;
const SOCKET_LOAD = 190;
const INLET_CELSIUS = 34;

const heatOf = ({ cpu, flops, heat }: Activity): number => INLET_CELSIUS + 22 * cpu + 12 * flops + heat;

/** Names as in configs/config.json: what is not configured there would be skipped by the server. */
export const METRICS: readonly SimulatedMetric[] = [
  // Processes that wait for each other add to the load, never much to an idle node's.
  {
    name: 'cpu_load',
    scope: 'node',
    form: 'decimals',
    noise: 0.015,
    value: (a, threads) => a.cpu * Math.max(threads, 1),
  },
  { name: 'mem_used', scope: 'node', form: 'whole', unit: 'kB', noise: 0.004, value: (a) => a.memory * NODE_MEMORY },
  {
    name: 'net_bytes_in',
    scope: 'network',
    form: 'counter',
    unit: 'bytes',
    noise: 0.3,
    value: (a) => 2e4 + a.io * 4e7,
  },
  {
    name: 'net_bytes_out',
    scope: 'network',
    form: 'counter',
    unit: 'bytes',
    noise: 0.3,
    value: (a) => 1e4 + a.io * 2e7,
  },
  { name: 'ib_recv', scope: 'infiniband', form: 'counter', unit: 'bytes', noise: 0.1, value: (a) => a.network * 9e9 },
  { name: 'ib_xmit', scope: 'infiniband', form: 'counter', unit: 'bytes', noise: 0.1, value: (a) => a.network * 9e9 },
  {
    name: 'lustre_read_bytes',
    scope: 'filesystem',
    form: 'counter',
    unit: 'bytes',
    noise: 0.2,
    value: (a) => a.io * 1.2e9,
  },
  {
    name: 'lustre_write_bytes',
    scope: 'filesystem',
    form: 'counter',
    unit: 'bytes',
    noise: 0.2,
    value: (a) => a.io * 6e8,
  },
  { name: 'lustre_open', scope: 'filesystem', form: 'whole', noise: 1, value: (a) => a.io * 3 },
  {
    name: 'cpu_user',
    scope: 'hwthread',
    form: 'gauge',
    unit: 'Percent',
    noise: 0.01,
    value: (a) => Math.min(100, a.cpu * 100),
  },
  {
    name: 'flops_any',
    scope: 'hwthread',
    form: 'gauge',
    unit: 'MFlops/s',
    noise: 0.04,
    value: (a) => a.flops * 38_000,
  },
  { name: 'flops_dp', scope: 'hwthread', form: 'gauge', unit: 'MFlops/s', noise: 0.04, value: (a) => a.flops * 30_000 },
  { name: 'ipc', scope: 'hwthread', form: 'gauge', noise: 0.05, value: (a) => 0.3 + 2.4 * a.flops + 0.8 * a.cpu },
  { name: 'clock', scope: 'hwthread', form: 'gauge', unit: 'MHz', noise: 0.01, value: (a) => a.clock * 2600 },
  { name: 'mem_bw', scope: 'socket', form: 'gauge', unit: 'MB/s', noise: 0.03, value: (a) => a.bandwidth * 190_000 },
  {
    name: 'cpu_power',
    scope: 'socket',
    form: 'gauge',
    unit: 'W',
    noise: 0.02,
    value: (a) => SOCKET_IDLE + SOCKET_LOAD * (0.6 * a.cpu + 0.25 * a.flops + 0.15 * a.bandwidth),
  },
  { name: 'mem_power', scope: 'socket', form: 'gauge', unit: 'W', noise: 0.03, value: (a) => 9 + 22 * a.bandwidth },
  { name: 'cpu_temp', scope: 'socket', form: 'whole', unit: 'degC', noise: 0.015, value: heatOf },
  {
    name: 'acc_utilization',
    scope: 'accelerator',
    form: 'gauge',
    unit: 'Percent',
    noise: 0.03,
    value: (a) => Math.min(100, a.gpu * 100),
  },
  {
    name: 'acc_mem_used',
    scope: 'accelerator',
    form: 'whole',
    unit: 'kB',
    noise: 0.01,
    value: (a) => 1e6 + a.gpu * 36e6,
  },
  { name: 'acc_power', scope: 'accelerator', form: 'gauge', unit: 'W', noise: 0.03, value: (a) => 52 + 340 * a.gpu },
];

/** The values of one series, one after the other, as line protocol writes them. @param seconds from one to the next. */
export function valuesOf(
  metric: SimulatedMetric,
  threads: number,
  seconds: number,
  random: Random,
): (activity: Activity) => string {
  const { form, noise } = metric;
  // Of two threads or sockets one is always a little better.
  const own = 1 + noise * normal(random);
  const next = (activity: Activity): number =>
    Math.max(0, metric.value(activity, threads) * own * (1 + noise * normal(random)));
  if (form === 'counter') {
    let count = Math.floor(random() * 1e12);
    return (activity) => {
      count += Math.round(next(activity) * seconds);
      return `${count}i`;
    };
  }
  if (form === 'whole') return (activity) => String(Math.round(next(activity)));
  if (form === 'decimals') return (activity) => String(Math.round(next(activity) * 100) / 100);
  return (activity) => String(next(activity));
}
