/** `npm run bench -- --cluster`: what a cluster of one store and of three takes, beside the same server alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Generator } from './client.js';
import { type Figure, type Measured, percentile, summarise } from './figures.js';
import { type Load, MEGABYTE, startOf, WARM_MS } from './load.js';
import { queryShapes } from './queries.js';
import { Server, type ServerOptions } from './server.js';
import { PARTITIONS, StoreCluster } from './store-cluster.js';
import { failures } from './store-failures.js';

export const CLUSTER_TOPICS = ['writes', 'queries', 'failures', 'partitions'] as const;
export type ClusterTopic = (typeof CLUSTER_TOPICS)[number];

type Topics = ReadonlySet<ClusterTopic>;

/** Bodies a second, and seconds, of writes at a usual pace. */
const PACE = 50;
const PACE_SECONDS = 10;
/** What a store has to finish after the answers. */
const SETTLE_MS = 1000;
const REPLICAS = 2;

function pacedSteps({ hosts }: Load): number {
  return Math.ceil((PACE * PACE_SECONDS) / hosts);
}

/** Unix seconds of the first step: what is written at a usual pace comes behind, and before now. */
function beginOf(load: Load): number {
  return startOf({ ...load, steps: load.steps + pacedSteps(load) });
}

/** What is measured: stores, the first of which is written to. */
interface Subject {
  stores: readonly Server[];
  cluster: StoreCluster | undefined;
}

/** @returns figures of the server alone, of a cluster of one, of a cluster of three. */
export async function clusters(
  options: ServerOptions,
  load: Load,
  rounds: number,
  topics: Topics,
): Promise<{ name: string; figures: Measured[] }[]> {
  const subjects = [
    { name: 'alone', count: 0, rounds: [] as Figure[][] },
    { name: 'one store', count: 1, rounds: [] as Figure[][] },
    { name: 'three', count: 3, rounds: [] as Figure[][] },
  ];
  for (let i = 0; i < rounds; i++) {
    for (const { name, count, rounds: all } of i % 2 === 0 ? subjects : subjects.toReversed()) {
      process.stderr.write(`round ${i + 1} of ${rounds}: ${name}\n`);
      all.push(await round(options, load, count, topics));
    }
  }
  const results = subjects.map(({ name, rounds: all }) => ({ name, figures: summarise(all) }));
  return topics.has('partitions') ? [...results, ...(await byPartitions(options, load))] : results;
}

/** Memory of a cluster of one with more partitions than by default, filled alike. */
async function byPartitions(options: ServerOptions, load: Load): Promise<{ name: string; figures: Measured[] }[]> {
  const generator = new Generator();
  const cluster = await StoreCluster.start(options, 1, 1, 2 * PARTITIONS);
  try {
    const [store] = cluster.stores as [Server];
    const empty = store.residentBytes();
    const figures = await writes({ stores: cluster.stores, cluster }, generator, load);
    const memory = figures.filter(({ key }) => key === 'memory');
    return [{ name: `one, ${2 * PARTITIONS} partitions`, figures: summarise([[emptyFigure(empty), ...memory]]) }];
  } finally {
    await cluster.discard();
    generator.close();
  }
}

function emptyFigure(bytes: number): Figure {
  return {
    key: 'memory_empty',
    label: 'memory of the first store, empty',
    unit: 'MB',
    value: bytes / MEGABYTE,
    better: 'less',
  };
}

/** @param count of stores; 0: the server without a cluster. */
async function round(options: ServerOptions, load: Load, count: number, topics: Topics): Promise<Figure[]> {
  const generator = new Generator();
  const cluster = count ? await StoreCluster.start(options, count, Math.min(count, REPLICAS)) : undefined;
  const stores = cluster ? cluster.stores : [await Server.start(options)];
  try {
    const subject = { stores, cluster };
    const empty = emptyFigure(stores[0]?.residentBytes() ?? 0);
    const written = await writes(subject, generator, load);
    return [
      ...(topics.has('writes') ? written : written.filter(({ key }) => key === 'memory')),
      empty,
      ...(topics.has('queries') ? await queries(subject, generator, load) : []),
      ...(topics.has('failures') && cluster ? await failures(cluster, load, beginOf(load)) : []),
    ];
  } finally {
    await (cluster ?? (stores[0] as Server)).discard();
    generator.close();
  }
}

