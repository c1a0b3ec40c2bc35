/** Queries that mean harm, while collectors write: all are answered within their limits, and no write is lost or refused. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const HOSTS = 6;
const THREADS = 60;
const MINUTES = 180;
/** Bytes that rows of all queries may take, in MB. */
const MAX_MEMORY = 32;

const config = {
  metrics: { flops: { frequency: 60, aggregation: 'sum' }, live: { frequency: 1, aggregation: null } },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 1, 'num-workers': 2 },
  promql: { 'max-memory': MAX_MEMORY, 'max-samples': 2_000_000, 'max-queries': 4, timeout: '3s' },
};

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(config);
  for (let host = 0; host < HOSTS; host++) {
    let text = '';
    for (let minute = 0; minute < MINUTES; minute++) {
      for (let thread = 0; thread < THREADS; thread++) {
        text += `flops,cluster=c,hostname=h${host},type=hwthread,type-id=${thread} value=${minute * thread} ${TIME + 60 * minute - 7200}\n`;
      }
    }
    expect((await ask(server.port, '/api/write', { body: text })).status).toBe(200);
  }
});
afterAll(() => server.stop());

const range = (query: string, step = '1') =>
  `/api/v1/query_range?${new URLSearchParams({ query, start: String(TIME - 7200), end: String(TIME - 7200 + 10_999), step })}`;
const instant = (query: string) => `/api/v1/query?${new URLSearchParams({ query })}`;

const queries: [name: string, path: string, status: number[]][] = [
  ['11 000 steps of all series', range('flops'), [422]],
  ['windows that hold all, at 11 000 steps', range('stddev_over_time(flops[3h])'), [422, 503]],
  ['the same, added up', range('sum(stddev_over_time(flops[3h]))'), [200, 503]],
  ['a subquery of a million steps', range('max_over_time(sum(flops)[10000s:10ms])', '1000'), [422, 503]],
  ['raw samples of everything', instant('flops[30d]'), [200, 422]],
  ['every pair of series', range('flops + on () group_left flops', '1000'), [422]],
  ['many labels', instant('count_values("v", flops)'), [200]],
  ['an expression that takes others long', instant('flops{hostname=~"(h+)+$"}'), [200]],
  [
    'a regular expression of 20 000 words',
    instant(
      `flops{hostname=~"${Array.from({ length: 20_000 }, (_, i) => i)
        .join('|')
        .slice(0, 50_000)}"}`,
    ),
    [200],
  ],
  ['a repetition of repetitions', instant('flops{hostname=~"((a{100}){100}){100}"}'), [200, 400]],
  ['10 000 parentheses', instant(`${'('.repeat(10_000)}1${')'.repeat(10_000)}`), [400]],
  ['200 parentheses', instant(`${'('.repeat(200)}1${')'.repeat(200)}`), [200]],
  ['1 000 signs', instant(`${'-'.repeat(1000)}1`), [200, 400]],
  ['a long sum', instant(Array.from({ length: 5000 }, () => '1').join('+')), [200, 400]],
];

describe('hostile queries', () => {
  it('are answered within their limits, while all writes are taken', async () => {
    let isOver = false;
    let written = 0;
    const statuses = new Set<number>();
    const writer = async (host: string): Promise<void> => {
      for (let i = 0; !isOver; i++) {
        const body = `live,cluster=c,hostname=${host} value=${i} ${TIME + i}\n`;
        statuses.add((await ask(server.port, '/api/write', { body })).status);
        written++;
      }
    };
    const writers = [writer('w0'), writer('w1')];
    const before = resident();
    // Over GET they would be longer than a head may be.
    const form = (path: string) => {
      const [route = '', body = ''] = path.split('?', 2);
      return ask(server.port, route, { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    };
    for (let round = 0; round < 2; round++) {
      const asked = queries.map(async ([name, path, expected]) => {
        const { status, body } = await form(path);
        const error = (JSON.parse(body) as { error?: string }).error ?? '';
        // Of so many at once some wait, and some are sent away.
        expect([...expected, 503], `${name}: ${error.slice(0, 200)}`).toContain(status);
        if (status !== 200) expect(error, name).not.toBe('');
      });
      await Promise.all(asked);
    }
    isOver = true;
    await Promise.all(writers);
    expect([...statuses]).toEqual([200]);
    expect(written).toBeGreaterThan(10);
    // Rows of all queries, answers on their way, and what V8 has not collected yet.
    expect(resident() - before).toBeLessThan(600e6);
  });

  it('leave nothing behind: afterwards a query has all of the memory', async () => {
    // Nearly all of what rows may take.
    const answer = await ask(server.port, range('flops{hostname="h0"}', '2'));
    expect(answer.status, answer.body.slice(0, 200)).toBe(200);
    const metrics = (await ask(server.port, '/metrics')).body;
    expect(metrics).toMatch(/ccms_promql_refused_total\{reason="limit"\} [1-9]/);
    expect(metrics).toMatch(/ccms_promql_samples_total [1-9]/);
  });

  it('end when their client leaves', async () => {
    const leaving = new AbortController();
    const gone = fetch(`${server.url}${range('sum(stddev_over_time(flops[3h]))')}`, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 50);
    await expect(gone).rejects.toThrow();
    // All places are free again before any query could have come to its end by itself.
    const all = await Promise.all(Array.from({ length: 8 }, () => ask(server.port, instant('1'))));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  });
});

function resident(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
