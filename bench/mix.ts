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

/**
 * How a body has its samples: a line each, or as Telegraf sends them, a line for all that has the same tags. Then the metrics are
 * called after the line's measurement and the field: `thread_cpu_user`.
 */
export type BodyForm = 'value' | 'fields';

interface Scope {
  measurement: string;
  metrics: readonly Metric[];
  /** How often a host has it. */
  count(threads: number): number;
  /** Tags of one of it, in both forms. */
  tags(id: number): Record<BodyForm, string>;
}

const SCOPES: readonly Scope[] = [
  {
    measurement: 'thread',
    metrics: THREAD_METRICS,
    count: (threads) => threads,
    tags: (id) => ({ value: `type=hwthread,type-id=${id}`, fields: `cpu=cpu${id}` }),
  },
  {
    measurement: 'socket',
    metrics: SOCKET_METRICS,
    count: () => SOCKETS,
    tags: (id) => ({ value: `type=socket,type-id=${id}`, fields: `type=socket,type-id=${id}` }),
  },
  {
    measurement: 'node',
    metrics: NODE_METRICS,
    count: () => 1,
    tags: () => ({ value: 'type=node', fields: 'type=node' }),
  },
];

/** The `metrics` section of a config for the load. @param frequency seconds */
export function metricsConfig(
  frequency: number,
  form: BodyForm = 'value',
): Record<string, { frequency: number; aggregation: 'sum' | 'avg' }> {
  const entries = SCOPES.flatMap(({ measurement, metrics }) =>
    metrics.map(([name, , aggregation]) => {
      const metric = form === 'value' ? name : `${measurement}_${name}`;
      return [metric, { frequency, aggregation: aggregation ?? ('avg' as const) }] as const;
    }),
  );
  return Object.fromEntries(entries);
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

/** Makes the bodies of one host: each call gives its next sample of every series, the same kinds of values in both forms. */
export function hostBodies(index: number, threads: number, form: BodyForm = 'value'): (timestamp: number) => string {
  const random = seededRandom(index + 1);
  const series: { prefix: string; texts: readonly string[]; at: number; endsLine: boolean }[] = [];
  const host = hostName(index);
  for (const { measurement, metrics, count, tags } of SCOPES) {
    if (form === 'value') {
      for (const [name, kind] of metrics) {
        for (let id = 0; id < count(threads); id++) {
          const prefix = `${name},cluster=${CLUSTER},hostname=${host},${tags(id).value} value=`;
          series.push({ prefix, ...textsOf(kind, random), endsLine: true });
        }
      }
      continue;
    }
    for (let id = 0; id < count(threads); id++) {
      metrics.forEach(([name, kind], i) => {
        const before = i === 0 ? `${measurement},host=${host},${tags(id).fields} ` : ',';
        series.push({ prefix: `${before}${name}=`, ...textsOf(kind, random), endsLine: i === metrics.length - 1 });
      });
    }
  }
  // Telegraf writes nanoseconds.
  const unit = form === 'value' ? '' : '000000000';
  return (timestamp) => {
    const end = ` ${timestamp}${unit}\n`;
    let text = '';
    for (const one of series) {
      text += `${one.prefix}${one.texts[one.at]}${one.endsLine ? end : ''}`;
      one.at = (one.at + 1) % WALK_LENGTH;
    }
    return text;
  };
}
