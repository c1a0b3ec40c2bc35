/** How throughput, latency and memory change with the number of series, samples and workers. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Generator } from './client.js';
import { columns, formatNumber, percentile } from './figures.js';
import type { Load } from './load.js';
import { seriesPerHost } from './mix.js';
import type { Options } from './options.js';
import { Server } from './server.js';
import { plots } from './svg.js';

/** One run, or one part of it. */
interface Point {
  /** Where it stands on the axis: series, samples or workers. */
  at: number;
  linesPerSecond: number;
  linesPerCpuSecond: number;
  /** Milliseconds. */
  p99: number;
  /** Megabytes. */
  memory: number;
}

interface Axis {
  name: 'series' | 'samples' | 'workers';
  points: Point[];
}

/** Parts into which the run that grows its samples is divided. */
const PARTS = 8;
const SETTLE_MS = 300;
const MEGABYTE = 1e6;

/** Measures, prints the table, writes `file`.json and `file`.svg. */
export async function curves({ load, server: command }: Options, file: string): Promise<void> {
  const axes: Axis[] = [
    { name: 'series', points: await alongSeries(command, load) },
    { name: 'samples', points: await alongSamples(command, load) },
    { name: 'workers', points: await alongWorkers(command, load) },
  ];
  for (const { name, points } of axes) {
    const head = [name, 'lines/s', 'lines/CPU s', 'p99 ms', 'memory MB'];
    const rows = points.map(({ at, linesPerSecond, linesPerCpuSecond, p99, memory }) =>
      [linesPerSecond, linesPerCpuSecond, p99, memory].map(formatNumber).toSpliced(0, 0, at.toLocaleString('en-US')),
    );
    process.stdout.write(`${columns([head, ...rows])}\n\n`);
  }
  writeFileSync(`${file}.json`, `${JSON.stringify({ load, axes }, undefined, 2)}\n`);
  writeFileSync(
    `${file}.svg`,
    plots(
      axes.map(({ name, points }) => [
        { title: 'lines/s', x: name, points: points.map(({ at, linesPerSecond }) => [at, linesPerSecond]) },
        { title: 'write p99, ms', x: name, points: points.map(({ at, p99 }) => [at, p99]) },
        { title: 'memory, MB', x: name, points: points.map(({ at, memory }) => [at, memory]) },
      ]),
    ),
  );
  process.stderr.write(`written to ${file}.json and ${file}.svg\n`);
}

/** 1, 2, 4 ... hosts. */
async function alongSeries(command: string, load: Load): Promise<Point[]> {
  const points: Point[] = [];
  for (let hosts = 1; hosts <= load.hosts; hosts *= 2) {
    const series = hosts * seriesPerHost(load.threads);
    points.push(...(await run(command, { ...load, hosts }, 1, () => series)));
  }
  return points;
}

/** One server, filled part by part. */
function alongSamples(command: string, load: Load): Promise<Point[]> {
  return run(command, load, Math.min(PARTS, load.steps), (samples) => samples);
}

/** 0 (everything on the main thread), 1 ... one a core. */
async function alongWorkers(command: string, load: Load): Promise<Point[]> {
  const points: Point[] = [];
  for (let workers = 0; workers <= availableParallelism(); workers++) {
    points.push(...(await run(command, load, 1, () => workers, workers)));
  }
  return points;
}

/** Fills a fresh server in equal parts; one point a part, placed by what was sent so far. */
async function run(
  command: string,
  load: Load,
  parts: number,
  place: (samples: number) => number,
  workers?: number,
): Promise<Point[]> {
  const { hosts, threads, frequency, connections } = load;
  const options = { command, frequency, ...(workers === undefined ? {} : { workers }) };
  const generator = new Generator();
  const server = await Server.start(options);
  try {
    const steps = Math.floor(load.steps / parts);
    const start = (Math.floor(Date.now() / 1000 / frequency) - steps * parts) * frequency;
    const points: Point[] = [];
    let samples = 0;
    for (let part = 0; part < parts; part++) {
      const before = server.cpuSeconds();
      const timestamp = start + part * steps * frequency;
      const job = {
        kind: 'write',
        port: server.port,
        hosts,
        threads,
        timestamp,
        steps,
        frequency,
        connections,
      } as const;
      const { lines, seconds, latencies } = await generator.run(job);
      await sleep(SETTLE_MS);
      samples += lines;
      points.push({
        at: place(samples),
        linesPerSecond: lines / seconds,
        linesPerCpuSecond: lines / (server.cpuSeconds() - before),
        p99: percentile(latencies, 0.99),
        memory: server.residentBytes() / MEGABYTE,
      });
    }
    return points;
  } finally {
    generator.close();
    await server.discard();
  }
}
