/** A stream that is lost while stores run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nats';
import { describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;

const HOSTS = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7'];

async function write(port: number, bin: number): Promise<void> {
  const lines = HOSTS.map((host) => `m,hostname=${host} value=${bin} ${TIME + bin * 60}\n`).join('');
  const answer = await writeLines(port, lines);
  expect(answer.status, answer.body).toBe(200);
}

async function deleteStreams(cluster: TestCluster): Promise<void> {
  const client = await connect({ servers: cluster.nats.url });
  const manager = await client.jetstreamManager();
  for (let partition = 0; partition < 4; partition++) await manager.streams.delete(`CCMS_test_${partition}`);
  await client.close();
}

describe.concurrent('a stream that is deleted', () => {
  it('is made anew; what copies hold of it stays, and a copy that had less is replaced', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    await cluster.isWhole('a', 2);
    await write(a.port, 0);
    // b stands still, and misses this.
    await until(async () => (await valuesOf(b.port, HOSTS, TIME, 1, 'strong')).every(([value]) => value === 0));
    await b.stop('SIGKILL');
    await write(a.port, 1);
    await until(async () =>
      (await cluster.status('a')).partitions.every(
        ({ holders, acked }) => acked >= 2 && holders.some(({ id, saved }) => id === 'a' && saved === acked),
      ),
    );
    await deleteStreams(cluster);
    await write(a.port, 2);
    const again = await cluster.restart('b', 'SIGKILL');
    // b is not asked before it has compared itself with a, nor does it answer with its own copy.
    for (const { port } of [again, a, again, a]) {
      expect(await valuesOf(port, HOSTS, TIME, 3, 'strong'), cluster.logs()).toEqual(HOSTS.map(() => [0, 1, 2]));
    }
    expect(a.log()).toMatch(/CRIT.*were lost, and are made anew/);
    // All of it is in b's own copies.
    await until(
      () => again.log().match(/was copied from store a/g)?.length === 4,
      () => cluster.logs(),
    );
    await cluster.isWhole('b', 2);
    await a.stop('SIGKILL');
    expect(await valuesOf(again.port, HOSTS, TIME, 3, 'strong'), again.log()).toEqual(HOSTS.map(() => [0, 1, 2]));
  });

  it('is not answered for by a copy that had less of it, while the other one says nothing', async (test) => {
    const cluster = await TestCluster.of(test, { replicas: 2 });
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    await cluster.isWhole('a', 2);
    await write(a.port, 0);
    await until(async () => (await valuesOf(b.port, HOSTS, TIME, 1, 'strong')).every(([value]) => value === 0));
    await b.stop('SIGKILL');
    await write(a.port, 1);
    // Its heartbeat says by then that it has it.
    await until(async () =>
      (await cluster.status('a')).partitions.every(
        ({ holders, acked }) => acked >= 2 && holders.some(({ id, saved }) => id === 'a' && saved === acked),
      ),
    );
    process.kill(a.pid, 'SIGSTOP');
    await deleteStreams(cluster);
    const again = await cluster.restart('b', 'SIGKILL');
    const lacking: string[] = [];
    const asking = (async () => {
      for (let answered = false; !answered; ) {
        const queries = HOSTS.map((host) => ({ metric: 'm', host }));
        const body = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 120, queries });
        const answer = await ask(again.port, '/api/query?consistency=strong', { method: 'POST', body });
        // One that says how old it is may lack something.
        answered = answer.status === 200 && answer.headers['x-ccms-stale'] === undefined;
        if (answered && answer.body.match(/"data":\[0,1\]/g)?.length !== HOSTS.length) lacking.push(answer.body);
      }
    })();
    // It has read all that there is now, and would answer.
    await until(
      async () => JSON.parse((await ask(again.port, '/api/cluster')).body).lag === 0,
      () => again.log(),
    );
    await sleep(300);
    process.kill(a.pid, 'SIGCONT');
    await asking;
    expect(lacking, cluster.logs()).toEqual([]);
  });
});
