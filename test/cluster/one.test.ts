/** A cluster of one: every write goes by way of the stream, and nothing else is different. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { difference, type Step } from '../golden/compare.js';
import { ask, figure } from '../support/client.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';
import { rewritten } from './rewritten.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const FOLDER = join(import.meta.dirname, '../golden');
/** The others say the same of other queries. */
const SCENARIOS = /basic-node|free-debug-health|line-protocol|hierarchy/;

it('a store without the section cluster loads nothing of it and has none of its files', async () => {
  const config = new TestCluster().config('a', 0) as Record<string, object>;
  // Whoever loads it finds that this text is not in it, and ends.
  const { cluster: _, nats: __, ...alone } = config;
  const server = await startServer(alone, rewritten({ 'chunk-cluster.js': { 'no such text': '' } }));
  expect((await writeLines(server.port, `m,hostname=h value=1 ${TIME}\n`)).status).toBe(200);
  expect(await valuesOf(server.port, ['h'], TIME, 1)).toEqual([[1]]);
  expect(await server.stop()).toBe(0);
  const files = readdirSync(join(server.dir, 'checkpoints'), { recursive: true }).map(String);
  expect(files.filter((name) => /cluster|stream/.test(name))).toEqual([]);
});

describe.concurrent('a cluster of one', () => {
  it('answers what it has acknowledged, at once and after kills', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 1 });
    let store = await cluster.start('a');
    const hosts = Array.from({ length: 12 }, (_, i) => `h${i}`);
    for (let bin = 0; bin < 30; bin++) {
      const lines = hosts.map((host, i) => `m,hostname=${host} value=${bin * 100 + i} ${TIME + bin * 60}\n`).join('');
      const answer = await writeLines(store.port, lines);
      expect(answer.status, answer.body).toBe(200);
      const values = await valuesOf(store.port, hosts, TIME, 30);
      expect(values.map((row) => row[bin])).toEqual(hosts.map((_, i) => bin * 100 + i));
      if (bin === 9) {
        store = await cluster.restart('a', 'SIGKILL');
        await until(() => store.log().includes('the last process of store a is dead'), store.log());
      } else if (bin % 10 === 9) store = await cluster.restart('a', 'SIGTERM');
    }
    const values = await valuesOf(store.port, hosts, TIME, 30);
    expect(values).toEqual(hosts.map((_, i) => Array.from({ length: 30 }, (_, bin) => bin * 100 + i)));
  });

  it('refuses what it refused alone, and publishes neither that nor comments', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 1 });
    const store = await cluster.start('a');
    const head = '#{"v":1,"kind":"free","to":99999999999,"selectors":[["c"]]}';
    const good = `m,hostname=h value=1 ${TIME}`;
    const answer = await writeLines(
      store.port,
      `${head}\n${good}\nm,hostname=h value=x ${TIME}\nunknown,hostname=h value=1 ${TIME}\n`,
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('line 3');
    expect(await valuesOf(store.port, ['h'], TIME, 1)).toEqual([[1]]);
    expect((await writeLines(store.port, head)).status).toBe(200);
    expect(await valuesOf(store.port, ['h'], TIME, 1)).toEqual([[1]]);
    expect(await figure(store.port, 'ccms_lines_refused_total{reason="bad_value"}')).toBe(1);
    expect(await figure(store.port, 'ccms_lines_skipped_total')).toBe(1);
  });

  it('says 503 without NATS, answers with what it has, and goes on when NATS is back', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 1, isHurried: true });
    const store = await cluster.start('a');
    await writeLines(store.port, `m,hostname=h value=1 ${TIME}\n`);
    await cluster.nats.stop();
    const refused = await writeLines(store.port, `m,hostname=h value=2 ${TIME + 60}\n`);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatch(/stream CCMS_test_\d did not acknowledge/);
    const stale = await ask(store.port, '/api/query', {
      method: 'POST',
      body: JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'm', host: 'h' }] }),
    });
    expect(stale.status, stale.body).toBe(200);
    expect(Number(stale.headers['x-ccms-stale'])).toBeGreaterThan(2);
    const contents = await ask(store.port, '/api/contents?cluster=c');
    expect([contents.status, Number(contents.headers['x-ccms-stale'])]).toEqual([200, expect.any(Number)]);
    expect(await figure(store.port, 'ccms_cluster_stale_answers_total')).toBeGreaterThan(1);
    // What no partition is asked for is as good as ever.
    expect((await ask(store.port, '/healthz')).headers['x-ccms-stale']).toBeUndefined();
    await cluster.startNats();
    const again = async (): Promise<number> =>
      (await writeLines(store.port, `m,hostname=h value=3 ${TIME + 120}\n`)).status;
    await until(async () => (await again()) === 200, store.log);
    const [values] = await valuesOf(store.port, ['h'], TIME, 3);
    expect([values?.[0], values?.[2]]).toEqual([1, 3]);
  });
});

describe.concurrent('recorded answers of the reference, through JetStream', () => {
  for (const file of readdirSync(FOLDER).filter(
    (name) => name.endsWith('.json.gz') && (process.env.CCMS_LONG || SCENARIOS.test(name)),
  )) {
    const scenario = JSON.parse(gunzipSync(readFileSync(join(FOLDER, file))).toString()) as {
      name: string;
      config: { main: Record<string, string> };
      steps: Step[];
    };
    it(scenario.name, async (test) => {
      const cluster = await TestCluster.of(test, { replicas: 1 });
      const { addr: _, ...main } = scenario.config.main;
      const server = await startServer((port) => {
        const { nats, cluster: section } = cluster.config('a', port) as { nats: object; cluster: object };
        return { ...scenario.config, main, nats, cluster: section };
      });
      const different: string[] = [];
      for (const [i, step] of scenario.steps.entries()) {
        const { method, path, headers, body } = step;
        const answer = await ask(server.port, path, { method, headers: headers ?? {}, body: body ?? '' });
        const why = difference(step, answer, scenario.steps);
        if (why) different.push(`step ${i} ${method} ${path} ${(body ?? '').slice(0, 140)}\n  ${why}`);
      }
      expect(different.join('\n')).toBe('');
      expect(await server.stop()).toBe(0);
    });
  }
});
