import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type QueryAnswer, query, type Series, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const T = 1_700_000_040;
const HOSTS = ['a1', 'a2', 'a3', 'b1'];
const BINS = 10;

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({
    metrics: {
      load: { frequency: 60, aggregation: null },
      flops: { frequency: 60, aggregation: 'sum' },
      clock: { frequency: 60, aggregation: 'avg' },
      fast: { frequency: 1, aggregation: 'sum' },
      'we"ird\\': { frequency: 60, aggregation: null },
    },
    'metric-store': { 'retention-in-memory': '876000h', 'memory-cap': 1, 'num-workers': 3 },
  });
  let text = '';
  for (const [i, host] of HOSTS.entries()) {
    for (let bin = 0; bin < BINS; bin++) {
      const time = T + 60 * bin;
      text += `load,cluster=c,hostname=${host} value=${i + bin / 4} ${time}\n`;
      for (const thread of [0, 1, 2]) {
        const tags = `cluster=c,hostname=${host},type=hwthread,type-id=${thread}`;
        text += `flops,${tags} value=${thread + 1} ${time}\nclock,${tags} value=${thread * 10} ${time}\n`;
      }
      text += `flops,cluster=c,hostname=${host},type=acc\\,el,type-id=00:1\\,2,stype=mig,stype-id=x\\,y value=100 ${time}\n`;
    }
  }
  expect(await write(server.port, text)).toMatchObject({ status: 200, body: '' });
});
afterAll(() => server?.stop('SIGKILL'));

const RANGE = { cluster: 'c', from: T, to: T + 600 };

/** The entries of one query. */
async function entries(one: object, range: object = RANGE): Promise<Series[]> {
  const answer = await query(server.port, { ...range, queries: [one] });
  expect(answer.results.length).toBe(1);
  return answer.results[0] ?? [];
}

function repeat(value: number | null, count = BINS): (number | null)[] {
  return Array<number | null>(count).fill(value);
}

