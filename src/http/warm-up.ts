/**
 * Asks the server's own code hundreds of questions, once it has data and time. V8 compiles a function when it is first
 * called and optimises it after many calls, JavaScript and Wasm alike: without this the first question of a user takes 5 ms
 * and the first hundreds longer than later ones. The questions come over a connection to the server's own port, as
 * everybody's do, only past authentication and telemetry; they are what users ask, about one node that is there.
 *
 * After a start collectors deliver what they could not while the server was down. That comes first: the questions wait until
 * the main thread has time, and each round of them until nobody else is being served.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Store } from '../store/store.js';
import { ask, type Question } from './connection/self-client.js';

/** Rounds of all questions, enough for V8 to optimise the core; then of short ones, enough for what every request passes. */
const LONG_ROUNDS = 20;
const SHORT_ROUNDS = 600;
/** Milliseconds after which no further question is asked. */
const LIMIT = 1000;
/** Milliseconds to wait when somebody else is being served. */
const PAUSE = 200;
/** Metrics of one question. */
const METRICS = 5;
const LAST_MINUTES = 600;
const COARSE = 600;
const PROMQL_STEP = '60';
/** Seconds of the longest questions: an entry is made in one step, which writes wait for. */
const DAY = 86_400;

/** Milliseconds between two looks at whether there is time, and data; without data they become rarer. */
const LOOK = { often: 1000, rarely: 60_000 };
/** Share of the time between two looks that the main thread has been busy, from which on it has none. */
const BUSY = 0.2;

export interface WarmUpOptions {
  store: Pick<Store, 'clusters'>;
  /** Names of the metrics that the config knows. */
  metrics: readonly string[];
  retentionSeconds: number;
  /** A connection on which requests need no token and are not counted. */
  connect(): Promise<Socket>;
  /** Whether somebody else is being served. */
  isBusy(): boolean;
  /** Told why it did not come to its end; it is tried again. */
  failed(error: unknown): void;
  /** Milliseconds: between two looks, and after which no further question is asked. */
  look?: { often: number; rarely: number; limit?: number };
}

/** A node of the cluster; undefined: there is none. */
async function findHost(socket: Socket, cluster: string, metric: string, now: number): Promise<string | undefined> {
  const answer = await ask(socket, { cluster, from: now - 1, to: now, 'for-all-nodes': [metric] });
  // The answer begins with the queries that were made.
  const name = /"host":("(?:[^"\\]|\\.)*")/.exec(answer.toString())?.[1];
  return name === undefined ? undefined : (JSON.parse(name) as string);
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

/** What Grafana asks, of the longest range as well: it reads the modules of PromQL, which a start does without. */
function promqlQuestions(cluster: string, host: string, metric: string, from: number, to: number): string[] {
  const [name, ...labels] = [metric, cluster, host].map((text) => JSON.stringify(text));
  const selector = `{__name__=${name},cluster=${labels[0]},hostname=${labels[1]}}`;
  const path = (route: string, parameters: Record<string, string>): string =>
    `/api/v1/${route}?${new URLSearchParams(parameters)}`;
  const times = { start: String(from), end: String(to), step: PROMQL_STEP };
  return [
    path('query', { query: `sum by (hostname) (${selector}) / 2`, time: times.end }),
    path('query_range', { query: `avg_over_time(${selector}[10m])`, ...times }),
    path('label/hostname/values', { 'match[]': selector }),
  ];
}

/** Asks the questions. @returns whether there was a node to ask about. Rejects when one was not answered. */
async function askAbout(
  cluster: string,
  options: WarmUpOptions,
  socket: Socket,
  signal: AbortSignal,
): Promise<boolean> {
  const now = Math.floor(Date.now() / 1000);
  const metrics = options.metrics.slice(0, METRICS);
  const [metric] = metrics;
  const host = metric === undefined ? undefined : await findHost(socket, cluster, metric, now);
  if (metric === undefined || host === undefined) return false;
  const short = shortQuestions(cluster, host, metrics, now);
  const from = now - Math.min(options.retentionSeconds, DAY);
  const long: Question[] = longQuestions(cluster, host, metrics, from, now);
  long.push(...promqlQuestions(cluster, host, metric, from, now));
  const limit = options.look?.limit ?? LIMIT;
  let spent = 0;
  for (let round = 0; round < LONG_ROUNDS + SHORT_ROUNDS && spent < limit; round++) {
    // The last answer is off the server's hands only a little after the client has it.
    await setImmediate();
    while (options.isBusy()) await setTimeout(PAUSE, undefined, { ref: false, signal });
    for (const question of round < LONG_ROUNDS ? [...short, ...long] : short) {
      if (spent >= limit) break;
      const since = performance.now();
      await ask(socket, question);
      spent += performance.now() - since;
    }
  }
  return true;
}

/** Warms up now. @returns whether there was something to ask about. */
async function warmUp(options: WarmUpOptions, signal: AbortSignal): Promise<boolean> {
  const [cluster] = await options.store.clusters();
  if (cluster === undefined || signal.aborted) return false;
  const socket = await options.connect();
  try {
    return await askAbout(cluster, options, socket, signal);
  } finally {
    socket.destroy();
  }
}

/** Warms up once there is data and time. @returns what gives it up. */
export function warmUpWhenIdle(options: WarmUpOptions): () => void {
  const { often, rarely } = options.look ?? LOOK;
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const failed = (error: unknown): boolean => {
    if (!signal.aborted) options.failed(error);
    return false;
  };
  const run = async (): Promise<void> => {
    let before = performance.eventLoopUtilization();
    for (let wait = often; !signal.aborted; ) {
      // Rejects when it is given up.
      await setTimeout(wait, undefined, { ref: false, signal }).catch(() => {});
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      if (utilization >= BUSY) wait = often;
      else if (await warmUp(options, signal).catch(failed)) return;
      else wait = Math.min(2 * wait, rarely);
    }
  };
  void run();
  return () => giveUp.abort();
}
