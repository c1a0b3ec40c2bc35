/** Queries that mean harm, while collectors write: all are answered within their limits, and no write is lost or refused. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask } from '../support/client.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const HOSTS = 6;
const THREADS = 60;
const MINUTES = 180;
/** Bytes that rows of all queries may take, in MB. */
const MAX_MEMORY = 32;
/** A query that runs and one that waits have their place; each further one is sent away. */
const MAX_QUERIES = 4;

const config = {
  metrics: { flops: { frequency: 60, aggregation: 'sum' }, live: { frequency: 1, aggregation: null } },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 1, 'num-workers': 2 },
  promql: { 'max-memory': MAX_MEMORY, 'max-samples': 2_000_000, 'max-queries': MAX_QUERIES, timeout: '3s' },
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

type Parameters = Record<string, string>;

const range = (query: string, step = '1', more: Parameters = {}): [string, Parameters] => [
  '/api/v1/query_range',
  { query, start: String(TIME - 7200), end: String(TIME - 7200 + 10_999), step, ...more },
];
const instant = (query: string): [string, Parameters] => ['/api/v1/query', { query, time: String(TIME + 3600) }];

/** Over GET some would be longer than a head may be. */
const form = ([route, parameters]: [string, Parameters]): Promise<Answer> =>
  ask(server.port, route, {
    body: new URLSearchParams(parameters).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

const words = Array.from({ length: 20_000 }, (_, i) => i)
  .join('|')
  .slice(0, 50_000);
const TOO_MANY = /^query processing would load too many samples into memory in query execution$/;
const TOO_LARGE =
  /parse error: regular expressions are too large: about \d+ instructions, expected at most 10000 in a query$/;
/** Twenty expressions, one beside the other. */
const many = (expression: (i: number) => string) => Array.from({ length: 20 }, (_, i) => expression(i)).join(' or ');
/** No error. */
const NONE = /^$/;

const queries: [name: string, asked: [string, Parameters], status: number, error: RegExp][] = [
  ['11 000 steps of all series', range('flops'), 422, TOO_MANY],
  ['windows that hold all, at 11 000 steps', range('stddev_over_time(flops[3h])'), 422, TOO_MANY],
  [
    'the same, added up: hundreds of millions of samples',
    range('sum(stddev_over_time(flops[3h]))', '1', { timeout: '100ms' }),
    503,
    /^query timed out in expression evaluation$/,
  ],
  [
    'a subquery of a million steps',
    range('max_over_time(sum(flops)[10000s:10ms])', '1000'),
    422,
    /^subquery has \d+ steps, expected at most 1000000$/,
  ],
  ['raw samples of everything', instant('flops[30d]'), 200, NONE],
  ['every pair of series', range('flops + on () group_left flops', '1000'), 422, /many-to-many matching not allowed/],
  ['many labels', instant('count_values("v", flops)'), 200, NONE],
  ['an expression that takes others long', instant('flops{hostname=~"(h+)+$"}'), 200, NONE],
  ['a regular expression of 10 000 words', instant(`flops{hostname=~"${words}"}`), 200, NONE],
  [
    'a repetition of repetitions',
    instant('flops{hostname=~"((a{100}){100}){100}"}'),
    400,
    /invalid repeat count|too large/,
  ],
  ['a short expression that is a long program', instant('flops{hostname=~"((x.?y|z.*){99}){99}"}'), 400, TOO_LARGE],
  ['many that are long together', instant(many((i) => `flops{hostname=~"${i}.{999}"}`)), 400, TOO_LARGE],
  ['the same for labels', instant(many((i) => `label_replace(flops,"a","","type","${i}.{999}")`)), 400, TOO_LARGE],
  ['one that is as long as it may be', instant('flops{hostname=~".{9990}"}'), 400, /invalid repeat count/],
  ['one that takes long for each name', instant(`flops{hostname=~"${'.?'.repeat(4900)}x"}`), 200, NONE],
  ['10 000 parentheses', instant(`${'('.repeat(10_000)}1${')'.repeat(10_000)}`), 400, /nest|deep|level/],
  ['200 parentheses', instant(`${'('.repeat(200)}1${')'.repeat(200)}`), 200, NONE],
  ['1 000 signs', instant(`${'-'.repeat(1000)}1`), 400, /nest|deep|level/],
  ['a long sum', instant(Array.from({ length: 5000 }, () => '1').join('+')), 400, /nest|deep|level/],
];

const errorOf = ({ body }: Answer): string => (JSON.parse(body) as { error?: string }).error ?? '';

/** Two collectors that write without a pause. */
class Collectors {
  private isOver = false;
  private readonly hosts = ['w0', 'w1'];
  /** Writes of each that were answered. */
  readonly written = this.hosts.map(() => 0);
  private readonly statuses = new Set<number>();
  private readonly running = this.hosts.map((host, at) => this.write(host, at));

  private async write(host: string, at: number): Promise<void> {
    for (let i = 0; !this.isOver; i++) {
      const body = `live,cluster=c,hostname=${host} value=${i} ${TIME + i}\n`;
      this.statuses.add((await ask(server.port, '/api/write', { body })).status);
      this.written[at] = i + 1;
    }
  }

  get total(): number {
    return this.written.reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<number[]> {
    this.isOver = true;
    await Promise.all(this.running);
    return [...this.statuses];
  }
}

let collectors: Collectors;

describe('hostile queries, while collectors write,', () => {
  beforeAll(() => {
    collectors = new Collectors();
  });

  it.each(queries)('%s: alone it gets its own answer', async (_, asked, status, error) => {
    const answer = await form(asked);
    expect([answer.status, errorOf(answer)]).toEqual([status, expect.stringMatching(error)]);
  });

  it('do not hold writes up, however long they run', async () => {
    const before = collectors.total;
    // All threads are at it for seconds, or until its time is over.
    const { status } = await form(range('sum(stddev_over_time(flops[3h]))'));
    expect([200, 503]).toContain(status);
    // Whoever is held up gets one answer each, to what was sent before.
    expect(collectors.total - before).toBeGreaterThan(6);
  });

  it('are sent away with Retry-After when they are too many, and all others get the same answers; memory stays bounded', async () => {
    resetPeak();
    const before = resident('VmRSS');
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(queries.map(([, asked]) => form(asked)));
      let sentAway = 0;
      for (const [index, answer] of answers.entries()) {
        const [name, , status, error] = queries[index] ?? [];
        const text = errorOf(answer);
        if (answer.headers['retry-after'] !== undefined) {
          expect([answer.status, text], name).toEqual([503, expect.stringMatching(/^as many queries run as may/)]);
          sentAway++;
        } else if (text !== 'query timed out in expression evaluation') {
          // Beside each other some have less than all of the memory.
          const other = TOO_MANY.test(text) ? [422, text] : [status, expect.stringMatching(error ?? '')];
          expect([answer.status, text], name).toEqual(other);
        }
      }
      // A place is free a moment after its answer is out, so those of the round before may still be taken; as many may wait.
      expect(sentAway).toBeLessThanOrEqual(queries.length - MAX_QUERIES);
    }
    // Rows of all queries, the answers on their way, and what V8 has not collected yet.
    expect(resident('VmHWM') - before).toBeLessThan(200e6);
  });

  it('have not cost a write: all were taken, and all are there', async () => {
    expect(await collectors.stop()).toEqual([200]);
    const [, parameters] = instant('sum by (hostname) (count_over_time(live[2d]))');
    const last = String(TIME + 86_400);
    const { body } = await form(['/api/v1/query', { ...parameters, time: last }]);
    const { result } = (JSON.parse(body) as { data: { result: { value: [number, string] }[] } }).data;
    expect(result.map(({ value }) => Number(value[1]))).toEqual(collectors.written);
  });

  it('leave nothing behind: afterwards a query has all of the memory', async () => {
    // Nearly all of what rows may take.
    const answer = await form(range('flops{hostname="h0"}', '2'));
    expect(answer.status, answer.body.slice(0, 200)).toBe(200);
    const metrics = (await ask(server.port, '/metrics')).body;
    expect(metrics).toMatch(/ccms_promql_refused_total\{reason="limit"\} [1-9]/);
    expect(metrics).toMatch(/ccms_promql_samples_total [1-9]/);
  });

  it('end when their client leaves', async () => {
    const [route, parameters] = range('sum(stddev_over_time(flops[3h]))');
    const leaving = new AbortController();
    const url = `${server.url}${route}?${new URLSearchParams(parameters)}`;
    const gone = fetch(url, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 50);
    await expect(gone).rejects.toThrow();
    // One that ran on would end as timed out.
    await until(async () =>
      (await ask(server.port, '/metrics')).body.includes('ccms_promql_refused_total{reason="canceled"} 1'),
    );
  });
});

/** Forgets the most memory that the server has had. */
function resetPeak(): void {
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
}

/** Bytes: those that the server has now, or the most since the reset. */
function resident(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}
