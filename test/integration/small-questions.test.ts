/**
 * Small questions while the worker stores, many of both at once: every answer has what was acknowledged before it was asked,
 * and nothing that was not sent.
 */
import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { query, type Series, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const T0 = Math.floor(Date.now() / 60_000) * 60 - 86_400;
const THREADS = 40;
const METRICS = ['flops', 'load'];
const HOSTS = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5'];
const STEPS = 400;
const LAST = 10;

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer({
    metrics: Object.fromEntries(METRICS.map((metric) => [metric, { frequency: 60, aggregation: 'sum' }])),
    // Several partitions, and checkpoints in between.
    'metric-store': {
      'retention-in-memory': '48h',
      'memory-cap': 12,
      checkpoints: { directory: './var', 'max-wal-size': 1 << 20 },
    },
  });
});
afterAll(() => server.stop());

/** Of thread number `thread`. */
function valueAt(host: number, metric: number, step: number, thread: number): number {
  return host * 10 + metric + ((step * 7 + thread) % 100);
}

/** Of the node: its threads added up. */
const sums = new Map<string, number>();
function sumAt(host: number, metric: number, step: number): number {
  const key = `${host} ${metric} ${step}`;
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = 0;
    for (let thread = 0; thread < THREADS; thread++) sum += valueAt(host, metric, step, thread);
    sums.set(key, sum);
  }
  return sum;
}

function body(host: number, step: number): string {
  let text = '';
  for (let thread = 0; thread < THREADS; thread++) {
    for (const [i, metric] of METRICS.entries()) {
      const tags = `cluster=c,hostname=${HOSTS[host]},type=hwthread,type-id=${thread}`;
      text += `${metric},${tags} value=${valueAt(host, i, step, thread)} ${T0 + 60 * step}\n`;
    }
  }
  return text;
}

/** Compares a node's answer with what was sent. @param until steps that must be there. */
function check(series: Series | undefined, host: number, metric: number, until: number): void {
  if (!series?.data) throw new Error(`nothing of ${HOSTS[host]}, of which ${until} steps are stored`);
  const first = Math.round((series.from - T0) / 60);
  expect(first + series.data.length).toBeGreaterThanOrEqual(until);
  for (const [i, value] of series.data.entries()) {
    const expected = sumAt(host, metric, first + i);
    // Newer steps may be on their way: all of their threads count, or none.
    if (value === expected || (value === null && first + i >= until)) continue;
    expect.fail(`${HOSTS[host]}, step ${first + i} of ${until}: ${value} instead of ${expected}`);
  }
}

it('sees every write that was acknowledged, and never half of a step', async () => {
  const stored = HOSTS.map(() => 0);
  const range = (until: number) => ({ cluster: 'c', from: T0 + 60 * Math.max(0, until - LAST), to: T0 + 60 * STEPS });
  let looks = 0;

  async function collector(host: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let step = 0; step < STEPS; step++) {
      expect((await write(server.port, body(host, step), '/api/write', agent)).status).toBe(200);
      stored[host] = step + 1;
      if (step % 4 !== host % 4) continue;
      const queries = METRICS.map((metric) => ({ metric, host: HOSTS[host] }));
      const { results } = await query(server.port, { ...range(step + 1), queries });
      for (const metric of METRICS.keys()) check(results[metric]?.[0], host, metric, step + 1);
    }
    agent.destroy();
  }

  async function viewer(): Promise<void> {
    while (stored.some((steps) => steps < STEPS)) {
      const before = [...stored];
      const { queries, results } = await query(server.port, {
        ...range(Math.min(...before)),
        'for-all-nodes': METRICS,
      });
      for (const [i, asked] of (queries ?? []).entries()) {
        const host = HOSTS.indexOf(asked.host);
        check(results[i]?.[0], host, METRICS.indexOf(asked.metric), before[host] ?? 0);
      }
      looks++;
    }
  }

  await Promise.all([...HOSTS.keys()].map(collector).concat(viewer(), viewer()));
  expect(looks).toBeGreaterThan(50);
});
