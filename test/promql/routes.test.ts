import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { TEST_JWT, TEST_KEY } from './tokens.js';

/** The samples end here; Grafana's recorded requests ask about this time as well. */
const END = 1_725_827_400;
const MINUTES = 60;

const config = {
  metrics: {
    cpu_load: { frequency: 60, aggregation: null, unit: '1' },
    flops_any: { frequency: 60, aggregation: 'sum', unit: 'F/s' },
    net_bytes_total: { frequency: 60, aggregation: null },
    'mem-bw.total': { frequency: 60, aggregation: 'sum' },
  },
  'metric-store': { 'retention-in-memory': '100000h', 'memory-cap': 0, 'num-workers': 1 },
  promql: { 'max-memory': 4, 'max-queries': 2 },
};

function lines(): string {
  const text: string[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    const time = END - 60 * (MINUTES - 1 - minute);
    for (const host of ['a0001', 'a0002']) {
      const tags = `cluster=alex,hostname=${host}`;
      text.push(`cpu_load,${tags},type=node value=${minute % 7} ${time}`);
      text.push(`net_bytes_total,${tags},type=node value=${minute * 600} ${time}`);
      for (const thread of [0, 1]) {
        text.push(`flops_any,${tags},type=hwthread,type-id=${thread} value=${minute + thread / 4} ${time}`);
      }
    }
    text.push(`mem-bw.total,cluster=fritz,hostname=f1,type=socket,type-id=0,stype=channel,stype-id=3 value=8 ${time}`);
  }
  return text.join('\n');
}

let server: ServerProcess;

interface Answer {
  status: number;
  type: string | null;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are of many shapes
  json: any;
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    json: text === '' ? null : JSON.parse(text),
  };
}

function form(parameters: Record<string, string>): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: new URLSearchParams(parameters).toString(),
  };
}

/** So many different selectors with one regular expression each. */
function manySelectors(count: number, pattern: string): string {
  const all = new URLSearchParams();
  for (let i = 0; i < count; i++) all.append('match[]', `{hostname=~"${i}${pattern}"}`);
  return all.toString();
}

const instant = (query: string, more: Record<string, string> = {}) =>
  ask(`/api/v1/query?${new URLSearchParams({ query, time: String(END), ...more })}`);
const range = (query: string, more: Record<string, string> = {}) =>
  ask(
    `/api/v1/query_range?${new URLSearchParams({ query, start: String(END - 300), end: String(END), step: '60', ...more })}`,
  );

beforeAll(async () => {
  server = await startServer(config);
  const written = await fetch(`${server.url}/api/write`, { method: 'POST', body: lines() });
  expect(written.status).toBe(200);
});

afterAll(async () => {
  await server.stop();
});

