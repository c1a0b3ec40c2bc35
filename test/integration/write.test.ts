import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure, query, summary, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const T = 1_700_000_000;
const LIMIT = 1 << 20;
const LONG = 'x'.repeat(250);

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({
    metrics: {
      load: { frequency: 60, aggregation: null },
      sum: { frequency: 60, aggregation: 'sum' },
      [LONG]: { frequency: 60, aggregation: 'avg' },
      rounded: { frequency: 60, aggregation: null, precision: 2 },
    },
    'metric-store': {
      'retention-in-memory': '876000h',
      'memory-cap': 1,
      'num-workers': 2,
      'max-body-size': LIMIT,
    },
  });
});
afterAll(() => server?.stop('SIGKILL'));

/** The samples of a host in the hour after T, all levels of it. */
async function data(host: string, metric = 'load', cluster = 'c'): Promise<(number | null)[] | undefined> {
  const answer = await query(server.port, { cluster, from: T, to: T + 3600, queries: [{ metric, host }] });
  return answer.results[0]?.[0]?.data;
}

async function refusal(body: string, path = '/api/write'): Promise<string> {
  const answer = await write(server.port, body, path);
  expect(answer.status).toBe(400);
  const { status, error } = JSON.parse(answer.body) as { status: string; error: string };
  expect(status).toBe('Bad Request');
  return error;
}