/** All that is to be written as fast as answers come, then some at a usual pace. */
async function writes({ stores, cluster }: Subject, generator: Generator, load: Load): Promise<Figure[]> {
  const [{ port }] = stores as [Server];
  const ofStores = (): number => stores.reduce((sum, store) => sum + store.cpuSeconds(), 0);
  const ofNats = (): number => cluster?.nats.cpuSeconds() ?? 0;
  const before = { stores: ofStores(), nats: ofNats() };
  const { hosts, threads, frequency, connections } = load;
  const job = { kind: 'write', port, hosts, threads, frequency, connections, timestamp: beginOf(load) } as const;
  const { lines, seconds, latencies } = await generator.run({ ...job, steps: load.steps });
  await sleep(SETTLE_MS);
  const each = (cpu: number): number => (cpu * 1e6) / lines;
  const own = each(ofStores() - before.stores);
  const nats = each(ofNats() - before.nats);
  const timestamp = job.timestamp + load.steps * frequency;
  const steps = pacedSteps(load);
  const paced = await generator.run({ ...job, connections: hosts, timestamp, steps, spread: hosts / PACE });
  const figure = (key: string, label: string, unit: string, value: number, better: Figure['better'] = 'less') => ({
    key,
    label,
    unit,
    value,
    better,
  });
  return [
    figure('lines_per_s', `writes, ${connections} connections`, 'lines/s', lines / seconds, 'more'),
    figure('lines_per_cpu', 'writes', 'lines per CPU second of the stores', 1e6 / own, 'more'),
    figure('cpu_stores', 'CPU of all stores', 'us a line', own),
    figure('cpu_nats', 'CPU of NATS', 'us a line', nats),
    figure('cpu_all', 'CPU of stores and NATS', 'us a line', own + nats),
    figure('write_p50', 'write latency p50, as fast as answers come', 'ms', percentile(latencies, 0.5)),
    figure('write_p99', 'write latency p99, as fast as answers come', 'ms', percentile(latencies, 0.99)),
    figure('paced_p50', `write latency p50, ${PACE} bodies a second`, 'ms', percentile(paced.latencies, 0.5)),
    figure('paced_p99', `write latency p99, ${PACE} bodies a second`, 'ms', percentile(paced.latencies, 0.99)),
    figure('memory', 'memory of the first store with it', 'MB', (stores[0]?.residentBytes() ?? 0) / MEGABYTE),
  ];
}

/** Each query at each store: of one host, the slowest of three stores with two copies is the one that does not hold it. */
async function queries({ stores }: Subject, generator: Generator, load: Load): Promise<Figure[]> {
  await sleep(WARM_MS);
  const from = beginOf(load);
  const shapes = queryShapes({
    from,
    to: from + load.steps * load.frequency,
    hosts: load.hosts,
    threads: load.threads,
  });
  const figures: Figure[] = [];
  for (const { key, label, body } of shapes) {
    const p50: number[] = [];
    const p99: number[] = [];
    for (const { port } of stores) {
      const { latencies } = await generator.run({ kind: 'query', port, body, repetitions: load.repetitions });
      p50.push(percentile(latencies, 0.5));
      p99.push(percentile(latencies, 0.99));
    }
    const figure = (suffix: string, text: string, value: number): Figure => ({
      key: `${key}${suffix}`,
      label: text,
      unit: 'ms p50',
      value,
      better: 'less',
    });
    figures.push(figure('', label, Math.min(...p50)));
    figures.push(figure('_slowest', '  at the store that holds least of it', Math.max(...p50)));
    figures.push({ ...figure('_p99', '  its slowest 1 %, at any store', Math.max(...p99)), unit: 'ms' });
  }
  return figures;
}
