/** The load, and sending all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Generator } from './client.js';
import { type Figure, percentile } from './figures.js';
import type { WriteJob } from './generator.js';
import type { Server } from './server.js';

export interface Load {
  hosts: number;
  threads: number;
  steps: number;
  /** Seconds. */
  frequency: number;
  connections: number;
  /** Repetitions of each query. */
  repetitions: number;
  /** Hosts of the larger of the two runs that give the memory a sample. */
  moreHosts: number;
  /** Hosts of the wide run, whose series are many and short. */
  wideHosts: number;
  /** Hosts of the fleet, each with a connection of its own, and the seconds for which it is watched at its usual pace. */
  fleetHosts: number;
  fleetSeconds: number;
}

/** Time for the server to finish what it does after the answers. */
const SETTLE_MS = 500;
/** Before what a running server is asked or sent, which nobody does in the moment in which it is filled: ours warms up meanwhile. */
export const WARM_MS = 4000;
export const MEGABYTE = 1e6;

export interface Filled {
  figures: Figure[];
  samples: number;
  /** Resident bytes before and after. */
  base: number;
  resident: number;
}

/** Unix seconds of the first step, so that the last lies just before now. */
export function startOf({ steps, frequency }: Pick<Load, 'steps' | 'frequency'>): number {
  return (Math.floor(Date.now() / 1000 / frequency) - steps) * frequency;
}

/** Sends the whole load. @param prefix of the figures' labels. */
export async function fill(
  server: Server,
  generator: Generator,
  load: Load,
  start: number,
  prefix = '',
  how: Pick<WriteJob, 'access' | 'form'> = {},
): Promise<Filled> {
  const base = server.residentBytes();
  const before = server.cpuSeconds();
  const { hosts, threads, steps, frequency, connections } = load;
  const job = { kind: 'write', port: server.port, hosts, threads, steps, frequency, connections, ...how } as const;
  const { lines, seconds, latencies } = await generator.run({ ...job, timestamp: start });
  await sleep(SETTLE_MS);
  const cpu = server.cpuSeconds() - before;
  const label = prefix === '' ? 'ingest' : `${prefix}: ingest`;
  const key = prefix === '' ? '' : `${prefix.replaceAll(/\W+/g, '_')}_`;
  const figures: Figure[] = [
    { key: `${key}lines_per_cpu`, label, unit: 'lines per server CPU second', value: lines / cpu, better: 'more' },
    {
      key: `${key}lines_per_s`,
      label: `${label}, ${connections} connections`,
      unit: 'lines/s',
      value: lines / seconds,
      better: 'more',
    },
    {
      key: `${key}write_p50`,
      label: 'write latency p50',
      unit: 'ms',
      value: percentile(latencies, 0.5),
      better: 'less',
    },
    {
      key: `${key}write_p99`,
      label: 'write latency p99',
      unit: 'ms',
      value: percentile(latencies, 0.99),
      better: 'less',
    },
  ];
  return { figures, samples: lines, base, resident: server.residentBytes() };
}
