/**
 * Sends the simulated cluster's batches.
 *
 *     start ── backfill: as fast as allowed ──▶ now ── live: each node once an interval, spread over it ──▶ stopped
 *
 * A few senders (one a connection) take the batches in order of time; a node's next batch may overtake its last one only if that one is being
 * sent again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SimulatedNode, simulatedNodes } from './cluster.js';
import type { Options } from './options.js';
import type { Poster } from './post.js';
import type { Tally } from './tally.js';

/** The server refuses what no retry can mend: a wrong token, a wrong address. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Longest pause before a batch is sent again, in milliseconds. */
const LONGEST_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
/** How long ago a dead node has fallen silent, in seconds, if there is time for that; at least so many steps after the first. */
const DEAD_SECONDS = 2400;
const FEW_STEPS = 5;
/** Steps that a late node is behind. */
const LATE_STEPS = 3;

interface Job {
  node: SimulatedNode;
  /** Unix seconds of its samples. */
  timestamp: number;
  /** Unix milliseconds before which it must not be sent: its samples do not exist yet. */
  due: number;
}

/**
 * Runs until all steps are sent or `stop` is aborted; what is in flight then is still awaited.
 * @throws RefusedError, and the connection's error when the server was never reached
 */
export async function run(options: Options, poster: Poster, tally: Tally, stop: AbortSignal): Promise<void> {
  const jobs = schedule(options);
  const pace = pacer(options.rate);
  const halt = new AbortController();
  const stopped = (): void => halt.abort();
  stop.addEventListener('abort', stopped);
  if (stop.aborted) halt.abort();
  const send = async (): Promise<void> => {
    for (let job = jobs.next(); !job.done && !halt.signal.aborted; job = jobs.next()) {
      const { node, timestamp, due } = job.value;
      if (!(await pause(due - Date.now(), halt.signal))) return;
      if (!(await pause(pace(node.lines), halt.signal))) return;
      const { body, lines } = node.next(timestamp);
      await deliver(body, lines, poster, tally, halt.signal);
    }
  };
  try {
    // The first sender that fails ends the wait of the others, which would fail no better.
    const senders = Array.from({ length: options.connections }, () =>
      send().catch((error: unknown) => {
        stopped();
        throw error;
      }),
    );
    const results = await Promise.allSettled(senders);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    stop.removeEventListener('abort', stopped);
  }
}

/** Every node at every step, in order of time, but for what is wrong with it. Live batches of a step are spread evenly over the interval. */
function* schedule({ shape, interval, steps, start }: Options): Generator<Job, void> {
  const nodes = simulatedNodes(shape, interval);
  const now = Math.floor(Date.now() / 1000);
  const first = start ?? now;
  // Long enough ago to be seen as dead, and after some samples.
  const death = Math.max(first + FEW_STEPS * interval, now - Math.min(DEAD_SECONDS, (now - first) / 2));
  for (let step = 0; step < steps; step++) {
    const time = first + step * interval;
    for (const [index, node] of nodes.entries()) {
      if (node.state === 'dead' && time >= death) continue;
      const timestamp = node.state === 'late' ? time - LATE_STEPS * interval : time;
      yield { node, timestamp, due: time * 1000 + (index * interval * 1000) / nodes.length };
    }
  }
}

/** Tells how many milliseconds to wait before sending so many lines more, at `rate` lines a second on average. */
function pacer(rate: number): (lines: number) => number {
  if (rate <= 0) return () => 0;
  let free = performance.now();
  return (lines) => {
    const now = performance.now();
    // At most a second of unused rate is made up for.
    const turn = Math.max(free, now - 1000);
    free = turn + (lines * 1000) / rate;
    return turn - now;
  };
}

async function deliver(body: Buffer, lines: number, poster: Poster, tally: Tally, stop: AbortSignal): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    let retryAfterMs = 0;
    try {
      const { status, text, milliseconds, retryAfter } = await poster.post(body);
      tally.latencies.add(milliseconds);
      tally.bytes += body.length;
      if (status >= 200 && status < 300) {
        tally.accepted += lines;
        return;
      }
      const complaint = `${status} ${errorOf(text)}`;
      if (status === 401 || status === 403 || status === 404) throw new RefusedError(`the server answers ${complaint}`);
      tally.lastError = complaint;
      if (status !== 503 && status !== 429) {
        tally.refused += lines;
        return;
      }
      retryAfterMs = retryAfter * 1000;
    } catch (error) {
      // A server that was there before is probably being restarted; one that never was is a wrong address.
      if (error instanceof RefusedError || tally.bytes === 0) throw error;
      tally.lastError = error instanceof Error ? error.message : String(error);
    }
    if (!(await pause(Math.max(pauseMs, retryAfterMs), stop))) {
      tally.refused += lines;
      return;
    }
    tally.retries++;
  }
}

/** The `error` of the server's JSON answer, or the answer as it is. */
function errorOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not JSON: a proxy's page, perhaps.
  }
  return text.trim().slice(0, 200);
}

/** Waits; false when `stop` was aborted. */
async function pause(milliseconds: number, stop: AbortSignal): Promise<boolean> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined);
  return !stop.aborted;
}
