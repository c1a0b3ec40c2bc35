/**
 * The load generator, a process of its own: bodies are made ahead, in slices, and only the sending is timed. It keeps the state of each host, so
 * that a later job goes on where the last one ended.
 */
import { CLUSTER, hostBodies, seriesPerHost } from './mix.js';
import { Connection, requestBytes } from './wire.js';

export interface WriteJob {
  kind: 'write';
  port: number;
  hosts: number;
  threads: number;
  /** Unix seconds of the first step. */
  timestamp: number;
  steps: number;
  /** Seconds between steps. */
  frequency: number;
  connections: number;
}

export interface QueryJob {
  kind: 'query';
  port: number;
  /** JSON. */
  body: string;
  repetitions: number;
}

export type Job = WriteJob | QueryJob;

export interface JobResult {
  /** Lines sent; 0 for queries. */
  lines: number;
  /** Seconds of sending. */
  seconds: number;
  /** Milliseconds of each request. */
  latencies: Float64Array;
  /** Bytes of the last answer. */
  bytes: number;
  /** The last answer of a query. */
  answer: string;
}

/** Requests made ahead at a time: enough to keep the connections busy, few enough to fit in memory. */
const SLICE = 256;

const hosts: ((timestamp: number) => string)[] = [];

process.on('message', (job: Job) => {
  const work = job.kind === 'write' ? write(job) : query(job);
  work.then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});

async function write(job: WriteJob): Promise<JobResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.port)));
  const latencies: number[] = [];
  let seconds = 0;
  let slice: Buffer[] = [];
  const flush = async (): Promise<void> => {
    const began = performance.now();
    let next = 0;
    await Promise.all(
      connections.map(async (connection) => {
        for (let body = slice[next++]; body !== undefined; body = slice[next++]) {
          const answer = await connection.send(body, true);
          if (answer.status !== 200) throw new Error(`a write was answered ${answer.status}: ${answer.body}`);
          latencies.push(answer.milliseconds);
        }
      }),
    );
    seconds += (performance.now() - began) / 1000;
    slice = [];
  };
  while (hosts.length < job.hosts) hosts.push(hostBodies(hosts.length, job.threads));
  for (let step = 0; step < job.steps; step++) {
    const timestamp = job.timestamp + step * job.frequency;
    for (const body of hosts.slice(0, job.hosts)) {
      slice.push(requestBytes('POST', `/api/write/?cluster=${CLUSTER}`, body(timestamp)));
      if (slice.length >= SLICE) await flush();
    }
  }
  await flush();
  for (const connection of connections) connection.close();
  const lines = job.steps * job.hosts * seriesPerHost(job.threads);
  return { lines, seconds, latencies: Float64Array.from(latencies), bytes: 0, answer: '' };
}

async function query({ port, body, repetitions }: QueryJob): Promise<JobResult> {
  const connection = await Connection.open(port);
  const request = requestBytes('GET', '/api/query?version=v2', body);
  // Once untimed, to look at the answer: an empty one is fast but no measurement.
  const { body: answer } = await connection.send(request, true);
  const latencies = new Float64Array(repetitions);
  const began = performance.now();
  let bytes = 0;
  for (let i = 0; i < repetitions; i++) {
    const { status, milliseconds, bytes: length } = await connection.send(request);
    if (status !== 200) throw new Error(`a query was answered ${status}: ${body.slice(0, 200)}`);
    latencies[i] = milliseconds;
    bytes = length;
  }
  const seconds = (performance.now() - began) / 1000;
  connection.close();
  return { lines: 0, seconds, latencies, bytes, answer };
}
