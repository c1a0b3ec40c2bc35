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
    await cluster.isWhole('a', 2);
    await cluster.isWhole('b', 2);
    // b answers with its own copy until it has found out that a has more.
    const whole = JSON.stringify(hosts.map(() => [0, 1, 2]));
    for (const { port } of [a, again]) {
      await until(
        async () => JSON.stringify(await valuesOf(port, hosts, TIME, 3, 'strong')) === whole,
        () => cluster.logs(),
      );
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
