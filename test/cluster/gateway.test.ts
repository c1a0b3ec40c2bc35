/**
 * Two stores that are configured differently, and a gateway in front of them that holds nothing. The tests share the cluster, and
 * leave it as they found it, but for the last one, which kills stores.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { publishRaw } from '../support/nats-server.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);
const IDS = ['a', 'b', 'g'] as const;
const SUM = { frequency: 60, aggregation: 'sum' };
const OLD = 'o'.repeat(40);
const NEW = 'n'.repeat(40);
const secrets = temporaryDirectory();

let cluster: TestCluster;

const secretOf = (id: string): string => join(secrets, id);
const writeSecret = (id: string, ...lines: string[]): void =>
  writeFileSync(secretOf(id), `${lines.join('\n')}\n`, { mode: 0o600 });

beforeAll(async () => {
  cluster = new TestCluster({ replicas: 1, isHurried: true });
  await cluster.startNats();
  const metrics = {
    a: { m: SUM, n: SUM, other: SUM },
    // The same ones in another order: what one calls the first is the second to the other.
    b: { other: SUM, n: SUM, m: SUM },
    g: { n: SUM, other: SUM, m: SUM },
  };
  for (const id of IDS) {
    writeSecret(id, OLD);
    await cluster.start(id, {
      metrics: metrics[id],
      cluster: { 'secret-file': secretOf(id), weight: id === 'g' ? 0 : 1 },
      'metric-store': { 'nats-subscriptions': [{ 'subscribe-to': 'lines', 'cluster-tag': 'c' }] },
    });
  }
  for (const id of IDS) await cluster.isWhole(id, 3);
});
afterAll(() => cluster.stop());

describe('a gateway without a share', () => {
  it('takes writes and answers queries, in columns too, and holds nothing', async () => {
    const { port } = cluster.of('g');
    const lines = HOSTS.map((host, i) => `m,hostname=${host} value=${i} ${TIME}\n`).join('');
    expect((await writeLines(port, lines)).status).toBe(200);
    expect(await valuesOf(port, HOSTS, TIME, 1)).toEqual(HOSTS.map((_, i) => [i]));
    const queries = HOSTS.map((host) => ({ metric: 'm', host }));
    const columns = await ask(port, '/api/query?format=csv', {
      method: 'POST',
      body: JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries }),
    });
    const time = new Date(TIME * 1000).toISOString();
    const [, ...rows] = columns.body.trim().split('\r\n');
    expect(rows).toEqual(HOSTS.map((host, i) => `${i},c,${host},m,node,,,,${time},${i}`));
    const { members } = await cluster.status('g');
    expect(members.map(({ id, holds }) => [id, holds > 0])).toEqual([
      ['a', true],
      ['b', true],
      ['g', false],
    ]);
  });
});

describe('stores that list their metrics in another order', () => {
  it('say what is held under its name', async () => {
    const lines = HOSTS.map((host) => `n,hostname=${host} value=1 ${TIME}\n`).join('');
    expect((await writeLines(cluster.of('a').port, lines)).status).toBe(200);
    for (const id of IDS) {
      await until(async () => {
        const { body } = await ask(cluster.of(id).port, '/api/contents?cluster=c');
        const { contents } = JSON.parse(body) as { contents: { metric: string; series: number }[] };
        const held = contents.map(({ metric, series }) => [metric, series]).sort();
        // It is counted once in 30 s.
        return (
          JSON.stringify(held) ===
          JSON.stringify([
            ['m', HOSTS.length],
            ['n', HOSTS.length],
          ])
        );
      });
    }
  });
});

describe('a strong read by PromQL', () => {
  it('finds hosts that another store has just acknowledged, by their names too', async () => {
    for (let n = 1; n <= 12; n++) {
      expect((await writeLines(cluster.of('a').port, `m,cluster=d,hostname=fresh${n} value=1 ${TIME}\n`)).status).toBe(
        200,
      );
      const query = encodeURIComponent('count(m{hostname=~"fresh.+"})');
      const path = `/api/v1/query?query=${query}&time=${TIME}&consistency=strong`;
      const { body } = await ask(cluster.of(n % 2 ? 'b' : 'g').port, path);
      expect(JSON.parse(body)).toMatchObject({ data: { result: [{ value: [TIME, String(n)] }] } });
    }
    const { status, body } = await ask(cluster.of('a').port, '/api/v1/series?match[]=m&consistency=weak');
    expect([status, JSON.parse(body)]).toEqual([
      400,
      expect.objectContaining({
        error: 'invalid parameter "consistency": expected "session" or "strong", got "weak"',
      }),
    ]);
  });
});

describe('subscriptions of all stores', () => {
  it('share the messages of a subject: each is stored once', async () => {
    const messages = HOSTS.flatMap((host) =>
      Array.from({ length: 25 }, (_, bin) => `m,hostname=${host} value=${bin} ${TIME + (bin + 1) * 60}\n`),
    );
    await publishRaw(cluster.nats.port, 'lines', messages);
    const expected = HOSTS.map(() => Array.from({ length: 25 }, (_, bin) => bin));
    await until(
      async () =>
        JSON.stringify(await valuesOf(cluster.of('g').port, HOSTS, TIME + 60, 25, 'strong')) ===
        JSON.stringify(expected),
      () => cluster.logs(),
    );
    const taken = await Promise.all(IDS.map((id) => figure(cluster.of(id).port, 'ccms_nats_messages_total')));
    expect(taken.reduce((a, b) => a + b, 0)).toBe(messages.length);
    // NATS hands them out by chance: that one of three gets none of 300 does not happen.
    for (const n of taken) expect(n).toBeGreaterThan(0);
  });
});

describe('the secret', () => {
  /** Has a store read its file again. */
  async function reload(id: string, ...lines: string[]): Promise<void> {
    const store = cluster.of(id);
    const before = store.log().length;
    writeSecret(id, ...lines);
    process.kill(store.pid, 'SIGHUP');
    await until(() => /secret|was read again: its first line/.test(store.log().slice(before)));
  }

  it('is changed by SIGHUP, one store after the other, without a question that fails', async () => {
    const answers = async (): Promise<void> => {
      expect(await valuesOf(cluster.of('g').port, HOSTS, TIME, 1)).toEqual(HOSTS.map((_, i) => [i]));
    };
    for (const lines of [[OLD, NEW], [NEW, OLD], [NEW]]) {
      for (const id of IDS) {
        await reload(id, ...lines);
        await answers();
      }
    }
    // The old one is no good any more.
    await reload('g', OLD);
    const refused = await ask(cluster.of('g').port, '/api/query', {
      body: JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'm', host: 'h0' }] }),
    });
    expect([refused.status, refused.body]).toEqual([503, expect.stringMatching(/no store that holds partition \d/)]);
    // A file that makes no sense changes nothing.
    await reload('g', NEW);
    await reload('g', 'short');
    expect(cluster.of('g').log()).toMatch(
      /secret of the cluster was not read again.*expected a line of at least 32 bytes/,
    );
    await answers();
  });
});