describe('selectors', () => {
  it('without a type mean the whole host', async () => {
    expect((await entries({ metric: 'load', host: 'a2' }))[0]?.data?.slice(0, 3)).toEqual([1, 1.25, 1.5]);
    expect(await entries({ metric: 'flops', host: 'a1' })).toMatchObject([
      { data: repeat(106), avg: 106, min: 106, max: 106 },
    ]);
    expect(await entries({ metric: 'clock', host: 'a1' })).toMatchObject([{ data: repeat(10) }]);
  });

  it('with ids give one entry each, in the order asked for', async () => {
    const two = await entries({ metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': ['2', '0'] });
    expect(two.map(({ data }) => data)).toEqual([repeat(3), repeat(1)]);
    const twice = await entries({ metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': ['1', '9', '1'] });
    expect(twice.map(({ avg }) => avg)).toEqual([2, 2]);
  });

  it('with aggreg give one over all', async () => {
    const one = await entries({
      metric: 'flops',
      host: 'a1',
      type: 'hwthread',
      'type-ids': ['0', '2', '7'],
      aggreg: true,
    });
    expect(one.map(({ data }) => data)).toEqual([repeat(4)]);
  });

  it('may have commas, colons and quotes in them', async () => {
    const level = { metric: 'flops', host: 'a1', type: 'acc,el', 'type-ids': ['00:1,2'] };
    expect(await entries(level)).toMatchObject([{ avg: 100 }]);
    expect(await entries({ ...level, subtype: 'mig', 'subtype-ids': ['x,y'] })).toMatchObject([{ avg: 100 }]);
    expect(await entries({ ...level, subtype: 'mig', 'subtype-ids': ['x', 'y', '"', '\\'] })).toEqual([]);
    const error = (await entries({ metric: 'no"such\\metric\n', host: 'a1' }))[0]?.error;
    expect(error).toBe('unknown metric: no"such\\metric\n');
  });

  it('of nothing that is there give empty lists', async () => {
    for (const one of [
      { metric: 'load', host: 'nobody' },
      { metric: 'load', host: '' },
      { metric: 'we"ird\\', host: 'a1' },
      { metric: 'flops', host: 'a1', type: 'socket', 'type-ids': ['0'] },
      { metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': [] },
      { metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': [], aggreg: true },
      { metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': ['0'], subtype: 'x', 'subtype-ids': ['0'] },
      { metric: 'flops', host: 'a1', type: 'acc,el', 'type-ids': ['00:1,2'], subtype: 'mig', 'subtype-ids': [] },
      { metric: 'load', host: 'h'.repeat(70_000) },
      { metric: 'flops', host: 'a1', type: 't'.repeat(70_000), 'type-ids': ['0'] },
    ]) {
      expect(await entries(one)).toEqual([]);
    }
    expect(
      await query(server.port, { ...RANGE, cluster: 'x'.repeat(100_000), queries: [{ metric: 'load', host: 'a1' }] }),
    ).toEqual({
      results: [[]],
    });
    expect((await entries({ metric: 'm'.repeat(70_000), host: 'a1' }))[0]?.error).toContain('unknown metric');
  });

  it('may be 70 000 ids', async () => {
    const ids = Array.from({ length: 70_000 }, (_, i) => String(i));
    const level = { metric: 'flops', host: 'a1', type: 'hwthread', 'type-ids': ids };
    expect((await entries(level)).map(({ avg }) => avg)).toEqual([1, 2, 3]);
    expect((await entries({ ...level, 'type-ids': ids.reverse() })).map(({ avg }) => avg)).toEqual([3, 2, 1]);
    expect(await entries({ ...level, aggreg: true })).toMatchObject([{ avg: 6 }]);
    const sub = { ...level, type: 'acc,el', 'type-ids': ['00:1,2'], subtype: 'mig', 'subtype-ids': [...ids, 'x,y'] };
    expect(await entries(sub)).toMatchObject([{ avg: 100 }]);
  });

  it('with more combinations than can be meant are refused', async () => {
    const ids = Array<string>(70_000).fill('');
    const one = { metric: 'flops', host: 'a1', type: 't', 'type-ids': ids, subtype: 's', 'subtype-ids': ids };
    const answer = await ask(server.port, '/api/query', { body: JSON.stringify({ ...RANGE, queries: [one] }) });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('queries[0]: 70000 type-ids with 70000 subtype-ids each');
  });

  it('may be very many queries, answered in order whatever partition has them', async () => {
    const queries = Array.from({ length: 20_000 }, (_, i) => ({ metric: 'load', host: HOSTS[i % 5] ?? 'nobody' }));
    const { results } = await query(server.port, { ...RANGE, to: T + 60, queries });
    expect(results.length).toBe(queries.length);
    const wrong = results.findIndex((list, i) => list[0]?.avg !== [0, 1, 2, 3, undefined][i % 5]);
    expect(wrong).toBe(-1);
  });
});

describe('errors in the answer', () => {
  it('stand beside good entries', async () => {
    const { results } = await query(server.port, {
      ...RANGE,
      queries: [
        { metric: 'nope', host: 'a1' },
        { metric: 'load', host: 'a1' },
        { metric: 'load', host: 'a1', resolution: 90 },
        { metric: 'flops', host: 'a1', resolution: -5 },
        { metric: 'clock', host: 'a1', type: 'hwthread', 'type-ids': ['0'], resolution: 61 },
      ],
    });
    expect(results.map((list) => list.map(({ error }) => error?.slice(0, 24)))).toEqual([
      ['unknown metric: nope'],
      [undefined],
      ['new sampling frequency ('],
      [undefined],
      ['new sampling frequency ('],
    ]);
  });

  it('tell of several series that cannot be one', async () => {
    for (const thread of [0, 1])
      await write(server.port, `load,cluster=d,hostname=s,type=t,type-id=${thread} value=1 ${T}`);
    const range = { ...RANGE, cluster: 'd' };
    expect((await entries({ metric: 'load', host: 's' }, range))[0]?.error).toContain('invalid aggregation');
    const each = await entries({ metric: 'load', host: 's', type: 't', 'type-ids': ['0', '1'] }, range);
    expect(each.map(({ data }) => data)).toEqual([[1], [1]]);
    expect(
      await entries({ metric: 'load', host: 's', type: 't', 'type-ids': ['1'], aggreg: true }, range),
    ).toMatchObject([{ data: [1] }]);
  });

  it('tell of a range that ends before it begins', async () => {
    expect((await entries({ metric: 'load', host: 'a1' }, { ...RANGE, from: T + 1, to: T }))[0]?.error).toContain(
      'from',
    );
    expect(await entries({ metric: 'load', host: 'a1' }, { ...RANGE, from: T, to: T })).toMatchObject([
      { from: T, to: T, avg: null },
    ]);
  });
});

describe('for-all-nodes', () => {
  const check = ({ queries = [], results }: QueryAnswer, metrics: string[]): void => {
    expect(queries.length).toBe(HOSTS.length * metrics.length);
    expect(new Set(queries.map(({ host }) => host))).toEqual(new Set(HOSTS));
    for (const [i, { host, metric }] of queries.entries()) {
      const list = results[results.length - queries.length + i];
      expect(list?.[0]?.avg, `${host} ${metric}`).toBeCloseTo(metric === 'flops' ? 106 : HOSTS.indexOf(host) + 1.12, 6);
    }
  };

  it('asks for every host and echoes the queries', async () => {
    check(await query(server.port, { ...RANGE, 'for-all-nodes': ['load', 'flops'] }), ['load', 'flops']);
  });

  it('goes behind the queries of the request', async () => {
    const queries = [
      { metric: 'clock', host: 'b1' },
      { metric: 'load', host: 'nobody' },
    ];
    const answer = await query(server.port, { ...RANGE, queries, 'for-all-nodes': ['flops'] });
    expect(answer.results.length).toBe(2 + HOSTS.length);
    expect(answer.results[0]).toMatchObject([{ avg: 10 }]);
    expect(answer.results[1]).toEqual([]);
    expect(answer.queries?.length).toBe(HOSTS.length);
    check(answer, ['flops']);
  });

  it('of metrics or clusters that are not there', async () => {
    const unknown = await query(server.port, { ...RANGE, 'for-all-nodes': ['nope'] });
    expect(unknown.results.every((list) => list[0]?.error?.includes('unknown metric'))).toBe(true);
    const none = await query(server.port, { ...RANGE, cluster: 'x', 'for-all-nodes': ['load'] });
    expect(none.results).toEqual([]);
    for (const nothing of [[], null]) {
      const answer = await query(server.port, { ...RANGE, 'for-all-nodes': nothing, queries: [] });
      expect(answer).toEqual({ results: [] });
    }
  });
});

describe('ranges', () => {
  const load = { metric: 'load', host: 'a1' };

  it('are padded in front, not behind', async () => {
    const [padded] = await entries(load, { ...RANGE, from: T - 300, to: T + 6000 });
    expect(padded).toMatchObject({ from: T, to: T + 600, resolution: 60 });
    expect(padded?.data).toEqual([...repeat(null, 5), ...Array.from({ length: BINS }, (_, i) => i / 4)]);
    const [plain] = await entries(load, { ...RANGE, from: T - 300, 'with-padding': false });
    expect(plain?.data?.length).toBe(BINS);
  });

  it('may begin a million bins before the data, with padding', async () => {
    const nulls = 1_000_000;
    const [all] = await entries(load, { ...RANGE, from: T - 60 * nulls });
    expect(all?.data?.length).toBe(nulls + BINS);
    expect(all?.data?.[nulls]).toBe(0);
    expect(all?.data?.[nulls - 1]).toBe(null);
    expect(all?.avg).toBe(1.12);
    for (const from of [T - 60 * nulls - 60, 0, -600, -(2 ** 53)]) {
      const [refused] = await entries(load, { ...RANGE, from });
      expect(refused?.error).toMatch(/^padding too long: the data begins \d+ nulls after 'from', at most 1000000 are/);
      expect(refused).toMatchObject({ from: 0, to: 0, resolution: 0 });
    }
    const [statistics] = await entries(load, { ...RANGE, from: 0, 'with-data': false });
    expect(statistics).toMatchObject({ from: T, avg: 1.12 });
  });

  it('may end in the far future', async () => {
    for (const to of [2 ** 53, 2 ** 63, 1e18, 9007199254740991]) {
      const [all] = await entries(load, { ...RANGE, to });
      expect(all).toMatchObject({ from: T, to: T + 600 });
    }
    expect((await entries(load, { ...RANGE, from: 2 ** 53 - 1, to: 2 ** 53 }))[0]?.data ?? []).toEqual([]);
  });

  it('may be negative', async () => {
    const [all] = await entries(load, { ...RANGE, from: -(2 ** 53), 'with-padding': false });
    expect(all).toMatchObject({ from: T, to: T + 600 });
    const before = { ...RANGE, from: -1000, to: -500, 'with-padding': false };
    expect((await entries(load, before))[0]?.to).toBe(T);
  });

  it('may begin inside of a bin', async () => {
    const [first] = await entries(load, { ...RANGE, from: T + 29 });
    expect(first).toMatchObject({ from: T + 29, data: Array.from({ length: BINS }, (_, i) => i / 4) });
    const [second] = await entries(load, { ...RANGE, from: T + 30, to: T + 31 });
    expect(second).toMatchObject({ from: T + 30, to: T + 90, data: [0.25] });
  });

  it('with much padding can be left by the client', async () => {
    const body = JSON.stringify({ ...RANGE, from: T - 60_000_000, queries: Array.from({ length: 20 }, () => load) });
    const { request } = await import('node:http');
    await new Promise<void>((resolve) => {
      const asking = request({ port: server.port, host: '127.0.0.1', path: '/api/query', method: 'POST' }, (answer) => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > 8 << 20) answer.destroy();
        });
        answer.on('close', resolve);
      });
      asking.on('error', () => resolve());
      asking.end(body);
    });
    expect(await entries(load)).toMatchObject([{ avg: 1.12 }]);
  });
});

describe('flags and factors', () => {
  const load = { metric: 'load', host: 'a2' };

  it('leave data or statistics out', async () => {
    const [none] = await entries(load, { ...RANGE, 'with-data': false });
    expect(none).toEqual({ from: T, to: T + 600, resolution: 60, avg: 2.12, min: 1, max: 3.25 });
    const [data] = await entries(load, { ...RANGE, 'with-stats': false });
    expect(data).toMatchObject({ avg: 0, min: 0, max: 0 });
    expect(data?.data?.length).toBe(BINS);
  });

  it('scale data and statistics', async () => {
    const [scaled] = await entries({ ...load, 'scale-by': 0.001 });
    expect(scaled).toMatchObject({ avg: 0, min: 0, max: 0 });
    expect(scaled?.data?.slice(0, 3)).toEqual([0.001, 0.001, 0.002]);
    expect((await entries({ ...load, 'scale-by': -2 }))[0]).toMatchObject({ avg: -4.25, min: -2, max: -6.5 });
    expect((await entries({ ...load, 'scale-by': 0 }))[0]).toMatchObject({ avg: 2.12 });
    // What no number can hold is missing.
    expect((await entries({ ...load, 'scale-by': 1.7e308 }))[0]?.data?.slice(0, 2)).toEqual([1.7e308, null]);
  });

  it('are the same with GET and POST, with and without the slash, in every version', async () => {
    const body = JSON.stringify({ ...RANGE, queries: [load] });
    const want = (await ask(server.port, '/api/query', { method: 'GET', body })).body;
    expect(want).toContain('"avg":2.12');
    for (const method of ['GET', 'POST']) {
      for (const path of [
        '/api/query',
        '/api/query/',
        '/api/query?version=v1',
        '/api/query/?version=v2',
        '/api/query?version=v3',
      ]) {
        expect((await ask(server.port, path, { method, body })).body, `${method} ${path}`).toBe(want);
      }
    }
  });

  it('do not change what is missing', async () => {
    await write(server.port, `load,cluster=e,hostname=g value=1 ${T}\nload,cluster=e,hostname=g value=3 ${T + 180}`);
    expect(await entries({ metric: 'load', host: 'g', 'scale-by': 2 }, { ...RANGE, cluster: 'e' })).toMatchObject([
      { data: [2, null, null, 6], avg: 4, min: 2, max: 6 },
    ]);
    const [gap] = await entries({ metric: 'load', host: 'g' }, { ...RANGE, cluster: 'e', from: T + 60, to: T + 180 });
    expect(gap).toMatchObject({ avg: null, min: null, max: null });
  });

  it('resample from a thousand samples on', async () => {
    const lines = Array.from({ length: 4000 }, (_, i) => `fast,cluster=c,hostname=r value=${i % 50} ${T + i}\n`).join(
      '',
    );
    await write(server.port, lines);
    const ask = (to: number, resolution: number): Promise<Series[]> =>
      entries({ metric: 'fast', host: 'r', resolution }, { ...RANGE, to: T + to });
    expect((await ask(999, 10))[0]).toMatchObject({ resolution: 1, to: T + 999 });
    const [coarse] = await ask(1000, 10);
    expect(coarse).toMatchObject({ resolution: 10, to: T + 1000 });
    expect(coarse?.data?.length).toBe(100);
    expect((await ask(4000, 1))[0]?.data?.length).toBe(4000);
    expect((await ask(4000, 4000))[0]?.data?.length).toBe(2);
    expect((await ask(4000, 2 ** 53))[0]?.data?.length).toBe(4000);
  });
});

describe('bodies that are no queries', () => {
  const bad = [
    '',
    '{',
    '[]',
    'NaN',
    '{"from":NaN}',
    '{"from":1e400,"to":0}',
    '{"from":Infinity}',
    '{"from":"1"}',
    '{"from":1.5}',
    '{"to":-1e30}',
    '{"queries":[{"resolution":1.5}]}',
    '{"queries":[{"resolution":"60"}]}',
    '{"queries":[{"scale-by":"2"}]}',
    '{"queries":[{"scale-by":1e999}]}',
    '{"queries":[{"type-ids":"0"}]}',
    '{"queries":[{"aggreg":1}]}',
    '{"queries":[[]]}',
    '{"for-all-nodes":"load"}',
    '{"with-stats":"yes"}',
    '[[[[[[',
    `${'['.repeat(100_000)}`,
    `{"queries":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    "{'from':0}",
    '{"from":0,}',
    '\u0000',
    '{"cluster":"a\nb"}',
  ];
  for (const body of bad) {
    it(`are told so: ${JSON.stringify(body.slice(0, 40))}`, async () => {
      for (const method of ['GET', 'POST']) {
        const answer = await ask(server.port, '/api/query', { method, body });
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.body)).toMatchObject({ status: 'Bad Request', error: expect.any(String) });
        expect(answer.body.length).toBeLessThan(600);
      }
    });
  }

  it('may have nulls and unknown keys', async () => {
    for (const body of ['{}', '{"queries":null,"from":null,"x":{"y":[1]}}', '{"queries":[null]}', '{"__proto__":1}']) {
      expect((await ask(server.port, '/api/query', { body })).status, body).toBe(200);
    }
  });
});
