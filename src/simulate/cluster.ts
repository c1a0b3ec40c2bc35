/** A cluster as its collectors would report it: hosts with hardware threads, sockets, GPUs, a network and a file system. */
import { type Random, seededRandom, type ValueKind, valuesOf } from './values.js';

export interface ClusterShape {
  cluster: string;
  hosts: number;
  /** Hardware threads a host. */
  threads: number;
  sockets: number;
  /** GPUs a host; 0: none. */
  gpus: number;
  seed: number;
}

/** What one host reports at one time. */
export interface Batch {
  body: Buffer;
  lines: number;
}

export interface SimulatedHost {
  name: string;
  /** Lines of a batch. */
  lines: number;
  /** The host's next sample of every series. @param timestamp unix seconds */
  next(timestamp: number): Batch;
}

type Scope = 'node' | 'network' | 'infiniband' | 'filesystem' | 'hwthread' | 'socket' | 'accelerator';

interface SimulatedMetric {
  name: string;
  scope: Scope;
  kind: ValueKind;
  /** Where the values lie, in the unit. */
  typical: number;
  unit?: string;
}

/** Names as in configs/config.json: what is not configured there would be skipped by the server. */
export const METRICS: readonly SimulatedMetric[] = [
  { name: 'cpu_load', scope: 'node', kind: 'load', typical: 60 },
  { name: 'mem_used', scope: 'node', kind: 'gauge', typical: 96_000_000, unit: 'kB' },
  { name: 'net_bytes_in', scope: 'network', kind: 'counter', typical: 5e9, unit: 'bytes' },
  { name: 'net_bytes_out', scope: 'network', kind: 'counter', typical: 2e9, unit: 'bytes' },
  { name: 'ib_recv', scope: 'infiniband', kind: 'counter', typical: 8e12, unit: 'bytes' },
  { name: 'ib_xmit', scope: 'infiniband', kind: 'counter', typical: 8e12, unit: 'bytes' },
  { name: 'lustre_read_bytes', scope: 'filesystem', kind: 'counter', typical: 3e11, unit: 'bytes' },
  { name: 'lustre_write_bytes', scope: 'filesystem', kind: 'counter', typical: 1e11, unit: 'bytes' },
  { name: 'lustre_open', scope: 'filesystem', kind: 'rare', typical: 1 },
  { name: 'cpu_user', scope: 'hwthread', kind: 'percent', typical: 85, unit: 'Percent' },
  { name: 'flops_any', scope: 'hwthread', kind: 'steady', typical: 1200, unit: 'MFlops/s' },
  { name: 'flops_dp', scope: 'hwthread', kind: 'steady', typical: 900, unit: 'MFlops/s' },
  { name: 'ipc', scope: 'hwthread', kind: 'steady', typical: 1.4 },
  { name: 'clock', scope: 'hwthread', kind: 'steady', typical: 2400, unit: 'MHz' },
  { name: 'mem_bw', scope: 'socket', kind: 'steady', typical: 90_000, unit: 'MB/s' },
  { name: 'cpu_power', scope: 'socket', kind: 'steady', typical: 220, unit: 'W' },
  { name: 'mem_power', scope: 'socket', kind: 'steady', typical: 28, unit: 'W' },
  { name: 'acc_utilization', scope: 'accelerator', kind: 'percent', typical: 80, unit: 'Percent' },
  { name: 'acc_mem_used', scope: 'accelerator', kind: 'gauge', typical: 32_000_000, unit: 'kB' },
  { name: 'acc_power', scope: 'accelerator', kind: 'steady', typical: 310, unit: 'W' },
];

/** The hosts of the shape, in order. The same shape always gives the same values. */
export function simulatedHosts(shape: ClusterShape): SimulatedHost[] {
  const width = Math.max(4, String(shape.hosts).length);
  return Array.from({ length: shape.hosts }, (_, index) => {
    const name = `node${String(index + 1).padStart(width, '0')}`;
    return simulatedHost(name, shape, seededRandom(shape.seed + index * 7919));
  });
}

function simulatedHost(name: string, shape: ClusterShape, random: Random): SimulatedHost {
  const series: { prefix: string; next: () => string }[] = [];
  for (const metric of METRICS) {
    const unit = metric.unit === undefined ? '' : `,unit=${metric.unit}`;
    for (const level of levelTags(metric.scope, shape)) {
      series.push({
        prefix: `${metric.name},cluster=${shape.cluster},hostname=${name},${level}${unit} value=`,
        next: valuesOf(metric.kind, metric.typical, random),
      });
    }
  }
  return {
    name,
    lines: series.length,
    next: (timestamp) => {
      let text = '';
      for (const one of series) text += `${one.prefix}${one.next()} ${timestamp}\n`;
      return { body: Buffer.from(text, 'latin1'), lines: series.length };
    },
  };
}

/** The tags of every level at which a metric of the scope is measured. */
function levelTags(scope: Scope, shape: ClusterShape): string[] {
  const numbered = (count: number, type: string): string[] =>
    Array.from({ length: count }, (_, id) => `type=${type},type-id=${id}`);
  switch (scope) {
    case 'node':
      return ['type=node'];
    case 'network':
      return ['type=node,stype=network,stype-id=eth0'];
    case 'infiniband':
      return ['type=node,stype=network,stype-id=mlx5_0'];
    case 'filesystem':
      return ['type=node,stype=filesystem,stype-id=scratch'];
    case 'hwthread':
      return numbered(shape.threads, 'hwthread');
    case 'socket':
      return numbered(shape.sockets, 'socket');
    case 'accelerator':
      return Array.from({ length: shape.gpus }, (_, gpu) => `type=accelerator,type-id=${pciAddress(gpu)}`);
  }
}

/** Where GPU number `gpu` sits: domain:bus:device.function, as nvidia-smi prints it. */
export function pciAddress(gpu: number): string {
  // Boards leave the low buses to bridges and space the slots out.
  const bus = 0x49 + gpu * 5;
  return `${(bus >> 8).toString(16).padStart(8, '0')}:${(bus & 0xff).toString(16).padStart(2, '0')}:00.0`;
}
