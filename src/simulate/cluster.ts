/**
 * A cluster as its collectors would report it: nodes with hardware threads, sockets, GPUs, a network and a file system, on
 * which jobs run. A few of the nodes are not well.
 */
import { type Activity, activityOf } from './activity.js';
import { type Job, JobSchedule } from './jobs.js';
import { METRICS, type Scope, valuesOf } from './metrics.js';
import { type Random, seededRandom } from './random.js';

export interface ClusterShape {
  cluster: string;
  nodes: number;
  /** Hardware threads a node. */
  threads: number;
  sockets: number;
  /** GPUs a node of those that have any, the last quarter; 0: none has. */
  gpus: number;
  /** Nodes that stop reporting. */
  dead: number;
  /** Nodes whose reports come late. */
  late: number;
  /** Nodes whose cooling has failed. */
  hot: number;
  seed: number;
}

/** What one node reports at one time. */
export interface Batch {
  body: Buffer;
  lines: number;
}

export interface SimulatedNode {
  name: string;
  /** What is wrong with it. */
  state: 'well' | 'dead' | 'late' | 'hot';
  /** Lines of a batch. */
  lines: number;
  /** The node's next sample of every series. Times must not go back. @param timestamp unix seconds */
  next(timestamp: number): Batch;
}

/** Nodes a rack: the names count racks and places, `f0101` to `f0132`. */
const RACK = 32;
const GPU_SHARE = 0.25;

/** The nodes of the shape, in order. The same shape always gives the same values. @param interval seconds between samples. */
export function simulatedNodes(shape: ClusterShape, interval: number): SimulatedNode[] {
  const withGpus = shape.gpus > 0 ? Math.ceil(shape.nodes * GPU_SHARE) : 0;
  const withoutGpus = shape.nodes - withGpus;
  const schedules = [
    new JobSchedule(0, withoutGpus, 'cpu', shape.seed),
    new JobSchedule(withoutGpus, withGpus, 'gpu', shape.seed + 1),
  ];
  const states = statesOf(shape);
  return Array.from({ length: shape.nodes }, (_, node) => {
    const gpu = node >= withoutGpus;
    const schedule = schedules[gpu ? 1 : 0];
    const jobAt = (timestamp: number): Job | undefined => {
      schedule?.advance(timestamp);
      return schedule?.jobOf(node);
    };
    const name = gpu ? nodeName('g', node - withoutGpus) : nodeName('f', node);
    const state = states.get(node) ?? 'well';
    const activityAt = (timestamp: number): Activity => activityOf(jobAt(timestamp), node, timestamp, state === 'hot');
    const own = { ...shape, gpus: gpu ? shape.gpus : 0 };
    return simulatedNode(name, state, own, interval, activityAt, seededRandom(shape.seed + node * 7919));
  });
}

/** `f0101`: rack 1, place 1. */
function nodeName(kind: string, position: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${kind}${two(Math.floor(position / RACK) + 1)}${two((position % RACK) + 1)}`;
}

/** Which nodes are not well: chosen by the seed, all different. */
function statesOf({ nodes, dead, late, hot, seed }: ClusterShape): Map<number, SimulatedNode['state']> {
  const random = seededRandom(seed + 2);
  const states = new Map<number, SimulatedNode['state']>();
  const wanted = [
    ...new Array<'dead'>(dead).fill('dead'),
    ...new Array<'late'>(late).fill('late'),
    ...new Array<'hot'>(hot).fill('hot'),
  ];
  for (const state of wanted.slice(0, nodes)) {
    let node = Math.floor(random() * nodes);
    while (states.has(node)) node = (node + 1) % nodes;
    states.set(node, state);
  }
  return states;
}

function simulatedNode(
  name: string,
  state: SimulatedNode['state'],
  shape: ClusterShape,
  interval: number,
  activityAt: (timestamp: number) => Activity,
  random: Random,
): SimulatedNode {
  const series: { prefix: string; next: (activity: Activity) => string }[] = [];
  for (const metric of METRICS) {
    const unit = metric.unit === undefined ? '' : `,unit=${metric.unit}`;
    for (const level of levelTags(metric.scope, shape)) {
      series.push({
        prefix: `${metric.name},cluster=${shape.cluster},hostname=${name},${level}${unit} value=`,
        next: valuesOf(metric, shape.threads, interval, random),
      });
    }
  }
  return {
    name,
    state,
    lines: series.length,
    next: (timestamp) => {
      const activity = activityAt(timestamp);
      let text = '';
      for (const { prefix, next } of series) text += `${prefix}${next(activity)} ${timestamp}\n`;
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