describe('answers of queries, byte by byte', () => {
  it('are a vector', async () => {
    const { text, type } = await instant('cpu_load{hostname="a0001"}');
    expect(text).toBe(
      `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"cpu_load","cluster":"alex","hostname":"a0001","type":"node"},"value":[${END},"3"]}]}}`,
    );
    expect(type).toBe('application/json');
  });

  it('are a matrix, at times of milliseconds too', async () => {
    const { text } = await range('sum by (hostname) (flops_any{hostname="a0001"})', {
      start: `${END - 60}.5`,
      end: `${END}.75`,
    });
    expect(text).toBe(
      `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"hostname":"a0001"},"values":[[${END - 60}.500,"116.25"],[${END}.500,"118.25"]]}]}}`,
    );
  });

  it('are scalars and strings, whose time is a shortest number', async () => {
    expect((await instant('1 / 8', { time: '1700000000.05' })).text).toBe(
      '{"status":"success","data":{"resultType":"scalar","result":[1700000000.05,"0.125"]}}',
    );
    expect((await instant('0.00000015')).json.data.result[1]).toBe('0.00000015');
    expect((await instant('"ä\\n"')).text).toContain(`"resultType":"string","result":[${END},"ä\\n"]`);
  });

  it('have an empty list for nothing, and the samples own times for a range vector', async () => {
    expect((await instant('nothing')).text).toBe('{"status":"success","data":{"resultType":"vector","result":[]}}');
    expect((await range('nothing')).text).toBe('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    const { json } = await instant('cpu_load{hostname="a0001"}[2m]', { time: `${END + 10}` });
    expect(json.data.result[0].values).toEqual([
      [END - 60, '2'],
      [END, '3'],
    ]);
  });

  it('say infos, warnings and statistics behind the data', async () => {
    const { json } = await range('quantile(2, rate(cpu_load[5m]))', { stats: 'all' });
    expect(Object.keys(json)).toEqual(['status', 'data', 'warnings', 'infos']);
    expect(Object.keys(json.data)).toEqual(['resultType', 'result', 'stats']);
    expect(json.warnings).toEqual(['PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)']);
    expect(json.infos[0]).toMatch(/^PromQL info: metric might not be a counter.*"cpu_load" \(1:18\)$/);
    const { timings, samples } = json.data.stats;
    expect(Object.keys(timings)).toEqual([
      'evalTotalTime',
      'resultSortTime',
      'queryPreparationTime',
      'innerEvalTime',
      'execQueueTime',
      'execTotalTime',
    ]);
    expect(timings.execQueueTime).toBeGreaterThan(0);
    expect(timings.execTotalTime).toBeCloseTo(timings.execQueueTime + timings.evalTotalTime, 9);
    expect(samples.totalQueryableSamples).toBeGreaterThan(0);
  });

  it('have statistics for any text, with a warning for what Prometheus 4 will refuse', async () => {
    const { json } = await instant('cpu_load', { stats: '1' });
    expect(json.data.stats).toBeDefined();
    expect(json.warnings).toEqual([
      'value "1" for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"',
    ]);
    expect((await instant('cpu_load', { stats: 'true' })).json.warnings).toBeUndefined();
  });

  it.each([
    ['1725827400.0625', '[1725827400.063,"1725827400.063"]'],
    ['2024-09-08T22:30:00.25+02:00', '[1725827400.25,"1725827400.25"]'],
    // Grafana sends milliseconds as seconds; Go's client sends these two for no bound at all.
    ['1725827400000', '[1725827400000,"1725827400000"]'],
    ['-292273086-05-16T16:47:06Z', '[-9000000000000,"-9000000000000"]'],
    ['+292277025-08-18T07:12:54.999999999Z', '[9000000000000,"9000000000000"]'],
  ])('are for the time %s', async (time, result) => {
    expect((await instant('time()', { time })).text).toContain(`"result":${result}`);
  });

  it('are cut to a limit of series', async () => {
    const { json } = await instant('flops_any', { limit: '3' });
    expect(json.data.result).toHaveLength(3);
    expect(json.warnings).toEqual(['results truncated due to limit']);
    expect((await instant('flops_any', { limit: '4' })).json.warnings).toBeUndefined();
  });

  it('are the same for GET and for a form, whose parameters come first', async () => {
    const get = await instant('flops_any');
    const post = await ask('/api/v1/query/?query=cpu_load&custom=1', form({ query: 'flops_any', time: String(END) }));
    expect(post.text).toBe(get.text);
  });

  it('are compressed with gzip, and with nothing else', async () => {
    const plain = (await instant('flops_any')).text;
    for (const [accept, coding] of [
      ['gzip, deflate, br, zstd', 'gzip'],
      ['deflate, br, zstd', null],
      ['gzip;q=0', null],
    ] as const) {
      const url = `${server.url}/api/v1/query?query=flops_any&time=${END}`;
      const response = await fetch(url, { headers: { 'Accept-Encoding': accept } });
      expect(response.headers.get('content-encoding')).toBe(coding);
      expect(await response.text()).toBe(plain);
    }
  });

  it('have no body for HEAD', async () => {
    const response = await fetch(`${server.url}/api/v1/query?query=1`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });
});

describe('labels of series', () => {
  it('are those of the levels', async () => {
    const { json } = await ask(`/api/v1/series?match[]=${encodeURIComponent('{__name__=~".+"}')}`);
    expect(json.data).toHaveLength(9);
    expect(json.data).toContainEqual({
      __name__: 'mem-bw.total',
      cluster: 'fritz',
      hostname: 'f1',
      type: 'socket',
      type_id: '0',
      stype: 'channel',
      stype_id: '3',
    });
  });

  it.each([
    ['/api/v1/labels', ['__name__', 'cluster', 'hostname', 'stype', 'stype_id', 'type', 'type_id']],
    ['/api/v1/labels?match[]=cpu_load', ['__name__', 'cluster', 'hostname', 'type']],
    ['/api/v1/label/__name__/values', ['cpu_load', 'flops_any', 'mem-bw.total', 'net_bytes_total']],
    ['/api/v1/label/hostname/values', ['a0001', 'a0002', 'f1']],
    ['/api/v1/label/hostname/values?match[]=cpu_load&match[]={type="socket"}', ['a0001', 'a0002', 'f1']],
    ['/api/v1/label/hostname/values?match[]={cluster!="alex",type="socket"}', ['f1']],
    ['/api/v1/label/type_id/values?match[]={hostname=~"a.*"}', ['0', '1']],
    ['/api/v1/label/U__hostname/values', ['a0001', 'a0002', 'f1']],
    ['/api/v1/label/nothing/values', []],
    [`/api/v1/label/hostname/values?start=${END + 3600}`, []],
    [`/api/v1/label/hostname/values?end=${END - 7200}`, []],
    [`/api/v1/label/hostname/values?start=${END - 60}&end=${END + 60}`, ['a0001', 'a0002', 'f1']],
  ])('%s is %j', async (path, expected) => {
    expect((await ask(path)).json).toEqual({ status: 'success', data: expected });
  });

  it('are cut to a limit', async () => {
    expect((await ask('/api/v1/label/hostname/values?limit=1')).json).toEqual({
      status: 'success',
      data: ['a0001'],
      warnings: ['results truncated due to limit'],
    });
  });

  it.each([
    ['cpu_load{hostname="a0001"}', 1],
    ['cpu_load{hostname!="a0001"}', 1],
    ['cpu_load{hostname=~"a000[12]"}', 2],
    ['cpu_load{hostname=~"(a0001|a0002|b)"}', 2],
    ['cpu_load{hostname!~"a.*"}', 0],
    ['cpu_load{type_id=""}', 2],
    ['cpu_load{type="hwthread"}', 0],
    ['cpu_load{unknown=""}', 2],
    ['cpu_load{unknown!=""}', 0],
    ['flops_any{type="hwthread",type_id="1"}', 2],
    ['flops_any{type_id=~"0|1"}', 4],
    ['flops_any{type=~"hw.*",type_id!="1"}', 2],
    ['flops_any{type!="node"}', 4],
    ['{"mem-bw.total"}', 1],
    ['{stype="channel"}', 1],
    ['{stype_id=~"[0-9]+",type_id="0"}', 1],
    ['{__name__=~"cpu.*|net.*",cluster="alex"}', 4],
    ['{cluster=~".+",stype=""}', 8],
  ])('%s chooses %d series', async (query, count) => {
    expect((await instant(query)).json.data.result).toHaveLength(count);
    expect((await instant(`count(${query}) or vector(0)`)).json.data.result[0].value[1]).toBe(String(count));
  });
});

/** A text that an error must be, or match. */
type Wanted = string | RegExp;

/** Asks a path, and expects Prometheus's shape of an error. */
async function expectError(path: string, status: number, errorType: string, error: Wanted): Promise<void> {
  const answer = await ask(path);
  const text = typeof error === 'string' ? error : expect.stringMatching(error);
  expect([answer.status, answer.json]).toEqual([status, { status: 'error', errorType, error: text }]);
}

const wrong = (name: string, what: string) => `invalid parameter "${name}": ${what}`;

describe('errors', () => {
  const tooFine =
    'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)';
  const backwards = wrong('end', 'end timestamp must not be before start time');
  const zeroStep = 'zero or negative query resolution step widths are not accepted. Try a positive integer';
  const rangeType = 'invalid expression type "range vector" for range query, must be Scalar or instant Vector';
  const emptySelector = '1:1: parse error: vector selector must contain at least one non-empty matcher';
  const noTime = (name: string, text: string) => wrong(name, `cannot parse "${text}" to a valid timestamp`);

  it.each<[path: string, error: Wanted]>([
    ['query?query=sum(', wrong('query', '1:5: parse error: unclosed left parenthesis')],
    ['query', wrong('query', 'unknown position: parse error: no expression found in input')],
    ['query?query=1&time=x', noTime('time', 'x')],
    ['query?query=1&time=2024-02-30T00:00:00Z', noTime('time', '2024-02-30T00:00:00Z')],
    ['query?query=1&time=2024-01-01T24:00:00Z', noTime('time', '2024-01-01T24:00:00Z')],
    ['query?query=1&timeout=x', wrong('timeout', 'cannot parse "x" to a valid duration')],
    ['query?query=1&limit=-1', wrong('limit', 'limit must be non-negative')],
    ['metadata?limit_per_metric=x', wrong('limit_per_metric', 'expected a whole number, got "x"')],
    ['query_range?query=1', noTime('start', '')],
    ['query_range?query=1&start=2&end=1&step=1', backwards],
    ['labels?start=2&end=1', backwards],
    ['query_range?query=1&start=0&end=1&step=0', wrong('step', zeroStep)],
    ['query_range?query=1&start=0&end=1&step=1m1h', wrong('step', 'cannot parse "1m1h" to a valid duration')],
    ['query_range?query=1&start=0&end=11001&step=1', tooFine],
    ['query_range?query=a[5m]&start=0&end=1&step=1', wrong('query', rangeType)],
    ['query?query=a[1s-2s]', wrong('query', '2:7: duration must be greater than 0')],
    ['query?query=%zz', 'error parsing form values: invalid URL escape "%zz"'],
    ['series', 'no match[] parameter provided'],
    ['series?match[]={}', wrong('match[]', emptySelector)],
    ['labels?match[]={a=~".*"}', wrong('match[]', emptySelector)],
    [
      `series?${manySelectors(20, '(.{9}){99}')}`,
      /^invalid parameter "match\[\]": 1:\d+: parse error: regular expressions are too large: about \d+ instructions, expected at most 10000 in a query$/,
    ],
  ])('%s is 400', (path, error) => expectError(`/api/v1/${path}`, 400, 'bad_data', error));

  it.each<[path: string, error: Wanted]>([
    ['query?query=flops_any*on(hostname)flops_any', /^found duplicate series for the match group \{hostname="a0001"\}/],
    ['query?query=topk(0/0,flops_any)', 'Parameter value is NaN'],
    [
      'query_range?query=max_over_time({__name__=~".%2B",type!="x"}[5m:1ms])&start=0&end=10999&step=1',
      /^subquery has \d+ steps/,
    ],
  ])('%s is 422', (path, error) => expectError(`/api/v1/${path}&time=${END}`, 422, 'execution', error));

  it('are 404 for what is not there, and 503 for what takes too long', async () => {
    await expectError('/api/v1/nothing', 404, 'not_found', 'no such path: /api/v1/nothing');
    const late = 'query timed out in expression evaluation';
    await expectError('/api/v1/query?query=flops_any&timeout=0', 503, 'timeout', late);
  });

  it.each([
    'flops_any%2Bflops_any&start=0&end=10999&step=1',
    // 11 001 points, as Prometheus counts.
    '1&start=0&end=11000.5&step=1',
    `{__name__=~".%2B"}&start=${END - 10_000}&end=${END}&step=1&lookback_delta=3h`,
  ])('are none for %s', async (parameters) => {
    expect((await ask(`/api/v1/query_range?query=${parameters}`)).status).toBe(200);
  });

  it('name the methods that there are, so that clients repeat a POST as GET', async () => {
    const response = await fetch(`${server.url}/api/v1/metadata`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(((await response.json()) as { errorType: string }).errorType).toBe('method_not_allowed');
  });

  it('are told of forms that cannot be read', async () => {
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    expect((await ask('/api/v1/query', json)).json).toMatchObject({ status: 'error', errorType: 'bad_data' });
    expect((await ask('/api/v1/query', json)).status).toBe(415);
    const long = await ask('/api/v1/query', form({ query: 'x'.repeat(2 << 20) }));
    expect([long.status, long.json.error]).toEqual([413, 'the body is longer than 1048576 bytes']);
  });

  it('are 422 for rows that take too much memory, found before they are made', async () => {
    const wide = `max_over_time({__name__=~".+"}[5m]) or label_replace({__name__=~".+"}, "x", "1", "", "")`;
    const text = Array.from({ length: 8 }, () => wide).join(' or ');
    const { status, json } = await range(text, { start: String(END - 10_999), step: '1' });
    expect([status, json.errorType]).toEqual([422, 'execution']);
    expect((await instant('1')).status).toBe(200);
  });
});

describe('what Grafana asks', () => {
  const recorded: {
    headers: Record<string, string>;
    requests: {
      what: string;
      method: string;
      path: string;
      body?: string;
      headers?: Record<string, string>;
      expect: Record<string, unknown> & { status: number };
    }[];
  } = JSON.parse(readFileSync(new URL('../data/promql/grafana-requests.json', import.meta.url), 'utf8'));

  it.each(recorded.requests.map((one) => [one.what, one] as const))('%s', async (_, one) => {
    const init: RequestInit = { method: one.method, headers: { ...recorded.headers, ...one.headers } };
    if (one.body !== undefined && one.method === 'POST') init.body = one.body;
    const { status, json } = await ask(one.path, init);
    const { expect: wanted } = one;
    expect(status).toBe(wanted.status);
    if (wanted.data !== undefined) expect(json.data).toEqual(wanted.data);
    if (wanted.resultType !== undefined) {
      expect(json.data.resultType).toBe(wanted.resultType);
      expect(json.data.result.length).toBeGreaterThan(0);
    }
    if (wanted.errorType !== undefined) {
      expect(json).toMatchObject({ status: 'error', errorType: wanted.errorType });
      expect(json.data).toBeUndefined();
    }
    if (wanted.without !== undefined) expect(json.data).not.toHaveProperty(String(wanted.without));
    if (wanted.list) {
      expect(Array.isArray(json.data)).toBe(true);
      expect(json.data.length).toBeGreaterThan(0);
    }
    if (wanted.noEmptyList) {
      for (const entries of Object.values(json.data as Record<string, unknown[]>)) expect(entries).toHaveLength(1);
    }
  });

  it('has units of metrics', async () => {
    const { json } = await ask('/api/v1/metadata?metric=flops_any&limit_per_metric=0');
    expect(json).toEqual({
      status: 'success',
      data: { flops_any: [{ type: 'gauge', help: '', unit: 'F/s' }] },
    });
    const cut = await ask('/api/v1/metadata?limit=1');
    expect(Object.keys(cut.json.data)).toEqual(['cpu_load']);
    expect(cut.json.warnings).toEqual(['results truncated due to limit']);
  });
});

describe('who may ask', () => {
  it('is anybody without a key, and who has a token with one', async () => {
    const secured = await startServer({ ...config, main: { 'jwt-public-key': TEST_KEY } });
    const url = `${secured.url}/api/v1/query?query=1`;
    const refused = await fetch(url);
    expect([refused.status, ((await refused.json()) as { errorType: string }).errorType]).toEqual([
      401,
      'unauthorized',
    ]);
    expect((await fetch(url, { headers: { Authorization: `Bearer ${TEST_JWT}` } })).status).toBe(200);
    expect((await fetch(`${secured.url}/-/ready`)).status).toBe(200);
    expect((await fetch(`${secured.url}/-/healthy`)).status).toBe(200);
    await secured.stop();
  });
});
