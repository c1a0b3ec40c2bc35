/** Three stores, two copies of each partition: any store answers all, whichever of them dies, stops, or loses its disk. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const HOSTS = Array.from({ length: 24 }, (_, i) => `h${i}`);
const IDS = ['a', 'b', 'c'] as const;

let cluster: TestCluster;
/** Values that were acknowledged, by host and bin. */
let acknowledged: (number | null)[][];
let nextBin: number;

beforeEach(async () => {
  cluster = new TestCluster({ partitions: 8, replicas: 2 });
  await cluster.startNats();
  acknowledged = HOSTS.map(() => []);
  nextBin = 0;
});
afterEach(() => cluster.stop());

/** Writes one more bin of all hosts to a store. */
async function writeBin(id: string): Promise<void> {
  const bin = nextBin++;
  const lines = HOSTS.map((host, i) => `m,hostname=${host} value=${bin * 100 + i} ${TIME + bin * 60}\n`).join('');
  const answer = await writeLines(cluster.of(id).port, lines);
  expect(answer.status, `${answer.body}\n${cluster.logs()}`).toBe(200);
  for (const [i, row] of acknowledged.entries()) row[bin] = bin * 100 + i;
}

/** What a store answers is what was acknowledged, all of it. */
async function answersAll(id: string): Promise<void> {
  expect(await valuesOf(cluster.of(id).port, HOSTS, TIME, nextBin)).toEqual(acknowledged);
}

describe('three stores', () => {
  it('answer the same at each, over kills, a stop in the middle of everything, and a lost disk', async () => {
    await Promise.all(IDS.map((id) => cluster.start(id)));
    await cluster.isWhole('a');
    const { partitions } = await cluster.status('b');
    for (const { owners } of partitions) expect(owners).toHaveLength(2);

    for (const id of IDS) {
      await writeBin(id);
      // What one was acknowledged, the others know with its next heartbeat: until then they may lack it.
      await answersAll(id);
    }
    for (const id of IDS)
      await until(async () => (await valuesOf(cluster.of(id).port, HOSTS, TIME, 3))[0]?.[2] === 200);
    for (const id of IDS) await answersAll(id);

    // One dies: the others answer all of it, and take writes.
    await cluster.of('b').stop('SIGKILL');
    await writeBin('a');
    await answersAll('a');
    await writeBin('c');
    await answersAll('c');
    await cluster.restart('b', 'SIGKILL');
    await writeBin('b');
    await answersAll('b');
    await cluster.isWhole('b');

    // One stands still.
    process.kill(cluster.of('c').pid, 'SIGSTOP');
    await writeBin('a');
    await answersAll('a');
    process.kill(cluster.of('c').pid, 'SIGCONT');
    await cluster.isWhole('c');
    await answersAll('c');

    // One loses its disk.
    await cluster.of('a').stop('SIGKILL');
    rmSync(join(cluster.of('a').dir, 'checkpoints'), { recursive: true });
    await cluster.restart('a', 'SIGKILL');
    await cluster.isWhole('a');
    await writeBin('a');
    await answersAll('a');

    // All are killed, and NATS with them.
    await Promise.all(IDS.map((id) => cluster.of(id).stop('SIGKILL')));
    await cluster.nats.stop();
    await cluster.startNats();
    await Promise.all(IDS.map((id) => cluster.restart(id, 'SIGKILL')));
    await cluster.isWhole('c');
    for (const id of IDS) await answersAll(id);
  });

  it('share the partitions anew when one joins or is drained; samples come from copies once the stream is trimmed', async () => {
    // Copies are handed over as soon as others are ready.
    const soon = { cluster: { 'rebalance-after': '1s' } };
    await Promise.all(['a', 'b'].map((id) => cluster.start(id, soon)));
    await cluster.isWhole('a', 2);
    for (let i = 0; i < 3; i++) await writeBin('a');
    await until(
      async () =>
        (await cluster.status('a')).partitions.every(({ holders }) =>
          holders.every(({ saved, applied }) => saved === applied),
        ),
      () => cluster.logs(),
    );
    await cluster.trim();

    await cluster.start('c', soon);
    await cluster.isWhole('c', 3);
    expect((await cluster.status('c')).members.find(({ id }) => id === 'c')?.holds).toBeGreaterThan(0);
    expect(cluster.of('c').log()).toMatch(/was copied from store [ab]/);
    // The log of whom it was copied from is not missing here.
    expect(cluster.of('c').log()).not.toContain('is missing');
    expect((await ask(cluster.of('c').port, '/healthz')).body).not.toContain('missing"');
    await writeBin('c');
    await answersAll('c');
    // Whoever gave a partition up has no more than the others.
    await until(
      async () => (await cluster.status('a')).partitions.every(({ holders }) => holders.length === 2),
      () => `copies to be handed over\n${cluster.logs()}`,
    );
    await writeBin('a');
    await answersAll('b');

    const drained = await ask(cluster.of('a').port, '/api/cluster/drain', { method: 'POST' });
    expect(drained.status).toBe(200);
    await until(
      async () => (await cluster.status('b')).members.find(({ id }) => id === 'a')?.holds === 0,
      () => `store a to be drained\n${cluster.logs()}`,
    );
    await cluster.of('a').stop('SIGTERM');
    await writeBin('b');
    await answersAll('c');
  });
});