describe('a write', () => {
  it('is answered with an empty 200', async () => {
    expect(await write(server.port, `load,cluster=c,hostname=w1 value=1.5 ${T}\n`)).toMatchObject({
      status: 200,
      body: '',
    });
    expect(await data('w1')).toEqual([1.5]);
  });

  it('may be compressed', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `load,cluster=c,hostname=gz value=${i} ${T + 60 * i}\n`).join(
      '',
    );
    for (const encoding of ['gzip', 'x-gzip']) {
      const headers = { 'content-encoding': encoding };
      const answer = await ask(server.port, '/api/write', { body: gzipSync(lines), headers });
      expect(answer.status).toBe(200);
    }
    expect(await data('gz')).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('is refused when its compression is broken, unknown or hides too much', async () => {
    const body = gzipSync(`load,cluster=c,hostname=bomb value=1 ${T}\n`.repeat(LIMIT / 20));
    expect(body.length).toBeLessThan(LIMIT / 10);
    const gzip = { 'content-encoding': 'gzip' };
    expect((await ask(server.port, '/api/write', { body, headers: gzip })).status).toBe(413);
    expect((await ask(server.port, '/api/write', { body: body.subarray(0, 300), headers: gzip })).status).toBe(400);
    expect((await ask(server.port, '/api/write', { body: 'load', headers: gzip })).status).toBe(400);
    expect((await ask(server.port, '/api/write', { body, headers: { 'content-encoding': 'br' } })).status).toBe(415);
    expect(await data('bomb')).toBeUndefined();
  });

  it('may be as long as the limit, no longer', async () => {
    const line = `load,cluster=c,hostname=big value=1 ${T}\n`;
    const most = line.repeat(Math.floor(LIMIT / line.length));
    expect((await write(server.port, most + '#'.repeat(LIMIT - most.length))).status).toBe(200);
    const answer = await write(server.port, line.replace('big', 'huge').repeat(Math.ceil(LIMIT / line.length)));
    expect(answer.status).toBe(413);
    expect(answer.body).toContain('max-body-size');
    expect(await data('big')).toEqual([1]);
    expect(await data('huge')).toBeUndefined();
  });

  it('stores every good line beside bad ones, and says which are bad and why', async () => {
    const lines = [
      `load,cluster=c,hostname=m1 value=1 ${T}`,
      `load,cluster=c,hostname=m1 value=abc ${T}`,
      `load,cluster=c value=1 ${T}`,
      '',
      '# comment',
      `load,hostname=m1 value=1 ${T}`,
      `load,cluster=c,hostname=m2 value=2 ${T}\r`,
      `load,cluster=c,hostname=m1,type=../x value=1 ${T}`,
      `load,cluster=c,hostname=m1 value="text" ${T}`,
      `load,cluster=c,hostname=m1 other=1 ${T}`,
      `load,cluster=c,hostname=m1 value=1 -5`,
      `load,cluster=c,hostname=m1 value=1 ${T} x`,
      `unknown,hostname=m1 value="whatever",b=true`,
      `load,cluster=c,hostname=m3 value=3 ${T}`,
    ];
    expect(await refusal(lines.join('\n'))).toBe(
      [
        '8 of 12 lines refused: line 2: bad value: expected a number such as 1.5, 3i or 4u',
        'line 3: no host: expected a tag "hostname" or "host"',
        'line 6: no cluster: neither a "cluster" tag nor ?cluster= names one',
        'line 8: unsafe name: "..", "/", "\\" and control characters must not be in cluster, host, type or stype',
        'line 9: unsupported type: strings and booleans are no samples',
        'line 10: unknown field: expected one field, "value"',
        'line 11: negative timestamp',
        'line 12: garbage after the timestamp',
      ].join('; '),
    );
    expect(await data('m1')).toEqual([1]);
    expect(await data('m2')).toEqual([2]);
    expect(await data('m3')).toEqual([3]);
  });

  it('numbers bad lines as they stand in the body, however it is cut', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) =>
      i % 1000 === 700
        ? `load,cluster=c,hostname=n${i % 37} value= ${T}`
        : `load,cluster=c,hostname=n${i % 37} value=1 ${T}`,
    );
    const error = await refusal(lines.join('\n'));
    expect(error).toMatch(
      /^3 of 3000 lines refused: line 701: bad value.*; line 1701: bad value.*; line 2701: bad value/,
    );
    expect(error).not.toContain('more');
    const many = await refusal(lines.map((line) => line.replace('value=1', 'value=?')).join('\n'));
    expect(many).toMatch(/^3000 of 3000 lines refused: line 1: .*; and 29\d\d more$/);
  });

  it('refuses names that could leave a directory, and stores nothing under other names', async () => {
    const names = ['..', 'a..b', '../../etc/passwd', 'a/b', 'a\\\\b', 'a\u0001', 'a\u007f', '.'];
    for (const name of names) {
      for (const tag of ['cluster', 'hostname', 'host', 'type', 'type-id', 'stype', 'stype-id']) {
        const tags = new Map([
          ['cluster', 'safe'],
          [tag.startsWith('host') ? tag : 'hostname', 'h'],
          ['type', 'core'],
          ['stype', 'x'],
          [tag, name],
        ]);
        const text = [...tags].map(([key, value]) => `,${key}=${value}`).join('');
        // A single dot is no danger behind a type.
        if (name === '.' && tag.endsWith('-id')) continue;
        expect(await refusal(`load${text} value=1 ${T}\n`), `${tag}=${name}`).toContain('unsafe name');
      }
    }
    expect(await refusal(`load,hostname=h value=1 ${T}`, '/api/write?cluster=..%2f..')).toContain('unsafe name');
    expect((await ask(server.port, '/api/debug?selector=safe')).status).toBe(400);
  });

  it('takes names up to 255 bytes', async () => {
    const host = 'h'.repeat(255);
    const type = 't'.repeat(100);
    const id = 'i'.repeat(155);
    const good = `${LONG},cluster=c,hostname=${host},type=${type},type-id=${id},stype=${type},stype-id=${id} value=7 ${T}\n`;
    expect((await write(server.port, good)).status).toBe(200);
    expect(await data(host, LONG)).toEqual([7]);
    for (const bad of [
      good.replace(host, `${host}h`),
      good.replace(`type-id=${id},stype`, `type-id=${id}i,stype`),
      good.replace(`stype-id=${id}`, `stype-id=${id}i`),
      good.replace('cluster=c', `cluster=${'c'.repeat(256)}`),
    ]) {
      expect(await refusal(bad)).toContain('name too long');
    }
    // No metric that long is in the config.
    expect((await write(server.port, `${'m'.repeat(60_000)},cluster=c,hostname=h value=1 ${T}`)).status).toBe(200);
  });

  it('takes escapes, any order of tags, and the last of a tag given twice', async () => {
    const tags = [
      'load,type=node,hostname=e\\ 1\\,2\\=3,cluster=c value=1',
      'load,hostname=wrong,cluster=wrong,cluster=c,host=e\\ 1\\,2\\=3 value=2',
      'load,unit=a\\ b,job=x\\=y,host=e\\ 1\\,2\\=3,cluster=c,stype=s,stype-id=1 value=3',
    ];
    const body = tags.map((line, i) => `${line} ${T + 60 * i}`).join('\n');
    expect((await write(server.port, body)).status).toBe(200);
    expect(await data('e 1,2=3')).toEqual([1, 2, 3]);
    expect((await ask(server.port, '/api/debug?selector=wrong')).status).toBe(400);
  });

  it('takes timestamps in s, ms, us and ns, and now for none', async () => {
    const times = [`${T}`, `${T + 60}000`, `${T + 120}123456`, `${T + 180}999999999`];
    const body = times.map((time, i) => `load,cluster=c,hostname=t1 value=${i} ${time}\n`).join('');
    expect((await write(server.port, body)).status).toBe(200);
    expect(await data('t1')).toEqual([0, 1, 2, 3]);
    const before = Math.floor(Date.now() / 1000);
    expect((await write(server.port, 'load,cluster=c,hostname=now value=5\n')).status).toBe(200);
    const queries = [{ metric: 'load', host: 'now' }];
    const answer = await query(server.port, {
      cluster: 'c',
      from: 0,
      to: before + 3600,
      queries,
      'with-padding': false,
    });
    expect(answer.results[0]?.[0]).toMatchObject({ data: [5] });
    expect(answer.results[0]?.[0]?.from).toBeGreaterThanOrEqual(before);
  });

  it('keeps what the precision of the metric says', async () => {
    await write(
      server.port,
      `rounded,cluster=c,hostname=p value=1.2345 ${T}\nload,cluster=c,hostname=p value=1.2345 ${T}`,
    );
    expect(await data('p', 'rounded')).toEqual([1.23]);
    const queries = [{ metric: 'load', host: 'p', 'scale-by': 1e6 }];
    const answer = await query(server.port, { cluster: 'c', from: T, to: T + 60, queries });
    expect(answer.results[0]?.[0]?.data).toEqual([1234500]);
  });

  it('takes nothing but lines for lines', async () => {
    for (const body of ['', '\n', '\r\n\r\n', '   ', '# only\n#comments', '\t\n']) {
      expect((await write(server.port, body)).status, JSON.stringify(body)).toBe(200);
    }
    for (const body of [
      '{"a":1}',
      '\0\0\0\0',
      '\xff\xfe',
      '<html>',
      'load',
      'load,',
      ',,,,',
      '==',
      'load,a=b',
      'a'.repeat(5000),
    ]) {
      const { status } = await write(server.port, body);
      expect([200, 400], JSON.stringify(body)).toContain(status);
    }
    expect((await ask(server.port, '/healthz')).status).toBe(200);
  });

  it('of bytes that are no UTF-8 leaves valid JSON', async () => {
    const body = Buffer.concat([
      Buffer.from('load,cluster=bytes,hostname=a'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from(` value=1 ${T}`),
    ]);
    await write(server.port, body);
    const dump = await ask(server.port, '/api/debug?selector=bytes');
    if (dump.status === 200) expect(JSON.parse(dump.body)).toHaveProperty('data');
    await query(server.port, { cluster: 'bytes', from: T, to: T + 60, 'for-all-nodes': ['load'] });
  });

  it('counts what it stored, skipped and refused', async () => {
    const before = await Promise.all(
      ['lines_total', 'lines_skipped_total', 'lines_refused_total'].map((n) => figure(server.port, `ccms_${n}`)),
    );
    await write(
      server.port,
      `load,cluster=count,hostname=a value=1 ${T}\nnone,hostname=a value=1\nload,cluster=count value=1\n\n#\n`,
    );
    const after = await Promise.all(
      ['lines_total', 'lines_skipped_total', 'lines_refused_total'].map((n) => figure(server.port, `ccms_${n}`)),
    );
    expect(after.map((n, i) => n - (before[i] ?? 0))).toEqual([3, 1, 1]);
    expect(await summary(server.port, 'count')).toMatchObject({ hosts: 1, series: 1, samples: 1 });
  });

  it('wants POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await ask(server.port, '/api/write', { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toContain('POST');
    }
  });
});
