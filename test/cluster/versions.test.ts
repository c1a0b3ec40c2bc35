/** Stores of two versions: an upgrade goes one store after the other, in any order. */
import { connect } from 'nats';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';
import { rewritten } from './rewritten.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
/** One that speaks the next version of messages, and this one. */
const NEXT = rewritten({ 'chunk-cluster.js': { 'const MESSAGE_VERSION = 1;': 'const MESSAGE_VERSION = 2;' } });

let cluster: TestCluster;

beforeEach(async () => {
  cluster = new TestCluster({ partitions: 1, replicas: 2, cluster: { 'rebalance-after': '1s' } });
  await cluster.startNats();
});
afterEach(() => cluster.stop());

/** The version of the newest message. */
async function lastVersion(): Promise<number> {
  const connection = await connect({ servers: cluster.nats.url });
  const manager = await connection.jetstreamManager();
  const { data } = await manager.streams.getMessage('CCMS_test_0', { last_by_subj: 'ccms.test.p.0' });
  await connection.close();
  const [head = ''] = new TextDecoder().decode(data).split('\n');
  return (JSON.parse(head.slice(1)) as { v: number }).v;
}

/** Stores whose copy may be asked, as this one sees it. */
async function readyAt(id: string): Promise<string[]> {
  const { partitions } = await cluster.status(id);
  return partitions[0]?.holders.filter(({ ready }) => ready).map((holder) => holder.id) ?? [];
}

it('messages are of the newest version that all members read; an old store does not get past a newer one', async () => {
  const expected: number[] = [];
  const write = async (id: string): Promise<void> => {
    const bin = expected.length;
    expected.push(bin);
    const answer = await writeLines(cluster.of(id).port, `m,hostname=h value=${bin} ${TIME + bin * 60}\n`);
    expect(answer.status, answer.body).toBe(200);
  };
  const answers = async (...ids: string[]): Promise<void> => {
    for (const id of ids) {
      expect(await valuesOf(cluster.of(id).port, ['h'], TIME, expected.length, 'strong')).toEqual([expected]);
    }
  };
  await cluster.start('new', {}, NEXT);
  await cluster.start('old');
  await cluster.isWhole('new', 2);
  await write('new');
  expect(await lastVersion()).toBe(1);
  await write('old');
  await answers('new', 'old');

  // Whoever is away comes back, until its place is given to others.
  const { dir } = cluster.of('old');
  await cluster.of('old').stop('SIGTERM');
  await write('new');
  expect(await lastVersion()).toBe(1);
  await until(() => cluster.of('new').log().includes('store old has been away'));
  await until(async () => (await cluster.status('new')).members.length === 1);
  await write('new');
  expect(await lastVersion()).toBe(2);
  await answers('new');

  // The old one is no copy of what it can't read, and says so; the new one answers for it.
  await cluster.start('old', {}, { dir });
  await until(() =>
    cluster.of('old').log().includes('a message of version 2, expected 1: a newer store has written it'),
  );
  await answers('old');
  expect(await readyAt('old')).toEqual(['new']);
  await write('old');
  expect(await lastVersion()).toBe(1);
  await answers('new', 'old');
  expect(await readyAt('new')).toEqual(['new']);

  await cluster.of('old').stop('SIGTERM');
  await cluster.start('old', {}, { dir, ...NEXT });
  await cluster.isWhole('new', 2);
  await cluster.of('new').stop('SIGKILL');
  await answers('old');
});
