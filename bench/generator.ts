/**
 * The load generator, a process of its own: bodies are made ahead, in slices, and only the sending is timed. It keeps the state of each host, so
 * that a later job goes on where the last one ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BodyForm, CLUSTER, hostBodies, seriesPerHost } from './mix.js';
import { type Access, Connection, EMPTY_QUERY, requestBytes, tokenHeader } from './wire.js';

export interface WriteJob {
  kind: 'write';
  port: number;
  /** Absent: plain, and without a token. */
  access?: Access;
  /** Default: lines of one field. */
  form?: BodyForm;
  hosts: number;
  threads: number;
  /** Unix seconds of the first step. */
  timestamp: number;
  steps: number;
  /** Seconds between steps. */
  frequency: number;
  connections: number;
  /** Seconds over which the bodies of a step are spread, each sent when it is due. Absent: one after the other, as fast as answers come. */
  spread?: number;
}

export interface QueryJob {
  kind: 'query';
  port: number;
  /** JSON. */
  body: string;
  repetitions: number;
}

/** Opens connections, which later writes to the same port use until the generator ends. */
export interface ConnectJob {
  kind: 'connect';
  port: number;
  connections: number;
  access?: Access;
}

export type Job = WriteJob | QueryJob | ConnectJob;

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

/** Requests made ahead at a time: enough to keep the connections busy, few enough to fit in memory; one a connection, if these are more. */
const SLICE = 256;
const CONNECT_AT_ONCE = 100;

/** What the hosts send, by form. */
const hosts: Record<BodyForm, ((timestamp: number) => string)[]> = { value: [], fields: [] };
const PATHS: Record<BodyForm, string> = {
  value: `/api/write/?cluster=${CLUSTER}`,
  fields: `/api/write/?cluster=${CLUSTER}&fields=all`,
};

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'connect':
      return connectFirst(job);
    case 'write':
      return write(job);
    case 'query':
      return query(job);
  }
}

const kept: { port: number; connections: Connection[] } = { port: 0, connections: [] };

async function connectFirst({ port, connections, access }: ConnectJob): Promise<JobResult> {
  kept.port = port;
  kept.connections = await open(port, connections, access);
  // A connection that has asked nothing yet is cut after seconds, and making bodies takes longer.
  const hello = requestBytes('GET', '/api/query', EMPTY_QUERY, tokenHeader(access));
  await Promise.all(kept.connections.map((connection) => connection.send(hello)));
  return { lines: 0, seconds: 0, latencies: new Float64Array(), bytes: 0, answer: '' };
}

/** A few at a time: a listening socket queues 511 at most. */
async function open(port: number, count: number, access?: Access): Promise<Connection[]> {
  const connections: Connection[] = [];
  while (connections.length < count) {
    const some = Math.min(CONNECT_AT_ONCE, count - connections.length);
    const opened = Array.from({ length: some }, () => Connection.open(port, { tls: access?.tls }));
    connections.push(...(await Promise.all(opened)));
  }
  return connections;
}

async function write(job: WriteJob): Promise<JobResult> {
  const { access, form = 'value' } = job;
  const known = hosts[form];
  while (known.length < job.hosts) known.push(hostBodies(known.length, job.threads, form));
  const bodies = known.slice(0, job.hosts);
  /** The requests of one step, each made when it is asked for. */
  function* requests(step: number): Generator<Buffer> {
    const timestamp = job.timestamp + step * job.frequency;
    for (const body of bodies) yield requestBytes('POST', PATHS[form], body(timestamp), tokenHeader(access));
  }
  const isKept = kept.port === job.port;
  const connections = isKept ? kept.connections : await open(job.port, job.connections, access);
  const latencies: number[] = [];
  const send = async (connection: Connection, request: Buffer): Promise<void> => {
    const answer = await connection.send(request, true);
    if (answer.status !== 200) throw new Error(`a write was answered ${answer.status}: ${answer.body}`);
    latencies.push(answer.milliseconds);
  };
  const seconds = await (job.spread === undefined
    ? flatOut(connections, send, requests, job.steps)
    : paced(connections, send, requests, job));
  if (!isKept) for (const connection of connections) connection.close();
  const lines = job.steps * job.hosts * seriesPerHost(job.threads);
  return { lines, seconds, latencies: Float64Array.from(latencies), bytes: 0, answer: '' };
}

type Send = (connection: Connection, request: Buffer) => Promise<void>;
type Requests = (step: number) => Iterable<Buffer>;

/** Each connection sends its next request once the last one is answered. @returns seconds of sending. */
async function flatOut(
  connections: readonly Connection[],
  send: Send,
  requests: Requests,
  steps: number,
): Promise<number> {
  let seconds = 0;
  let slice: Buffer[] = [];
  const flush = async (): Promise<void> => {
    const began = performance.now();
    let next = 0;
    await Promise.all(
      connections.map(async (connection) => {
        for (let request = slice[next++]; request !== undefined; request = slice[next++])
          await send(connection, request);
      }),
    );
    seconds += (performance.now() - began) / 1000;
    slice = [];
  };
  const size = Math.max(SLICE, connections.length);
  for (let step = 0; step < steps; step++) {
    for (const request of requests(step)) {
      slice.push(request);
      if (slice.length >= size) await flush();
    }
  }
  await flush();
  return seconds;
}

/** Each request is made and sent when it is due; a host has a connection of its own. @returns seconds of sending. */
async function paced(
  connections: readonly Connection[],
  send: Send,
  requests: Requests,
  job: WriteJob,
): Promise<number> {
  const { spread = 0, hosts, steps } = job;
  const began = performance.now();
  const sent: Promise<void>[] = [];
  for (let step = 0; step < steps; step++) {
    let host = 0;
    for (const request of requests(step)) {
      const due = began + (step + host / hosts) * spread * 1000;
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      const at = host++ % connections.length;
      const connection = connections[at];
      // A connection takes one request at a time.
      if (connection) sent[at] = (sent[at] ?? Promise.resolve()).then(() => send(connection, request));
    }
  }
  await Promise.all(sent);
  return (performance.now() - began) / 1000;
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
