/** What is measured: each scenario takes a fresh server and gives figures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Generator } from './client.js';
import { type Figure, percentile } from './figures.js';
import { fields, fleet } from './fleet.js';
import { type Filled, fill, type Load, MEGABYTE, startOf, WARM_MS } from './load.js';
import { CLUSTER, hostName, seriesPerHost } from './mix.js';
import { eventLoopLagP99 } from './prometheus.js';
import { queryShapes } from './queries.js';
import { Server, type ServerOptions } from './server.js';

export const TOPICS = [
  'ingest',
  'query',
  'stall',
  'memory',
  'disk',
  'restart',
  'checkpoint',
  'fields',
  'wide',
  'fleet',
  'promql',
] as const;
export type Topic = (typeof TOPICS)[number];

const WIDE_STEPS = 12;
const CHECKPOINT_INTERVAL = '2s';

async function queries(server: Server, generator: Generator, load: Load, start: number): Promise<Figure[]> {
  await sleep(WARM_MS);
  const to = start + load.steps * load.frequency;
  const figures: Figure[] = [];
  for (const { key, label, body } of queryShapes({ from: start, to, hosts: load.hosts, threads: load.threads })) {
    const before = server.cpuSeconds();
    const result = await generator.run({ kind: 'query', port: server.port, body, repetitions: load.repetitions });
    const cpu = ((server.cpuSeconds() - before) * 1000) / (load.repetitions + 1);
    const { results } = JSON.parse(result.answer) as { results: { error?: string }[][] };
    const error = results.flat().find((entry) => entry.error !== undefined)?.error;
    if (error !== undefined || results.some((entries) => entries.length === 0)) {
      throw new Error(`${label}: ${error ?? 'a query found no data'}`);
    }
    figures.push({ key, label, unit: 'ms p50', value: percentile(result.latencies, 0.5), better: 'less' });
    figures.push({
      key: `${key}_p99`,
      label: '  its slowest 1 %',
      unit: 'ms',
      value: percentile(result.latencies, 0.99),
      better: 'less',
    });
    figures.push({ key: `${key}_cpu`, label: "  its server's CPU", unit: 'ms', value: cpu, better: 'less' });
  }
  return figures;
}

/** Everything that one filled server can tell: ingest, queries, stall, disk, restarts. */
async function main(
  options: ServerOptions,
  generator: Generator,
  load: Load,
  topics: ReadonlySet<Topic>,
): Promise<Filled> {
  const start = startOf(load);
  const server = await Server.start(options);
  try {
    // Its quantiles are over the time since the last look: this one forgets the start.
    if (topics.has('stall')) await server.metrics();
    const filled = await fill(server, generator, load, start);
    const figures: Figure[] = topics.has('ingest') ? filled.figures : [];
    if (topics.has('memory')) {
      figures.push({
        key: 'memory_base',
        label: 'memory: the process without data',
        unit: 'MB',
        value: filled.base / MEGABYTE,
        better: 'less',
      });
      figures.push({
        key: 'memory_full',
        label: 'memory: with the data',
        unit: 'MB',
        value: filled.resident / MEGABYTE,
        better: 'less',
      });
    }
    const stall = async (during: string): Promise<void> => {
      const value = topics.has('stall') ? eventLoopLagP99(await server.metrics()) : undefined;
      if (value === undefined) return;
      figures.push({
        key: `stall_${during}`,
        label: `event-loop lag p99 during ${during}`,
        unit: 'ms',
        value,
        better: 'less',
      });
    };
    await stall('ingest');
    const answers = topics.has('query') || topics.has('stall') ? await queries(server, generator, load, start) : [];
    if (topics.has('query')) figures.push(...answers);
    await stall('queries');
    const perSample = (bytes: number): number => bytes / filled.samples;
    if (topics.has('disk')) {
      figures.push({
        key: 'disk_log',
        label: 'disk: log',
        unit: 'bytes a sample',
        value: perSample(server.diskBytes()),
        better: 'less',
      });
    }
    if (topics.has('restart')) {
      const probe = probeOf(load, start);
      await server.kill();
      const afterKill = await server.restart(probe);
      figures.push({ key: 'restart_kill', label: 'start after kill -9', unit: 's', value: afterKill, better: 'less' });
      const stop = await server.stop();
      figures.push({ key: 'stop', label: 'clean stop', unit: 's', value: stop, better: 'less' });
      figures.push({
        key: 'restart_stop',
        label: 'start after a clean stop',
        unit: 's',
        value: await server.restart(probe),
        better: 'less',
      });
    }
    if (topics.has('disk')) {
      await server.stop();
      figures.push({
        key: 'disk_checkpoint',
        label: 'disk: after a clean stop',
        unit: 'bytes a sample',
        value: perSample(server.diskBytes()),
        better: 'less',
      });
    }
    return { ...filled, figures };
  } finally {
    await server.discard();
  }
}

