/** What is freed by age is freed in all copies, by messages of whoever knows what time it is. */
import { connect } from 'nats';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { until } from '../support/wait.js';
import { TestCluster, writeLines } from './cluster-driver.js';
import { rewritten } from './rewritten.js';

const AHEAD = rewritten({}, 'late-clock.mjs');
const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);
/** Of these the samples are old only by a clock that is an hour ahead. */
const LATER = HOSTS.map((host) => `later${host}`);

let cluster: TestCluster;

beforeEach(async () => {
  cluster = new TestCluster({
    replicas: 2,
    metrics: { m: { frequency: 1, aggregation: 'sum' } },
    store: { 'retention-in-memory': '6s' },
  });
  await cluster.startNats();
});
afterEach(() => cluster.stop());

/** Of so many hosts a store has samples. */
async function held(port: number, hosts: readonly string[], from: number, to: number): Promise<number> {
  const queries = hosts.map((host) => ({ metric: 'm', host }));
  const answer = await ask(port, '/api/query', {
    method: 'POST',
    body: JSON.stringify({ cluster: 'c', from, to, queries }),
  });
  return answer.body.match(/"data":\[[^\]]*1/g)?.length ?? 0;
}

it('copies free the same; a store whose clock is wrong says so, and does not decide what is old', async () => {
  const a = await cluster.start('a');
  const b = await cluster.start('b', {}, AHEAD);
  await cluster.isWhole('a', 2);
  const { partitions } = await cluster.status('a');
  expect(partitions.some(({ owners }) => owners[0] === 'b')).toBe(true);
  const now = Math.floor(Date.now() / 1000);
  const lines = [...HOSTS.map((host) => [host, now - 2]), ...LATER.map((host) => [host, now + 200])];
  const written = await writeLines(
    a.port,
    lines.map(([host, time]) => `m,hostname=${host} value=1 ${time}\n`).join(''),
  );
  expect(written.status, written.body).toBe(200);
  for (const { port, log } of [a, b]) {
    await until(async () => (await held(port, HOSTS, now - 60, now + 60)) === 0, log);
    expect(await held(port, LATER, now + 60, now + 260)).toBe(LATER.length);
  }
  expect(b.log()).toMatch(/WARN.*the clock of this store is (3600|3599) s ahead of that of NATS/);
  expect(a.log()).not.toContain('the clock of this store');
  const { members } = JSON.parse((await ask(a.port, '/api/cluster')).body) as { members: { clockAhead: number }[] };
  expect(members.map(({ clockAhead }) => Math.abs(Math.round(clockAhead / 60)))).toEqual([0, 60]);
  const client = await connect({ servers: cluster.nats.url });
  const manager = await client.jetstreamManager();
  for (const { partition } of partitions) {
    const { data } = await manager.streams.getMessage(`CCMS_test_${partition}`, {
      last_by_subj: `ccms.test.p.${partition}`,
    });
    const { kind, to } = JSON.parse(new TextDecoder().decode(data).slice(1)) as { kind: string; to: number };
    expect(kind).toBe('retain');
    expect(to).toBeLessThan(now + 60);
  }
  await client.close();
});
