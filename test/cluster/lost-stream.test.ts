/** A stream that is lost while stores run. */
import { connect } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;

let cluster: TestCluster;

beforeEach(async () => {
  cluster = new TestCluster({ replicas: 2 });
  await cluster.startNats();
});
afterEach(() => cluster.stop());

describe('a stream that is deleted', () => {
  it('is made anew; what copies hold of it stays, and a copy that had less is replaced', async () => {
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    await cluster.isWhole('a', 2);
    const hosts = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7'];
    const write = async (port: number, bin: number): Promise<void> => {
      const lines = hosts.map((host) => `m,hostname=${host} value=${bin} ${TIME + bin * 60}\n`).join('');
      const answer = await writeLines(port, lines);
      expect(answer.status, `${answer.body}\n${cluster.logs()}`).toBe(200);
    };
    await write(a.port, 0);
    // b stands still, and misses this.
    await until(async () => (await valuesOf(b.port, hosts, TIME, 1, 'strong')).every(([value]) => value === 0));
    await b.stop('SIGKILL');
    await write(a.port, 1);
    await until(async () =>
      (await cluster.status('a')).partitions.every(({ holders, acked }) =>
        holders.some(({ id, saved }) => id === 'a' && saved === acked),
      ),
    );
    const client = await connect({ servers: cluster.nats.url });
    const manager = await client.jetstreamManager();
    for (let partition = 0; partition < 4; partition++) await manager.streams.delete(`CCMS_test_${partition}`);
    await client.close();
    await write(a.port, 2);
    const again = await cluster.restart('b', 'SIGKILL');
    // b is not asked before it has compared itself with a, nor does it answer with its own copy.
    for (const { port } of [again, a, again, a]) {
      expect(await valuesOf(port, hosts, TIME, 3, 'strong'), cluster.logs()).toEqual(hosts.map(() => [0, 1, 2]));
    }
    expect(a.log()).toMatch(/CRIT.*were lost, and are made anew/);
    // All of it is in b's own copies.
    await until(
      () => again.log().match(/was copied from store a/g)?.length === 4,
      () => cluster.logs(),
    );
    await cluster.isWhole('b', 2);
    await a.stop('SIGKILL');
    expect(await valuesOf(again.port, hosts, TIME, 3, 'strong'), again.log()).toEqual(hosts.map(() => [0, 1, 2]));
  });
});
