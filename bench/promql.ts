/**
 * PromQL beside a Prometheus and a VictoriaMetrics that run already: the same samples, the same questions, asked in turn. Peers
 * keep what they were sent: give them empty directories.
 */
import type { Generator } from './client.js';
import { type Figure, percentile } from './figures.js';
import { type Load, startOf } from './load.js';
import { CLUSTER } from './mix.js';
import { promqlLoad } from './promql-load.js';
import { queryShapes } from './queries.js';
import { remoteWrite } from './remote-write.js';
import { Server, type ServerOptions } from './server.js';
import { Connection, requestBytes } from './wire.js';

/** A server that is asked in PromQL. */
export interface PromqlPeer {
  name: string;
  /** Without a path. */
  url: string;
}

interface Question {
  key: string;
  label: string;
  path: string;
  /** JSON of a POST; absent: GET. Only our server is asked with one. */
  body?: string;
}

/** Seconds between steps of range queries. */
const STEP = 60;

function questions(start: number, end: number): Question[] {
  // Nocache is VictoriaMetrics's: an answer that it has kept is no measurement.
  const times = { start: String(start), end: String(end), step: String(STEP), nocache: '1' };
  const range = (query: string) => `/api/v1/query_range?${new URLSearchParams({ query, ...times })}`;
  const instant = (query: string) => `/api/v1/query?${new URLSearchParams({ query, time: String(end) })}`;
  const ranges = [
    ['series', 'cpu_load{hostname="f0001"}'],
    ['sum_by', 'sum by (hostname) (flops_any)'],
    ['rate', 'avg(rate(net_bytes_in[10m]))'],
    ['topk', 'topk(10, sum by (hostname) (cpu_power))'],
    ['quantile', 'quantile(0.95, cpu_load)'],
    ['divide', 'sum(cpu_power) / count(count by (hostname) (cpu_power))'],
    ['average', 'avg by (hostname) (avg_over_time(flops_any[1h]))'],
  ] as const;
  return [
    ...ranges.map(([key, query]) => ({ key, label: query, path: range(query) })),
    { key: 'max', label: 'max_over_time(mem_bw[1d]), instant', path: instant('max_over_time(mem_bw[1d])') },
    {
      key: 'values',
      label: 'label values of a metric',
      path: `/api/v1/label/hostname/values?match[]=cpu_load&start=${start}&end=${end}`,
    },
    { key: 'raw', label: 'flops_any of one node, all threads', path: range('flops_any{hostname="f0001"}') },
  ];
}

/** The view of a job's threads, as JSON and in columns. */
function columns(load: Load, start: number): Question[] {
  const to = start + load.steps * load.frequency;
  const shapes = queryShapes({ from: start, to, hosts: load.hosts, threads: load.threads });
  const { label = '', body = '' } = shapes.find(({ key }) => key === 'query_job_threads') ?? {};
  return ['json', 'arrow', 'parquet'].map((format) => ({
    key: `columns_${format}`,
    label: `${label}, as ${format}`,
    path: `/api/query?format=${format}`,
    body,
  }));
}

interface Asked {
  peer: PromqlPeer;
  connection: Connection;
  figures: Figure[];
}

/** Milliseconds of an answer. @throws when it is none */
async function ask({ peer, connection }: Asked, { label, path, body }: Question): Promise<number> {
  const request = requestBytes(body === undefined ? 'GET' : 'POST', path, body ?? '', 'Accept-Encoding: identity\r\n');
  const answer = await connection.send(request);
  if (answer.status !== 200) throw new Error(`${peer.name} answered ${answer.status} to ${label}`);
  return answer.milliseconds;
}

/** Starts our server, fills all, asks; then what its queries cost others. @returns figures by name of the server, ours first. */
export async function promql(
  options: ServerOptions,
  generator: Generator,
  load: Load,
  peers: readonly PromqlPeer[],
): Promise<{ name: string; command: string; figures: Figure[] }[]> {
  const { hosts, threads, steps, frequency, connections } = load;
  const start = startOf(load);
  const server = await Server.start(options);
  try {
    const job = { kind: 'write', port: server.port, hosts, threads, steps, frequency, connections } as const;
    await generator.run({ ...job, timestamp: start });
    for (const { name, url } of peers) {
      process.stderr.write(`promql: sending ${hosts} hosts x ${steps} steps of ${CLUSTER} to ${name}\n`);
      await remoteWrite(url, { hosts, threads, steps, frequency, start });
    }
    const own = { name: 'server', url: `http://127.0.0.1:${server.port}` };
    const asked: Asked[] = [];
    for (const peer of [own, ...peers]) {
      const { hostname, port } = new URL(peer.url);
      asked.push({ peer, connection: await Connection.open(Number(port), { host: hostname }), figures: [] });
    }
    for (const question of questions(start, start + (steps - 1) * frequency)) {
      process.stderr.write(`promql: ${question.label}\n`);
      await measure(question, asked, load.repetitions);
    }
    for (const question of columns(load, start)) await measure(question, asked.slice(0, 1), load.repetitions);
    // Last: the generator's values would be others than those of the peers.
    asked[0]?.figures.push(...(await promqlLoad(options, generator, load)));
    for (const { connection } of asked) connection.close();
    return asked.map(({ peer, figures }) => ({ name: peer.name, command: peer.url, figures }));
  } finally {
    await server.discard();
  }
}

/** Asks each server once, cold, and then all of them in turn. */
async function measure(question: Question, asked: readonly Asked[], repetitions: number): Promise<void> {
  const latencies = asked.map(() => new Float64Array(repetitions));
  const cold: number[] = [];
  for (const one of asked) cold.push(await ask(one, question));
  for (let i = 0; i < repetitions; i++) {
    for (const [number, one] of asked.entries()) {
      const times = latencies[number];
      if (times !== undefined) times[i] = await ask(one, question);
    }
  }
  for (const [number, { figures }] of asked.entries()) {
    const { key, label } = question;
    const value = percentile(latencies[number] ?? [], 0.5);
    figures.push({ key: `promql_${key}`, label: `promql: ${label}`, unit: 'ms p50', value, better: 'less' });
    const first = cold[number] ?? Number.NaN;
    figures.push({ key: `promql_${key}_cold`, label: '  the first time', unit: 'ms', value: first, better: 'less' });
  }
}
