/**
 * The jobs of the simulated cluster: they queue, get nodes that are free, run and end. Fuller by day than by night, never
 * quite full. The same seed and the same times give the same jobs.
 */
import { normal, type Random, seededRandom } from './random.js';

/** What a program does to its nodes; shares of what the hardware can do, 0..1. */
export interface Profile {
  name: string;
  cpu: number;
  flops: number;
  bandwidth: number;
  network: number;
  /** Of the parallel file system, while it writes its state or reads its input. */
  io: number;
  /** Of the memory that a node has. */
  memory: number;
  gpu: number;
  /** Share of the memory that is added each hour: a leak. */
  leak?: number;
  /** The last node of the job has so much less to do than the first. */
  imbalance?: number;
}

const CPU_PROFILES: readonly Profile[] = [
  { name: 'dense linear algebra', cpu: 0.99, flops: 0.75, bandwidth: 0.25, network: 0.3, io: 0.1, memory: 0.6, gpu: 0 },
  { name: 'stencil', cpu: 0.97, flops: 0.22, bandwidth: 0.9, network: 0.4, io: 0.2, memory: 0.45, gpu: 0 },
  { name: 'molecular dynamics', cpu: 0.98, flops: 0.45, bandwidth: 0.2, network: 0.55, io: 0.05, memory: 0.12, gpu: 0 },
  {
    name: 'unbalanced mesh',
    cpu: 0.95,
    flops: 0.35,
    bandwidth: 0.5,
    network: 0.35,
    io: 0.1,
    memory: 0.4,
    gpu: 0,
    imbalance: 0.7,
  },
  { name: 'genomics', cpu: 0.6, flops: 0.02, bandwidth: 0.15, network: 0.05, io: 0.9, memory: 0.3, gpu: 0, leak: 0.08 },
  { name: 'one thread only', cpu: 0.02, flops: 0.02, bandwidth: 0.02, network: 0.01, io: 0.02, memory: 0.1, gpu: 0 },
];

const GPU_PROFILES: readonly Profile[] = [
  { name: 'training', cpu: 0.25, flops: 0.03, bandwidth: 0.15, network: 0.5, io: 0.4, memory: 0.35, gpu: 0.95 },
  {
    name: 'molecular dynamics on GPUs',
    cpu: 0.3,
    flops: 0.05,
    bandwidth: 0.1,
    network: 0.2,
    io: 0.05,
    memory: 0.1,
    gpu: 0.85,
  },
  { name: 'notebook', cpu: 0.05, flops: 0.01, bandwidth: 0.02, network: 0.02, io: 0.05, memory: 0.15, gpu: 0.1 },
];

export interface Job {
  profile: Profile;
  /** Unix seconds. */
  start: number;
  end: number;
  /** Positions of its nodes in the cluster. */
  nodes: readonly number[];
}

const HOUR = 3600;
/** Shortest and longest job, in seconds. */
const SHORTEST = 10 * 60;
const LONGEST = 24 * HOUR;
/** A job takes at most this share of its partition. */
const LARGEST_SHARE = 0.3;

/** Nodes of one kind, with jobs of that kind. */
export class JobSchedule {
  readonly #random: Random;
  readonly #profiles: readonly Profile[];
  readonly #first: number;
  readonly #jobs: (Job | undefined)[];
  #now = Number.NEGATIVE_INFINITY;

  /**
   * @param first position of the first node in the cluster.
   * @param count number of nodes.
   */
  constructor(first: number, count: number, kind: 'cpu' | 'gpu', seed: number) {
    this.#first = first;
    this.#jobs = new Array(count).fill(undefined);
    this.#profiles = kind === 'cpu' ? CPU_PROFILES : GPU_PROFILES;
    this.#random = seededRandom(seed);
  }

  /** Ends and starts jobs up to this time, unix seconds. Times must not go back. */
  advance(now: number): void {
    if (now <= this.#now) return;
    const begun = this.#now > Number.NEGATIVE_INFINITY;
    this.#now = now;
    for (const [node, job] of this.#jobs.entries()) {
      if (job !== undefined && job.end <= now) this.#jobs[node] = undefined;
    }
    const wanted = demand(now) * this.#jobs.length;
    // A job that fits no more waits; those behind it do so too.
    while (this.#busy() < wanted && this.#start(now, begun)) {}
  }

  /** The job that runs on a node, by its position in the cluster; undefined: it is idle. */
  jobOf(node: number): Job | undefined {
    return this.#jobs[node - this.#first];
  }

  #busy(): number {
    return this.#jobs.reduce((busy, job) => busy + (job === undefined ? 0 : 1), 0);
  }

  #start(now: number, begun: boolean): boolean {
    const random = this.#random;
    const free = [...this.#jobs.keys()].filter((node) => this.#jobs[node] === undefined);
    const largest = Math.max(1, this.#jobs.length * LARGEST_SHARE);
    // Many small jobs, few large ones.
    const size = Math.max(1, Math.floor(largest ** (random() ** 1.5)));
    const seconds = Math.min(LONGEST, Math.max(SHORTEST, 2 * HOUR * Math.exp(normal(random))));
    const profile = this.#profiles[Math.floor(random() * this.#profiles.length)];
    if (profile === undefined || size > free.length) return false;
    const nodes = free.slice(0, size).map((node) => node + this.#first);
    // What is there at the beginning has run for a while.
    const start = begun ? now : now - random() * seconds;
    const job = { profile, start, end: start + seconds, nodes };
    for (const node of nodes) this.#jobs[node - this.#first] = job;
    return true;
  }
}

/** Share of the nodes that somebody wants: most in the afternoon, least before dawn (UTC). */
function demand(now: number): number {
  const hour = (now / HOUR) % 24;
  return 0.78 + 0.17 * Math.sin(((hour - 8.5) / 24) * 2 * Math.PI);
}
