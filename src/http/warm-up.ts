/**
 * Asks the server's own code a few dozen questions, once it has data and time. V8 compiles a function when it is first
 * called and optimises it after many calls, JavaScript and Wasm alike: without this the first question of a user takes 5 ms
 * and the first hundreds longer than later ones. The requests go over a connection to itself, through Node's HTTP, Hono and
 * the workers, past authentication and telemetry; they ask what users ask, of one node that is there.
 *
 * After a start collectors deliver what they could not while the server was down. That comes first: the questions wait until
 * the main thread has time, and each round of them until nobody else is being served.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createListener, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Store } from '../core/store.js';

/** Rounds of all questions, enough for V8 to optimise the core; then of short ones, enough for what every request passes. */
const LONG_ROUNDS = 20;
const SHORT_ROUNDS = 600;
/** Milliseconds that all rounds may take together. */
const LIMIT = 1000;
/** Milliseconds to wait when somebody else is being served. */
const PAUSE = 200;
/** Metrics of one question. */
const METRICS = 5;
const LAST_MINUTES = 600;
const COARSE = 600;

/** Milliseconds between two looks at whether there is time, and data; without data they become rarer. */
const LOOK = { often: 1000, rarely: 60_000 };
/** Share of the time between two looks that the main thread has been busy, from which on it has none. */
const BUSY = 0.2;

export interface WarmUpOptions {
  store: Pick<Store, 'clusters'>;
  /** Names of the metrics that the config knows. */
  metrics: readonly string[];
  retentionSeconds: number;
  /** Answers requests, without authentication and without being counted. */
  listener(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** Whether somebody else is being served. */
  isBusy(): boolean;
  /** Told why it was given up. */
  failed(error: unknown): void;
  look?: { often: number; rarely: number };
}

/** Both ends of a connection to ourselves. Nobody else gets one: it bypasses authentication. */
async function connectToSelf(): Promise<{ near: Socket; far: Socket }> {
  const listener = createListener();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const near = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const far = new Promise<Socket>((resolve) => {
      listener.on('connection', (socket: Socket) => {
        if (socket.remotePort === near.localPort) resolve(socket);
        else socket.destroy();
      });
    });
    await once(near, 'connect');
    return { near, far: await far };
  } finally {
    listener.close();
  }
}

/** The body of a 200 answer; undefined: another answer. */
function ask(question: object, agent: Agent): Promise<string | undefined> {
  const body = JSON.stringify(question);
  return new Promise((resolve, reject) => {
    const asked = request({ method: 'GET', path: '/api/query', agent });
    asked.on('response', (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve(answer.statusCode === 200 ? Buffer.concat(parts).toString() : undefined));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.setHeader('Content-Length', Buffer.byteLength(body));
    asked.end(body);
  });
}

/** A node that the answer for all nodes names. */
function hostIn(answer: string): string | undefined {
  const { queries } = JSON.parse(answer) as { queries?: { host: string }[] };
  return queries?.[0]?.host;
}

/** What is asked again and again: a status page, and the last minutes of a node. */
function shortQuestions(cluster: string, host: string, metrics: readonly string[], to: number): object[] {
  const range = { cluster, from: to - LAST_MINUTES, to };
  const queries = metrics.map((metric) => ({ metric, host }));
  return [
    { ...range, 'for-all-nodes': metrics },
    { ...range, queries },
  ];
}

/** What the page of a job asks for: long ranges, all there is, coarse, and as statistics. */
function longQuestions(cluster: string, host: string, metrics: readonly string[], from: number, to: number): object[] {
  const range = { cluster, from, to, 'with-padding': false };
  const queries = metrics.map((metric) => ({ metric, host }));
  return [
    { ...range, queries: queries.slice(0, 1) },
    { ...range, queries },
    { ...range, queries: queries.map((query) => ({ ...query, resolution: COARSE })) },
    { ...range, queries, 'with-data': false },
  ];
}

/** Asks the questions. @returns whether all were answered. */
async function askAbout(cluster: string, options: WarmUpOptions, agent: Agent, signal: AbortSignal): Promise<boolean> {
  const now = Math.floor(Date.now() / 1000);
  const metrics = options.metrics.slice(0, METRICS);
  const nodes = await ask({ cluster, from: now - 1, to: now, 'for-all-nodes': metrics.slice(0, 1) }, agent);
  const host = nodes === undefined ? undefined : hostIn(nodes);
  if (host === undefined) return false;
  const short = shortQuestions(cluster, host, metrics, now);
  const long = longQuestions(cluster, host, metrics, now - options.retentionSeconds, now);
  let spent = 0;
  for (let round = 0; round < LONG_ROUNDS + SHORT_ROUNDS && spent < LIMIT; round++) {
    while (options.isBusy()) await setTimeout(PAUSE, undefined, { ref: false, signal });
    const since = performance.now();
    for (const question of round < LONG_ROUNDS ? [...short, ...long] : short) {
      if ((await ask(question, agent)) === undefined) return false;
    }
    spent += performance.now() - since;
  }
  return true;
}

/** Warms up now. @returns whether there was something to ask about. */
async function warmUp(options: WarmUpOptions, signal: AbortSignal): Promise<boolean> {
  const [cluster] = await options.store.clusters();
  if (cluster === undefined) return false;
  const { near, far } = await connectToSelf();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => near;
  try {
    // It may have to wait between two requests.
    createServer({ keepAliveTimeout: 0 }, options.listener).emit('connection', far);
    return await askAbout(cluster, options, agent, signal);
  } finally {
    near.destroy();
  }
}

/** Warms up once there is data and time. @returns what gives it up. */
export function warmUpWhenIdle(options: WarmUpOptions): () => void {
  const { often, rarely } = options.look ?? LOOK;
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const run = async (): Promise<void> => {
    let before = performance.eventLoopUtilization();
    for (let wait = often; ; ) {
      await setTimeout(wait, undefined, { ref: false, signal });
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      if (utilization >= BUSY) wait = often;
      else if (await warmUp(options, signal)) return;
      else wait = Math.min(2 * wait, rarely);
    }
  };
  run().catch((error: unknown) => {
    if (!signal.aborted) options.failed(error);
  });
  return () => giveUp.abort();
}
