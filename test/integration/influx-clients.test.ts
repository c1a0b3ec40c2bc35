/** InfluxDB's official clients write as they do to InfluxDB. The Python client is installed by scripts/test-tools.sh. */
import {
  HttpError,
  InfluxDB,
  Point,
  setLogger,
  type WriteOptions,
  type WritePrecisionType,
} from '@influxdata/influxdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type QueryAnswer } from '../support/client.js';
import { LIMIT } from '../support/limits.js';
import { python } from '../support/python.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';

const key = tokenKey();
const jwt = token(key, { user: 'telegraf' });
let server: ServerProcess;

// What it would print are the failures that are provoked here.
setLogger({ error: () => {}, warn: () => {} });

beforeAll(async () => {
  server = await startServer((port) => ({
    // Of any age, as times are that were sent with another precision than the client says.
    ...config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }, { 'retention-in-memory': '876000h' }),
    influx: { tags: { note: null } },
  }));
});
afterAll(() => server.stop());

/** The ten minutes from TIME of a host's metric, or of its hardware thread. */
async function data(cluster: string, host: string, thread?: string): Promise<(number | null)[] | undefined> {
  const level = thread === undefined ? {} : { type: 'hwthread', 'type-ids': [thread] };
  const queries = [{ metric: 'cpu_load', host, ...level }];
  const body = JSON.stringify({ cluster, from: TIME, to: TIME + 600, queries });
  const answer = await ask(server.port, '/api/query', { body, headers: bearer(jwt) });
  expect(answer.status).toBe(200);
  return (JSON.parse(answer.body) as QueryAnswer).results[0]?.[0]?.data;
}

const UNITS: [WritePrecisionType, number][] = [
  ['s', 1],
  ['ms', 1e3],
  ['us', 1e6],
  ['ns', 1e9],
];

