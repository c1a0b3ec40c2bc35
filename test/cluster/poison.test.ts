/** A message that kills whoever applies it, and one that the core traps at. */
import { expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';
import { rewritten, SOONER } from './rewritten.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const POISONED = rewritten({ 'chunk-cluster.js': SOONER }, 'poison.mjs');
const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);

it.concurrent('is not applied any more after three deaths: its partition is stuck, the others serve, until an administrator leaves it out', async (test) => {
  const cluster = await TestCluster.of(test, { replicas: 1 });
  const first = await cluster.start('a', {}, POISONED);
  const write = async (host: string, value: number, bin: number): Promise<void> => {
    const answer = await writeLines(cluster.of('a').port, `m,hostname=${host} value=${value} ${TIME + bin * 60}\n`);
    expect(answer.status, answer.body).toBe(200);
  };
  for (const [i, host] of HOSTS.entries()) await write(host, i, 0);
  expect(await valuesOf(first.port, HOSTS, TIME, 1, 'strong')).toEqual(HOSTS.map((_, i) => [i]));
  // It may die before it has answered: the message is in the stream.
  await writeLines(first.port, `m,hostname=poison value=1 ${TIME}\n`).catch(() => {});
  let deaths = 1;
  expect(await first.exited).toBeNull();
  for (; deaths < 9; deaths++) {
    const store = await cluster.restart('a', 'SIGKILL').catch(() => undefined);
    if (!store) continue;
    let ended = false;
    void store.exited.then(() => {
      ended = true;
    });
    await until(() => ended || store.log().includes('is stuck before it'), cluster.logs());
    if (!ended) break;
  }
  expect(deaths).toBe(3);
  const store = cluster.of('a');
  const [, stream = '', partition] =
    /CRIT.*stream (CCMS_test_(\d)): message \d+ has failed 3 times/.exec(store.log()) ?? [];
  expect(stream, store.log()).not.toBe('');

  const notReady = async (): Promise<string[]> =>
    (await cluster.status('a')).partitions
      .filter(({ holders }) => !holders[0]?.ready)
      .map((one) => String(one.partition));
  await until(async () => (await notReady()).length === 1, cluster.logs());
  const isStuck = (host: string): Promise<boolean> =>
    valuesOf(store.port, [host], TIME, 1, 'strong').then(
      () => false,
      (error: Error) => error.message.includes(`no store that holds partition ${partition} has answered`),
    );
  expect(await notReady()).toEqual([partition]);
  const [poisoned, ...stuck] = await Promise.all(['poison', ...HOSTS].map(isStuck));
  expect(poisoned).toBe(true);
  expect(stuck.filter(Boolean).length).toBeLessThan(HOSTS.length);
  // Writes go on, and are kept for when it is not stuck any more.
  for (const [i, host] of HOSTS.entries()) await write(host, i, 1);
  for (const [i, host] of HOSTS.entries()) {
    if (!stuck[i]) expect(await valuesOf(store.port, [host], TIME, 2, 'strong')).toEqual([[i, i]]);
  }

  const none = await ask(store.port, '/api/cluster/accept-loss?partition=4', { method: 'POST' });
  expect([none.status, none.body]).toEqual([400, expect.stringContaining('there is no partition 4')]);
  const accepted = await ask(store.port, `/api/cluster/accept-loss?partition=${partition}`, { method: 'POST' });
  expect(accepted.status).toBe(200);
  expect(await valuesOf(store.port, HOSTS, TIME, 2, 'strong')).toEqual(HOSTS.map((_, i) => [i, i]));
});

it.concurrent('that fails without a death is tried three times as well, and is stuck for the next process too', async (test) => {
  const cluster = await TestCluster.of(test, { replicas: 1 });
  const store = await cluster.start('a', {}, POISONED);
  expect((await writeLines(store.port, `m,hostname=fault value=1 ${TIME}\n`)).status).toBe(200);
  const isStuck = /CRIT.*stream CCMS_test_(\d): message 1 has failed 3 times, by an error or the death of the process/;
  await until(() => isStuck.test(store.log()), store.log());
  const again = await cluster.restart('a', 'SIGTERM');
  // Its stop has not waited for the partition that nobody answers for.
  expect(store.log()).not.toContain('were not noted');
  await until(() => isStuck.test(again.log()), again.log());
  const [, partition] = isStuck.exec(again.log()) ?? [];
  for (const host of HOSTS) {
    expect((await writeLines(again.port, `m,hostname=${host} value=1 ${TIME}\n`)).status).toBe(200);
  }
  await ask(again.port, `/api/cluster/accept-loss?partition=${partition}`, { method: 'POST' });
  expect(await valuesOf(again.port, HOSTS, TIME, 1, 'strong')).toEqual(HOSTS.map(() => [1]));
});
