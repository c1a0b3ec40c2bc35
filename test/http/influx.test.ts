import { InfluxDB, Point } from '@influxdata/influxdb-client';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/store/store.js';
import { ask } from '../support/client.js';
import { start } from './harness.js';

const LINE = 'cpu_load,hostname=a1 value=1 1699999980\n';

describe('InfluxDB write aliases', () => {
  it.each([
    ['/write?db=alex', 'alex', 'auto'],
    ['/write/?db=alex&rp=x&precision=s', 'alex', 's'],
    ['/write?db=alex&precision=u', 'alex', 'us'],
    ['/write?db=alex&precision=%C2%B5', 'alex', 'us'],
    ['/write?db=alex&precision=n', 'alex', 'ns'],
    ['/write', '', 'auto'],
    ['/api/v2/write?org=o&bucket=alex&precision=ms', 'alex', 'ms'],
    ['/api/v2/write?bucket=alex/autogen&precision=us', 'alex', 'us'],
    ['/api/v2/write/?bucket=alex&precision=ns', 'alex', 'ns'],
  ])('stores %s', async (path, cluster, precision) => {
    const { port, store } = await start();
    const answer = await ask(port, path, { body: LINE });
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(store.written).toEqual([{ text: LINE, cluster, precision }]);
  });

  it.each(['/write', '/api/v2/write'])('answers errors of %s in the shape that clients read', async (path) => {
    const { port, store } = await start();
    const refusal = async (query: string) => {
      const answer = await ask(port, `${path}${query}`, { body: LINE });
      return {
        status: answer.status,
        ...(JSON.parse(answer.body) as { code: string; message: string; error: string }),
      };
    };
    const bad = await refusal('?precision=h');
    expect(bad).toMatchObject({
      status: 400,
      code: 'invalid',
      message: 'precision: expected s, ms, us or ns, got "h"',
    });
    expect(bad.error).toBe(bad.message);
    store.outcome = { stored: 1, skipped: 0, refused: 1, refusals: [{ line: 2, reason: 'no host' }] };
    expect(await refusal('')).toMatchObject({
      status: 400,
      code: 'invalid',
      message: 'partial write: 1 line refused: line 2: no host',
    });
    store.outcome = new StoreError('OVERLOADED', 'busy');
    expect(await refusal('')).toMatchObject({ status: 503, code: 'unavailable', message: 'busy' });
  });

  it('answers ping and health', async () => {
    const { port, store } = await start({ version: '1.2.3' });
    for (const method of ['GET', 'HEAD']) {
      const ping = await ask(port, '/ping', { method });
      expect(ping.status).toBe(204);
      expect(ping.headers['x-influxdb-version']).toBe('cc-metric-store-1.2.3');
      expect(ping.headers['content-length']).toBeUndefined();
    }
    expect(JSON.parse((await ask(port, '/health')).body)).toMatchObject({ status: 'pass', version: '1.2.3' });
    store.state = 'loading';
    const health = await ask(port, '/health');
    expect(health.status).toBe(503);
    expect(JSON.parse(health.body)).toMatchObject({ status: 'fail' });
  });

  it("takes what InfluxDB's own JavaScript client sends, compressed or not", async () => {
    const { port, store } = await start();
    for (const gzipThreshold of [0, 1 << 20]) {
      const client = new InfluxDB({ url: `http://127.0.0.1:${port}`, token: 'unused' });
      const writer = client.getWriteApi('org', 'alex', 's', { gzipThreshold });
      writer.writePoint(new Point('cpu_load').tag('hostname', 'a1').floatField('value', 1.5).timestamp(1699999980));
      await writer.close();
    }
    const written = { text: 'cpu_load,hostname=a1 value=1.5 1699999980', cluster: 'alex', precision: 's' };
    expect(store.written).toEqual([written, written]);
  });
});
