/**
 * Three stores, two copies of each partition: any store answers all, whichever of them dies, stops, or loses its disk, and at
 * whatever moment. The tests share the cluster, in this order: the third store joins in the first one, the last one drains a store.
 *
 * Kills are aimed by proxies: bytes stop on their way, and what stands still then is killed.
 */
import { existsSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { seeded } from '../support/random.js';
import { until } from '../support/wait.js';
import { TestCluster, writeLines } from './cluster-driver.js';
import { Ledger } from './ledger.js';

const PARTITIONS = 8;
const IDS = ['a', 'b', 'c'] as const;
/** Of a file, which has ten times as many at least. */
const PART_OF_FILE = 2000;

const cluster = new TestCluster({
  partitions: PARTITIONS,
  replicas: 2,
  proxies: true,
  // Copies are handed over as soon as others are ready.
  cluster: { 'rebalance-after': '1s' },
});
const ledger = new Ledger(cluster, 24, Math.floor(Date.now() / 60_000) * 60 - 90_000);

beforeAll(async () => {
  await cluster.startNats();
  await Promise.all(['a', 'b'].map((id) => cluster.start(id)));
  await cluster.isWhole('a', 2);
});
afterAll(() => cluster.stop());

/** What all have acknowledged is answered by all, each from its own copies first. */
async function allAnswerAll(): Promise<void> {
  for (const id of IDS) await ledger.answersAll(id);
}

/** All is on the disks, and the streams are empty: whoever needs a copy has to take one from another store. */
async function trim(): Promise<void> {
  await until(
    async () =>
      (await cluster.status('a')).partitions.every(({ holders, acked }) =>
        holders.every(({ saved }) => saved >= acked),
      ),
    () => cluster.logs(),
  );
  await cluster.trim();
}

/** Waits until one of these stores is sending a file, of which a part has been sent. @returns which one. */
function sendsFile(ids: readonly string[], partition?: number): Promise<string> {
  const request = `GET /cluster/v1/files/${partition === undefined ? '' : `${partition}/`}`;
  return Promise.race(
    ids.map((id) =>
      cluster
        .peerProxy(id)
        .hold(request, PART_OF_FILE)
        .then(() => id),
    ),
  );
}

/** Files of partitions that are not a store's yet, with their sizes. */
function incoming(id: string): number[] {
  const root = join(cluster.of(id).dir, 'checkpoints');
  return readdirSync(root)
    .filter((name) => name.endsWith('.incoming'))
    .flatMap((name) => readdirSync(join(root, name)).map((file) => statSync(join(root, name, file)).size));
}

describe('a third store', () => {
  it('takes its share, whoever is killed while it copies; the others give up what it has', async () => {
    const random = seeded(1);
    await ledger.write('a', 1000, () => Math.floor(random() * 2 ** 40));
    await trim();
    const sending = sendsFile(['a', 'b']);
    await cluster.start('c');
    await sending;
    const { log } = cluster.of('c');
    await until(() => incoming('c').some((bytes) => bytes > 0), log);
    await cluster.of('c').stop('SIGKILL');
    expect(log()).not.toContain('was copied from');
    for (const id of ['a', 'b']) cluster.peerProxy(id).lose();
    await ledger.write('b');

    const sendsAgain = sendsFile(['b']);
    await cluster.restart('c', 'SIGKILL');
    await sendsAgain;
    await cluster.of('b').stop('SIGKILL');
    cluster.peerProxy('b').lose();
    await ledger.write('c');
    await ledger.answersAll('c');
    const copied = (): string[] =>
      cluster
        .of('c')
        .log()
        .match(/was copied from store \w/g) ?? [];
    await until(
      async () => copied().length === (await cluster.status('a')).partitions.filter(hasOwner('c')).length,
      () => cluster.logs(),
    );
    expect(new Set(copied())).toEqual(new Set(['was copied from store a']));
    await cluster.restart('b', 'SIGKILL');
    await cluster.isWhole('c', 3);
    expect(incoming('c')).toEqual([]);
    // The log of whom it was copied from is not missing here.
    expect(cluster.of('c').log()).not.toContain('is missing');
    expect((await ask(cluster.of('c').port, '/healthz')).body).not.toContain('missing"');
    await allAnswerAll();
    // Whoever gave a partition up has no more than the others.
    await until(
      async () => (await cluster.status('a')).partitions.every(({ holders }) => holders.length === 2),
      () => `copies to be handed over\n${cluster.logs()}`,
    );
    for (const id of ['a', 'b']) expect(removedFiles(id)).toEqual([]);
    await allAnswerAll();
  });
});

/** Files of partitions that a store has open although they are removed. */
function removedFiles(id: string): string[] {
  const folder = `/proc/${cluster.of(id).pid}/fd`;
  return readdirSync(folder)
    .map((name) => {
      try {
        return readlinkSync(join(folder, name));
      } catch {
        return 'closed meanwhile';
      }
    })
    .filter((path) => /partition-.*\(deleted\)$/.test(path));
}

function hasOwner(id: string) {
  return ({ owners }: { owners: string[] }): boolean => owners.includes(id);
}

describe('three stores', () => {
  it('answer the same at each, over kills, a stop in the middle of everything, and a lost disk', async () => {
    for (const id of IDS) {
      await ledger.write(id);
      // What one was acknowledged, the others know with its next heartbeat: until then they may lack it.
      await ledger.answersAll(id, 'session');
    }
    for (const id of IDS) await until(async () => (await ledger.differences(id, 'session')).length === 0);

    // One dies: the others answer all of it, and take writes.
    await cluster.of('b').stop('SIGKILL');
    for (const id of ['a', 'c']) {
      await ledger.write(id);
      await ledger.answersAll(id, 'session');
    }
    await cluster.restart('b', 'SIGKILL');
    await ledger.write('b');
    await ledger.answersAll('b', 'session');
    await cluster.isWhole('b');

    // One stands still.
    process.kill(cluster.of('c').pid, 'SIGSTOP');
    await ledger.write('a');
    await ledger.answersAll('a', 'session');
    process.kill(cluster.of('c').pid, 'SIGCONT');
    await cluster.isWhole('c');
    await ledger.answersAll('c');

    // One loses its disk, and the only one that has a partition yet is killed while it sends it.
    await trim();
    await cluster.of('a').stop('SIGKILL');
    rmSync(join(cluster.of('a').dir, 'checkpoints'), { recursive: true });
    const sending = sendsFile(['b', 'c']);
    await cluster.restart('a', 'SIGKILL');
    const sender = await sending;
    await cluster.of(sender).stop('SIGKILL');
    for (const id of ['b', 'c']) cluster.peerProxy(id).lose();
    await ledger.write('a');
    await cluster.restart(sender, 'SIGKILL');
    await cluster.isWhole('a');
    await allAnswerAll();

    // All are killed, and NATS with them.
    await Promise.all(IDS.map((id) => cluster.of(id).stop('SIGKILL')));
    await cluster.nats.stop();
    await cluster.startNats();
    await Promise.all(IDS.map((id) => cluster.restart(id, 'SIGKILL')));
    await cluster.isWhole('c');
    await allAnswerAll();
  });
});

describe('a write whose acknowledgement is on its way', () => {
  /** Writes to a store until its messages are in their streams, and NATS's answers stand. @returns the write's answer. */
  async function writeUnacknowledged(id: string) {
    const client = await connect({ servers: cluster.nats.url });
    const manager = await client.jetstreamManager();
    const last = async (): Promise<number> => {
      let sum = 0;
      for await (const { state } of manager.streams.list('ccms.test.p.*')) sum += state.last_seq;
      return sum;
    };
    const before = await last();
    const held = cluster.natsProxy(id).hold('PUB ccms.test.p.');
    const answer = writeLines(cluster.of(id).port, ledger.nextLines()).then(
      ({ status, body }) => ({ status, body }),
      (error: Error) => error,
    );
    await held;
    await until(async () => (await last()) - before >= PARTITIONS);
    await client.close();
    return { answer, last: before + PARTITIONS };
  }

  it('is acknowledged when NATS is killed and comes back, and stored once', async () => {
    const { answer } = await writeUnacknowledged('b');
    await cluster.nats.stop();
    cluster.natsProxy('b').lose();
    await cluster.startNats();
    expect(await answer).toMatchObject({ status: 200 });
    await cluster.isWhole('b');
    await allAnswerAll();
  });

  it('has no answer when its store is killed, and is the same in all copies', async () => {
    const { answer } = await writeUnacknowledged('b');
    await cluster.of('b').stop('SIGKILL');
    cluster.natsProxy('b').lose();
    expect(await answer).toBeInstanceOf(Error);
    for (const id of ['a', 'c']) await ledger.answersAll(id);
    await cluster.restart('b', 'SIGKILL');
    await cluster.isWhole('b');
    await allAnswerAll();
  });
});

describe('a store that is drained', () => {
  const drain = (): Promise<{ status: number }> => ask(cluster.of('a').port, '/api/cluster/drain', { method: 'POST' });
  const holdings = async (): Promise<number> =>
    (await cluster.status('b')).members.find(({ id }) => id === 'a')?.holds ?? Number.NaN;

  it('loses nothing when it is killed half way, and hands over all of it the next time', async () => {
    await trim();
    const { partitions } = await cluster.status('b');
    const own = partitions.filter(hasOwner('a')).map(({ partition }) => partition);
    const [last = Number.NaN] = own;
    const sending = sendsFile(IDS, last);
    expect((await drain()).status).toBe(200);
    await sending;
    await until(
      async () => (await holdings()) === 1,
      () => `all but partition ${last} to be handed over\n${cluster.logs()}`,
    );
    expect(existsSync(join(cluster.of('a').dir, `checkpoints/partition-${last}-of-${PARTITIONS}`))).toBe(true);
    await cluster.of('a').stop('SIGKILL');
    for (const id of IDS) cluster.peerProxy(id).letGo();
    await ledger.write('b');
    await ledger.answersAll('c');
    await cluster.restart('a', 'SIGKILL');
    // It is one of them again.
    await cluster.isWhole('a', 3);
    await allAnswerAll();

    expect((await drain()).status).toBe(200);
    await until(
      async () => (await holdings()) === 0,
      () => `store a to be drained\n${cluster.logs()}`,
    );
    await cluster.of('a').stop('SIGTERM');
    await ledger.write('b');
    await ledger.answersAll('c');
  });
});