describe("InfluxDB's JavaScript client", () => {
  /** A writer that tells the errors it could not get over. */
  function writer(bucket: string, precision: WritePrecisionType, options: Partial<WriteOptions> = {}, secret = jwt) {
    const errors: Error[] = [];
    const api = new InfluxDB({ url: server.url, token: secret }).getWriteApi('org', bucket, precision, {
      maxRetries: 0,
      flushInterval: 0,
      writeFailed: (error) => {
        errors.push(error);
      },
      ...options,
    });
    return { api, errors };
  }

  const point = (host: string, value: number) =>
    new Point('cpu_load').tag('hostname', host).tag('note', 'with space, comma=equals').floatField('value', value);

  it.each(UNITS)('writes points in %s, plain and gzipped', async (precision, perSecond) => {
    for (const gzipThreshold of [0, 1 << 20]) {
      const host = `js-${precision}-${gzipThreshold}`;
      const { api, errors } = writer('js', precision, { gzipThreshold });
      for (let i = 0; i < 5; i++) {
        const time = BigInt(TIME + 60 * i) * BigInt(perSecond);
        api.writePoint(point(host, i + 0.5).timestamp(String(time)));
        api.writePoint(
          new Point('cpu_load')
            .tag('hostname', host)
            .tag('type', 'hwthread')
            .tag('type-id', '3')
            .intField('value', i)
            .timestamp(String(time)),
        );
      }
      await api.close();
      expect(errors).toEqual([]);
      expect(await data('js', host)).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
      expect(await data('js', host, '3')).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('takes a precision at its word: seconds that look like milliseconds are none', async () => {
    const { api, errors } = writer('js', 'ms');
    api.writePoint(point('js-small', 1).timestamp(String(TIME)));
    await api.close();
    expect(errors).toEqual([]);
    // 20 days after 1970, and so not among what was asked for.
    expect(await data('js', 'js-small')).toBeUndefined();
  });

  it('writes points without a time, and 25 000 lines in batches', async () => {
    const { api, errors } = writer('js', 'ns', { gzipThreshold: 1000, batchSize: 1000 });
    api.writePoint(point('js-now', 1));
    for (let i = 0; i < 25_000; i++) {
      api.writeRecord(
        `cpu_load,hostname=js-many${i % 10},type=hwthread,type-id=${Math.floor(i / 100)} value=${i} ${TIME + 60 * (Math.floor(i / 10) % 10)}000000000`,
      );
    }
    await api.close();
    expect(errors).toEqual([]);
    // The client's close() waits for its last batch alone.
    const stored = async () => {
      const { body } = await ask(server.port, '/api/debug?summary=1&selector=js', { headers: bearer(jwt) });
      return (JSON.parse(body) as { clusters: Record<string, { samples: number }> }).clusters.js?.samples;
    };
    await expect.poll(stored).toBeGreaterThan(25_000);
    expect(await data('js', 'js-many3', '249')).toEqual(Array.from({ length: 10 }, (_, i) => 24_903 + 10 * i));
  });

  it('reports what it was refused, in words it understands', async () => {
    const bad = writer('js', 's');
    bad.api.writeRecord(`cpu_load,hostname=js-bad value=1 ${TIME}`);
    bad.api.writeRecord(`cpu_load,hostname=js-bad value=text ${TIME}`);
    await bad.api.close().catch(() => {});
    expect(bad.errors[0]).toBeInstanceOf(HttpError);
    expect(bad.errors[0]).toMatchObject({ statusCode: 400, json: { code: 'invalid' } });
    expect((bad.errors[0] as HttpError).json.message).toMatch(/^partial write: 1 line refused: line 2: /);
    expect(await data('js', 'js-bad')).toEqual([1]);

    const stranger = writer('js', 's', {}, token(tokenKey()));
    stranger.api.writePoint(point('js-stranger', 1).timestamp(TIME));
    await stranger.api.close().catch(() => {});
    expect(stranger.errors[0]).toMatchObject({ statusCode: 401, json: { code: 'unauthorized' } });
    expect(await data('js', 'js-stranger')).toBeUndefined();
  });

  it('delivers later what it could not while the server was away', async () => {
    // While the server loads, it says Retry-After: 5, which this client takes for milliseconds: hence so many.
    const retrying = {
      maxRetries: 10_000,
      minRetryDelay: 100,
      maxRetryDelay: 400,
      retryJitter: 1,
      maxRetryTime: LIMIT,
    };
    const { api } = writer('js', 's', retrying);
    const restarted = server.restart('SIGKILL');
    for (let i = 0; i < 5; i++) api.writePoint(point('js-later', i).timestamp(TIME + 60 * i));
    // Without its retry buffer, which tries on by itself; close() would give up what is in it.
    await api.flush(false).catch(() => {});
    server = await restarted;
    await expect.poll(() => data('js', 'js-later')).toEqual([0, 1, 2, 3, 4]);
    await api.close();
  });
});

/** Writes with each precision, plain and gzipped; prints what happened as one JSON object. */
const PYTHON = `
import json, sys
from influxdb_client import InfluxDBClient, Point, WritePrecision, WriteOptions
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
url, token, start = sys.argv[1], sys.argv[2], int(sys.argv[3])
done = {}
for gzip in (False, True):
    with InfluxDBClient(url=url, token=token, org="org", enable_gzip=gzip) as client:
        done["ping"] = client.ping()
        done["health"] = client.health().status
        done["version"] = client.version()
        for precision, unit in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
            points = []
            for i in range(5):
                point = Point("cpu_load").tag("hostname", f"py-{precision}-{gzip}").tag("note", "a b,c=d")
                points.append(point.field("value", i + 0.25).time((start + 60 * i) * unit, precision))
            client.write_api(write_options=SYNCHRONOUS).write("py", record=points, write_precision=precision)
        with client.write_api(write_options=WriteOptions(batch_size=500, flush_interval=1000)) as batches:
            for i in range(2000):
                batches.write("py", record=f"cpu_load,hostname=py-batch-{gzip},type=hwthread,type-id={i // 10} value={i}i {start + 60 * (i % 10)}", write_precision="s")
        try:
            client.write_api(write_options=SYNCHRONOUS).write("py", record=["cpu_load,hostname=py-bad value=1", "cpu_load,hostname=py-bad value=no"])
        except ApiException as error:
            done["bad"] = [error.status, error.message, json.loads(error.body)["code"]]
with InfluxDBClient(url=url, token=token[:-8] + "AAAAAAAA", org="org") as stranger:
    try:
        stranger.write_api(write_options=SYNCHRONOUS).write("py", record="cpu_load,hostname=py-stranger value=1")
    except ApiException as error:
        done["stranger"] = [error.status, json.loads(error.body)["code"]]
print(json.dumps(done))
`;

describe("InfluxDB's Python client", () => {
  it('writes points in every precision, plain and gzipped, at once and in batches', async () => {
    const done = JSON.parse(await python(['-c', PYTHON, server.url, jwt, String(TIME)])) as Record<string, unknown>;
    expect(done).toMatchObject({ ping: true, health: 'pass', stranger: [401, 'unauthorized'] });
    expect(done.version).toMatch(/^cc-metric-store-/);
    expect(done.bad).toEqual([400, expect.stringMatching(/^partial write: 1 line refused: line 2: /), 'invalid']);
    for (const gzip of ['False', 'True']) {
      for (const [precision] of UNITS) {
        expect(await data('py', `py-${precision}-${gzip}`)).toEqual([0.25, 1.25, 2.25, 3.25, 4.25]);
      }
      expect(await data('py', `py-batch-${gzip}`, '199')).toEqual(Array.from({ length: 10 }, (_, i) => 1990 + i));
    }
    expect(await data('py', 'py-stranger')).toBeUndefined();
  });
});