describe('a store that is killed while it sends a long answer', () => {
  it('breaks the connection: nobody takes a part for the whole', async () => {
    const [host] = HOSTS;
    const bins = 2000;
    const lines = Array.from({ length: bins }, (_, k) => `m,hostname=${host} value=${1 / (k + 3)} ${TIME - k * 60}\n`);
    expect((await writeLines(cluster.of('a').port, lines.join(''))).status).toBe(200);
    const queries = Array.from({ length: 4000 }, () => ({ metric: 'm', host }));
    const body = JSON.stringify({ cluster: 'c', from: TIME - bins * 60, to: TIME + 60, queries });
    const question = request({ port: cluster.of('g').port, path: '/api/query?consistency=strong', method: 'POST' });
    question.on('error', () => {});
    question.end(body);
    const [answer] = (await once(question, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    // The reader waits, and with it whoever sends, long before all of 160 MB are on their way.
    await once(answer, 'readable');
    await Promise.all([cluster.of('a').stop('SIGKILL'), cluster.of('b').stop('SIGKILL')]);
    let bytes = 0;
    const ended = new Promise<string>((resolve) => {
      answer.on('end', () => resolve('end'));
      answer.on('error', (error) => resolve(error.message));
    });
    answer.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    expect([await ended, answer.complete]).toEqual(['aborted', false]);
    expect(bytes).toBeGreaterThan(0);
  });
});
