/** What can't be a store of a cluster does not start, and says why; what is no store is not answered. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';
import { rewritten } from './rewritten.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;

/** A start with sections of the configuration changed. */
async function startWith(
  cluster: TestCluster,
  id: string,
  change: Record<string, object>,
  dir = temporaryDirectory(),
): Promise<ServerProcess> {
  return startServer(
    (port) => {
      const config = cluster.config(id, port) as Record<string, object>;
      for (const [section, members] of Object.entries(change)) config[section] = { ...config[section], ...members };
      return config;
    },
    { dir, ...rewritten() },
  );
}

describe.concurrent('a start', () => {
  it('with an id that is in use is refused, and the first one goes on, unless it seems dead', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const store = await cluster.start('a');
    const refused = /another process is store a of cluster test, at http/;
    /** What another one says: with copies in its directory it may answer for a moment, while it makes sure. */
    const refusal = (dir: string): Promise<string> =>
      startWith(cluster, 'a', {}, dir).then(async (other) => {
        expect(await Promise.race([other.exited, store.exited.then(() => 'the first one')])).toBe(1);
        return other.log();
      }, String);
    // A copy of its directory says nothing about who is alive.
    const copy = temporaryDirectory();
    cpSync(join(store.dir, 'checkpoints'), join(copy, 'checkpoints'), { recursive: true });
    for (const text of await Promise.all([refusal(temporaryDirectory()), refusal(copy)])) expect(text).toMatch(refused);
    expect((await writeLines(store.port, `m,hostname=h value=1 ${TIME}\n`)).status).toBe(200);
    expect(await valuesOf(store.port, ['h'], TIME, 1)).toEqual([[1]]);

    // One that stands still looks dead; when it goes on, its id is another's.
    process.kill(store.pid, 'SIGSTOP');
    const third = await startWith(cluster, 'a', {});
    process.kill(store.pid, 'SIGCONT');
    expect(await Promise.race([store.exited, third.exited.then(() => 'the newer one')])).toBe(1);
    expect(store.log()).toMatch(/CRIT.*another process is store a of cluster test now; this one ends/s);
    expect(await valuesOf(third.port, ['h'], TIME, 1)).toEqual([[1]]);
  });

  it('with another number of partitions, or another form of a metric, is refused', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    await cluster.start('a');
    await expect(startWith(cluster, 'b', { cluster: { partitions: 8 } })).rejects.toThrow(
      /cluster\.partitions is 8, but cluster test was made with 4; that can't be changed/,
    );
    await expect(startWith(cluster, 'b', { metrics: { m: { frequency: 10, aggregation: 'sum' } } })).rejects.toThrow(
      /metrics\.m is "10 sum double" here, and "60 sum double" at store a/,
    );
  });

  it('on the data of a store that was alone, or of another cluster, is refused', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const alone = temporaryDirectory();
    mkdirSync(join(alone, 'checkpoints/partition-0-of-2'), { recursive: true });
    await expect(startWith(cluster, 'a', {}, alone)).rejects.toThrow(
      /partition-0-of-2 holds samples of a store with 2 partitions/,
    );
    await cluster.start('a');
    const other = temporaryDirectory();
    mkdirSync(join(other, 'checkpoints'));
    writeFileSync(join(other, 'checkpoints/cluster.json'), '{"name":"test","identity":"another"}');
    await expect(startWith(cluster, 'b', {}, other)).rejects.toThrow(
      /the data directory is of another cluster \(another\)/,
    );
  });

  it('that wants more copies of a stream than NATS can keep is refused', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    await expect(startWith(cluster, 'a', { cluster: { 'stream-replicas': 3 } })).rejects.toThrow(
      /NATS can't keep 3 copies of a stream.*\(cluster\.stream-replicas; one NATS server needs 1\)/,
    );
  });
});

describe.concurrent('a running store', () => {
  it('skips lines of a metric that another store lacks, with a warning, and takes them when it has it', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const more = { m: { frequency: 60, aggregation: 'sum' }, extra: { frequency: 60, aggregation: 'sum' } };
    const store = await startWith(cluster, 'a', { metrics: more });
    const line = `extra,hostname=h value=1 ${TIME}\n`;
    const stored = async (): Promise<boolean> => {
      await writeLines(store.port, line);
      return (await ask(store.port, '/api/debug?selector=c:h')).body.includes('extra');
    };
    const other = await cluster.start('b');
    await until(() => store.log().includes('lines of metric extra are skipped: store b does not have it'));
    expect(await stored()).toBe(false);
    await other.stop('SIGTERM');
    await until(stored);
  });

  it('answers nobody who does not know the secret', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const dir = temporaryDirectory();
    const secret = join(dir, 'secret');
    writeFileSync(secret, 's'.repeat(40), { mode: 0o600 });
    const store = await startWith(cluster, 'a', { cluster: { 'secret-file': secret } }, dir);
    for (const [method, path] of [
      ['POST', '/cluster/v1/query'],
      ['POST', '/cluster/v1/call'],
      ['POST', '/cluster/v1/snapshot'],
      ['GET', '/cluster/v1/pieces/x'],
      ['GET', '/cluster/v1/files/0/00000001.blocks'],
    ] as const) {
      const answer = await ask(store.port, path, { method, ...(method === 'POST' && { body: 'x' }) });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Ccms']);
      const signed = await ask(store.port, path, {
        method,
        headers: { Authorization: `Ccms ${Math.floor(Date.now() / 1000)}:${'0'.repeat(64)}` },
        ...(method === 'POST' && { body: 'x' }),
      });
      expect(signed.body).toMatch(/the signature is wrong/);
    }
  });

  it('leaves out what is no message of a store, and stays at one of a newer version', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const store = await cluster.start('a');
    const client = await connect({ servers: cluster.nats.url });
    for (let partition = 0; partition < 4; partition++) {
      await client.jetstream().publish(`ccms.test.p.${partition}`, 'm,hostname=h value=7\n');
    }
    expect((await writeLines(store.port, `m,hostname=h value=1 ${TIME}\n`)).status).toBe(200);
    expect(await valuesOf(store.port, ['h'], TIME, 1)).toEqual([[1]]);
    expect(store.log()).toMatch(/CRIT.*message 1 is left out/);
    for (let partition = 0; partition < 4; partition++) {
      await client.jetstream().publish(`ccms.test.p.${partition}`, '#{"v":2,"kind":"lines"}\nm,hostname=h value=8\n');
    }
    await until(() => store.log().includes('a message of version 2, expected 1: a newer store has written it'));
    await client.close();
  });
});