/** A query whose answer has data once the last host is loaded. */
function probeOf(load: Load, start: number): string {
  const host = hostName(load.hosts - 1);
  return JSON.stringify({
    cluster: CLUSTER,
    from: start,
    to: start + load.steps * load.frequency,
    queries: [{ metric: 'cpu_load', host }],
  });
}

/** One round of everything asked for, on one server. */
export async function round(options: ServerOptions, load: Load, topics: ReadonlySet<Topic>): Promise<Figure[]> {
  const generate = async <T>(use: (generator: Generator) => Promise<T>): Promise<T> => {
    const generator = new Generator();
    try {
      return await use(generator);
    } finally {
      generator.close();
    }
  };
  const figures: Figure[] = [];
  let filled: Filled | undefined;
  if ((['ingest', 'query', 'stall', 'memory', 'disk', 'restart'] as const).some((topic) => topics.has(topic))) {
    filled = await generate((generator) => main(options, generator, load, topics));
    figures.push(...filled.figures);
  }
  if (topics.has('memory') && filled !== undefined && load.moreHosts > load.hosts) {
    const larger = await generate((generator) => fillOnly(options, generator, { ...load, hosts: load.moreHosts }));
    const value = (larger.resident - filled.resident) / (larger.samples - filled.samples);
    figures.push({
      key: 'memory_sample',
      label: `memory: ${load.hosts} to ${load.moreHosts} hosts`,
      unit: 'bytes a sample',
      value,
      better: 'less',
    });
  }
  if (topics.has('checkpoint')) {
    const { figures: all } = await generate((generator) =>
      fillOnly({ ...options, checkpointInterval: CHECKPOINT_INTERVAL }, generator, load),
    );
    const p99 = all.find(({ key }) => key === 'write_p99');
    if (p99 !== undefined) {
      figures.push({
        ...p99,
        key: 'checkpoint_write_p99',
        label: `write latency p99, a checkpoint every ${CHECKPOINT_INTERVAL}`,
      });
    }
  }
  if (topics.has('wide')) figures.push(...(await generate((generator) => wide(options, generator, load))));
  if (topics.has('fields')) figures.push(...(await generate((generator) => fields(options, generator, load))));
  if (topics.has('fleet')) figures.push(...(await generate((generator) => fleet(options, generator, load))));
  return figures;
}

async function fillOnly(options: ServerOptions, generator: Generator, load: Load): Promise<Filled> {
  const server = await Server.start(options);
  try {
    return await fill(server, generator, load, startOf(load));
  } finally {
    await server.discard();
  }
}

/** Many series, few samples: the first minutes of a large cluster. */
async function wide(options: ServerOptions, generator: Generator, load: Load): Promise<Figure[]> {
  const large = { ...load, hosts: load.wideHosts, steps: WIDE_STEPS };
  const start = startOf(large);
  const server = await Server.start(options);
  try {
    const { figures, resident } = await fill(server, generator, large, start, 'wide');
    const series = large.hosts * seriesPerHost(large.threads);
    const label = `wide: memory with ${series} series x ${WIDE_STEPS} samples`;
    figures.push({ key: 'wide_memory', label, unit: 'MB', value: resident / MEGABYTE, better: 'less' });
    const status = (await queries(server, generator, large, start)).find(({ key }) => key === 'query_status');
    if (status !== undefined) figures.push({ ...status, key: 'wide_status', label: `wide: ${status.label}` });
    return figures;
  } finally {
    await server.discard();
  }
}
