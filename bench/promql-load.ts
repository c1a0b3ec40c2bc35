/** What PromQL costs others: memory of a query while its answer is made, and writes beside queries that never end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Generator } from './client.js';
import { type Figure, percentile } from './figures.js';
import type { WriteJob } from './generator.js';
import { type Load, MEGABYTE, startOf, WARM_MS } from './load.js';
import { Server, type ServerOptions } from './server.js';
import { Connection, requestBytes } from './wire.js';

/** As many as may run at once by default. */
const READERS = 20;
/** Steps of writing without and beside queries; they follow what is stored already. */
const FAST_STEPS = 360;
const PACED_STEPS = 120;
/** Of both, twice. */
const LOAD_STEPS = 2 * (FAST_STEPS + PACED_STEPS);
/** Seconds over which the writes of a step are spread. */
const SPREAD = 0.1;

const HEAVY = [
  'avg by (hostname) (avg_over_time(flops_any[1h]))',
  'sum(stddev_over_time(flops_any[1h]))',
  'flops_any{hostname="f0001"}',
  'topk(10, sum by (hostname) (cpu_power))',
];
/** Their answers are small, of megabytes, and as large as they get. */
const ANSWERS = ['sum by (hostname) (flops_any)', 'flops_any{hostname="f0001"}', 'flops_any'];

type RangeRequest = (query: string) => Buffer;

function rangeRequest(load: Load, start: number): RangeRequest {
  const end = start + (load.steps - 1) * load.frequency;
  const times = { start: String(start), end: String(end), step: String(load.frequency) };
  const path = (query: string) => `/api/v1/query_range?${new URLSearchParams({ query, ...times })}`;
  return (query) => requestBytes('GET', path(query), '', 'Accept-Encoding: identity\r\n');
}

/** How much a server that was only filled grows while it answers. */
async function memory(server: Server, request: RangeRequest): Promise<Figure[]> {
  const connection = await Connection.open(server.port);
  // The engine's modules stay: they are not a query's.
  await connection.send(request('vector(1)'));
  const figures: Figure[] = [];
  for (const query of ANSWERS) {
    const before = server.residentBytes();
    server.forgetPeak();
    const { status, bytes } = await connection.send(request(query));
    if (status !== 200) throw new Error(`${query} was answered ${status}`);
    const size = (bytes / MEGABYTE).toFixed(1);
    figures.push({
      key: `promql_memory_${figures.length}`,
      label: `promql: peak memory of ${query}, answer of ${size} MB`,
      unit: 'MB',
      value: (server.peakBytes() - before) / MEGABYTE,
      better: 'less',
    });
  }
  connection.close();
  return figures;
}

/** Asks heavy queries, one after the other on each of some connections, until it is stopped. */
class Readers {
  private isOver = false;
  answers = 0;
  private readonly running: Promise<void>[];

  constructor(port: number, request: RangeRequest) {
    this.running = Array.from({ length: READERS }, (_, number) => this.read(port, request, number));
  }

  private async read(port: number, request: RangeRequest, first: number): Promise<void> {
    const connection = await Connection.open(port);
    for (let number = first; !this.isOver; number++) {
      const { status } = await connection.send(request(HEAVY[number % HEAVY.length] ?? ''));
      if (status !== 200) throw new Error(`a query beside writes was answered ${status}`);
      this.answers++;
    }
    connection.close();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }
}

/** Writes as fast as it goes, and at a pace; first alone, then beside queries. */
async function writes(
  server: Server,
  generator: Generator,
  load: Load,
  start: number,
  request: RangeRequest,
): Promise<Figure[]> {
  const { hosts, threads, frequency, connections, steps } = load;
  const job: WriteJob = {
    kind: 'write',
    port: server.port,
    hosts,
    threads,
    frequency,
    connections,
    steps: 0,
    timestamp: 0,
  };
  let next = start + steps * frequency;
  const write = async (count: number, how: { spread?: number }) => {
    const { lines, seconds, latencies } = await generator.run({ ...job, steps: count, timestamp: next, ...how });
    next += count * frequency;
    return { rate: lines / seconds, p99: percentile(latencies, 0.99) };
  };
  const measure = async (key: string, beside: string): Promise<Figure[]> => {
    const { rate } = await write(FAST_STEPS, {});
    const { p99 } = await write(PACED_STEPS, { spread: SPREAD });
    return [
      { key: `promql_lines_${key}`, label: `promql: ingest ${beside}`, unit: 'lines/s', value: rate, better: 'more' },
      { key: `promql_p99_${key}`, label: `promql: write p99 ${beside}`, unit: 'ms', value: p99, better: 'less' },
    ];
  };
  const alone = await measure('alone', 'alone, after the fill');
  const readers = new Readers(server.port, request);
  const since = performance.now();
  const together = await measure('beside', `beside ${READERS} heavy queries`);
  const value = readers.answers / ((performance.now() - since) / 1000);
  await readers.stop();
  const label = 'promql: these queries';
  return [...alone, ...together, { key: 'promql_beside', label, unit: 'answers/s', value, better: 'more' }];
}

/** Figures of a server of its own, which holds the load and has been asked nothing. */
export async function promqlLoad(options: ServerOptions, generator: Generator, load: Load): Promise<Figure[]> {
  const { hosts, threads, steps, frequency, connections } = load;
  // The steps that are written beside queries end before now too.
  const start = startOf({ steps: steps + LOAD_STEPS, frequency });
  const server = await Server.start(options);
  try {
    const job = { kind: 'write', port: server.port, hosts, threads, steps, frequency, connections } as const;
    await generator.run({ ...job, timestamp: start });
    await sleep(WARM_MS);
    const request = rangeRequest(load, start);
    return [...(await memory(server, request)), ...(await writes(server, generator, load, start, request))];
  } finally {
    await server.discard();
  }
}
