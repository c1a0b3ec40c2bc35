/** The load: what node collectors of an HPC cluster send, 743 series a host with 72 hardware threads. The same seed every time. */
import { type Random, seededRandom } from '../src/simulate/random.js';
import { type ValueKind, valuesOf } from './values.js';

export const CLUSTER = 'fritz';
export const SOCKETS = 2;
const CONSTANT = 24_684_084;
const TYPICAL = 520;
/** Walks of each kind, and their length: a series takes one of them from anywhere on, so that a line costs no number formatting. */
const WALKS = 16;
const WALK_LENGTH = 4096;

type Metric = readonly [name: string, kind: ValueKind, aggregation?: 'sum'];

export const THREAD_METRICS: readonly Metric[] = [
  ['cpu_user', 'percent'],
  ['cpu_system', 'percent'],
  ['cpu_idle', 'percent'],
  ['cpu_iowait', 'rare'],
  ['cpu_irq', 'rare'],
  ['ipc', 'rate'],
  ['clock', 'rate'],
  ['flops_any', 'rate', 'sum'],
  ['core_power', 'rate', 'sum'],
  ['cpu_load_core', 'load'],
];

export const SOCKET_METRICS: readonly Metric[] = [
  ['cpu_power', 'rate', 'sum'],
  ['mem_power', 'rate', 'sum'],
  ['mem_bw', 'rate', 'sum'],
];

export const NODE_METRICS: readonly Metric[] = [
  ['cpu_load', 'load'],
  ['mem_used', 'gauge'],
  ['mem_cached', 'gauge'],
  ['mem_total', 'constant'],
  ['mem_free', 'gauge'],
  ['net_bytes_in', 'counter'],
  ['net_bytes_out', 'counter'],
  ['ib_recv', 'counter'],
  ['ib_xmit', 'counter'],
  ['lustre_open', 'rare'],
  ['lustre_close', 'rare'],
  ['lustre_statfs', 'rare'],
  ['lustre_read_bytes', 'counter'],
  ['lustre_write_bytes', 'counter'],
  ['nfs4_read', 'rare'],
  ['nfs4_write', 'rare'],
  ['nfs4_total', 'counter'],
];

/** Series of a host. */
export function seriesPerHost(threads: number): number {
  return THREAD_METRICS.length * threads + SOCKET_METRICS.length * SOCKETS + NODE_METRICS.length;
}

export function hostName(index: number): string {
  return `f${String(index + 1).padStart(4, '0')}`;
}

/** The `metrics` section of a config for the load. @param frequency seconds */
export function metricsConfig(frequency: number): Record<string, { frequency: number; aggregation: 'sum' | 'avg' }> {
  const all = [...THREAD_METRICS, ...SOCKET_METRICS, ...NODE_METRICS];
  return Object.fromEntries(
    all.map(([name, , aggregation]) => [name, { frequency, aggregation: aggregation ?? 'avg' }]),
  );
}

const walks = new Map<ValueKind, string[][]>();

/** The values of one series, as text: a walk from a random place on, over and over. */
function textsOf(kind: ValueKind, random: Random): { texts: readonly string[]; at: number } {
  let ofKind = walks.get(kind);
  if (ofKind === undefined) {
    ofKind = Array.from({ length: WALKS }, (_, seed) => {
      const next = valuesOf(kind, kind === 'constant' ? CONSTANT : TYPICAL, seededRandom(seed));
      return Array.from({ length: WALK_LENGTH }, next);
    });
    walks.set(kind, ofKind);
  }
  const texts = ofKind[Math.floor(random() * WALKS)] ?? [];
  return { texts, at: Math.floor(random() * WALK_LENGTH) };
}

/** Makes the bodies of one host: each call gives its next sample of every series. */
export function hostBodies(index: number, threads: number): (timestamp: number) => string {
  const random = seededRandom(index + 1);
  const series: { prefix: string; texts: readonly string[]; at: number }[] = [];
  const add = ([name, kind]: Metric, tags: string): void => {
    const prefix = `${name},cluster=${CLUSTER},hostname=${hostName(index)},${tags} value=`;
    series.push({ prefix, ...textsOf(kind, random) });
  };
  for (const metric of THREAD_METRICS) for (let id = 0; id < threads; id++) add(metric, `type=hwthread,type-id=${id}`);
  for (const metric of SOCKET_METRICS) for (let id = 0; id < SOCKETS; id++) add(metric, `type=socket,type-id=${id}`);
  for (const metric of NODE_METRICS) add(metric, 'type=node');
  return (timestamp) => {
    let text = '';
    for (const one of series) {
      text += `${one.prefix}${one.texts[one.at]} ${timestamp}\n`;
      one.at = (one.at + 1) % WALK_LENGTH;
    }
    return text;
  };
}
