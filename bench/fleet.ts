/** What a fleet looks like: a connection a host, with token and with TLS; and lines of several fields, as Telegraf sends them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { accessTo } from './access.js';
import type { Generator } from './client.js';
import { type Figure, percentile } from './figures.js';
import { fill, type Load, MEGABYTE, startOf, WARM_MS } from './load.js';
import { Server, type ServerOptions } from './server.js';
import type { Access } from './wire.js';

/** Bodies of each host that are sent as fast as answers come. */
const FLEET_STEPS = 6;
/** Seconds between two bodies of a host at its usual pace. */
const MINUTE = 60;

/** A connection a host, plainly and over TLS: bodies as fast as answers come, then one a minute of each host, spread. */
export async function fleet(options: ServerOptions, generator: Generator, load: Load): Promise<Figure[]> {
  const hosts = load.fleetHosts;
  const many = { ...load, hosts, connections: hosts, steps: FLEET_STEPS };
  const figures: Figure[] = [];
  for (const tls of [false, true]) {
    const access = accessTo(tls);
    const name = `fleet ${tls ? 'TLS' : 'plain'}`;
    const server = await Server.start({ ...options, access });
    try {
      await generator.run({ kind: 'connect', port: server.port, connections: hosts, access });
      const filled = await fill(server, generator, many, startOf(many), name, { access });
      figures.push(...filled.figures);
      figures.push({
        key: `${name.replace(' ', '_')}_memory`,
        label: `${name}: memory with ${hosts} hosts x ${FLEET_STEPS} samples`,
        unit: 'MB',
        value: filled.resident / MEGABYTE,
        better: 'less',
      });
      figures.push(...(await atItsPace(server, generator, many, name, access)));
    } finally {
      await server.discard();
    }
  }
  return figures;
}

/** The bodies that are due in `fleetSeconds`, each at its time. */
async function atItsPace(
  server: Server,
  generator: Generator,
  load: Load,
  name: string,
  access: Access,
): Promise<Figure[]> {
  const { threads, frequency, fleetSeconds } = load;
  const hosts = Math.max(1, Math.round((load.hosts * fleetSeconds) / MINUTE));
  const timestamp = startOf(load) + load.steps * frequency;
  const job = { kind: 'write', port: server.port, hosts, threads, timestamp, steps: 1, frequency, access } as const;
  await sleep(WARM_MS);
  const before = server.cpuSeconds();
  const { seconds, latencies } = await generator.run({ ...job, connections: load.hosts, spread: fleetSeconds });
  const share = ((server.cpuSeconds() - before) / seconds) * 100;
  const key = name.replace(' ', '_');
  const label = `${name}, ${load.hosts} bodies a minute, spread`;
  return [
    { key: `${key}_share`, label, unit: '% of a core', value: share, better: 'less' },
    {
      key: `${key}_pace_p99`,
      label: '  write latency p99',
      unit: 'ms',
      value: percentile(latencies, 0.99),
      better: 'less',
    },
  ];
}

/** The same samples as lines of several fields, to servers that take them. */
export async function fields(options: ServerOptions, generator: Generator, load: Load): Promise<Figure[]> {
  const server = await Server.start({ ...options, form: 'fields' });
  try {
    if (!(await server.takesFields())) return [];
    const { figures } = await fill(server, generator, load, startOf(load), 'fields', { form: 'fields' });
    return figures.map((figure) => ({
      ...figure,
      label: figure.label.replace('fields: ingest', 'lines of several fields'),
      unit: figure.unit.replace('lines', 'samples'),
    }));
  } finally {
    await server.discard();
  }
}
