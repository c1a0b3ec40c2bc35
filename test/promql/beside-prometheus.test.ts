import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { type ApiAnswer, difference } from './beside/compare.js';
import { generateQueries } from './beside/generate.js';
import { type Prometheus, startPrometheus } from './beside/prometheus.js';
import { asLineProtocol, asOpenMetrics, frequencies, makeSeries } from './beside/samples.js';
import { written } from './beside/written.js';
import { corners } from './beside/written-corners.js';

/** A multiple of all steps, six hours ago. */
const start = Math.floor(Date.now() / 1000 / 7200) * 7200 - 6 * 3600;
const metrics = Object.fromEntries(
  Object.entries(frequencies).map(([name, frequency]) => [name, { frequency, aggregation: null }]),
);

let ours: ServerProcess;
let theirs: Prometheus;

interface Asked {
  query: string;
  path: string;
  parameters: Record<string, string>;
}

async function answer(url: string, { path, parameters }: Asked): Promise<ApiAnswer> {
  const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
  return (await response.json()) as ApiAnswer;
}

function instant(query: string, time: number): Asked {
  return { query, path: 'query', parameters: { query, time: String(time) } };
}

function range(query: string, from: number, to: number, step: number): Asked {
  const parameters = { query, start: String(from), end: String(to), step: String(step) };
  return { query, path: 'query_range', parameters };
}

/** Asks both, and lists what they disagree about. */
async function disagreements(asked: readonly Asked[]): Promise<string[]> {
  const found: string[] = [];
  for (const one of asked) {
    const [left, right] = await Promise.all([answer(ours.url, one), answer(theirs.url, one)]);
    const ordered = one.path === 'query' && /^(?:sort|topk|bottomk)/.test(one.query);
    const what = difference(left, right, ordered);
    if (what !== undefined) found.push(`${one.query} ${JSON.stringify(one.parameters)}: ${what}`);
  }
  return found;
}

beforeAll(async () => {
  const series = makeSeries(start);
  const store = { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 2 };
  [ours, theirs] = await Promise.all([
    startServer({ metrics, 'metric-store': store }),
    startPrometheus(asOpenMetrics(series)),
  ]);
  const stored = await fetch(`${ours.url}/api/write`, { method: 'POST', body: asLineProtocol(series) });
  expect(await stored.text()).toBe('');
});

afterAll(async () => {
  await Promise.all([ours.stop(), theirs.stop()]);
});

const HOUR = 3600;

describe('the same samples and queries as a real Prometheus', () => {
  it('give the same answers to 400 different queries that were written by hand, each at two times', async () => {
    const all = [...new Set([...written, ...corners])];
    expect(all.length).toBeGreaterThanOrEqual(400);
    const asked = all.flatMap((query, number) => [
      instant(query, start + 2 * HOUR),
      number % 2 === 0
        ? range(query, start + HOUR, start + 2 * HOUR, 300)
        : range(query, start - 600, start + 3 * HOUR + 600, 900),
    ]);
    expect(await disagreements(asked)).toEqual([]);
  });

  it('give the same answers to 1500 queries made at random', async () => {
    const count = process.env.CCMS_LONG === '1' ? 4000 : 1500;
    const random = seeded(16);
    const asked = generateQueries(count, 1611).map((query) => {
      const time = start + 5 * Math.floor((random() * 3.2 * HOUR) / 5);
      if (random() < 0.5) return instant(query, time);
      const step = 5 * Math.ceil(random() * 60);
      return range(query, time, time + step * Math.floor(random() * 40), step);
    });
    expect(await disagreements(asked)).toEqual([]);
  });
});
