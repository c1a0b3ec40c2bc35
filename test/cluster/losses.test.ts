/** What is full, lost for good, or has no room: an error that says so, nothing answered wrongly, and an administrator who goes on. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterAll, describe, expect, it } from 'vitest';
import { type Answer, ask, figure } from '../support/client.js';
import type { ServerProcess } from '../support/server-process.js';
import { canMount, fillDisk, smallDisk, unmountDisks } from '../support/small-disk.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const LIMIT = 1 << 20;
/** Of a body of about 100 KiB. */
const LINES = 2_000;

const OPTIONS = { partitions: 1, replicas: 1, proxies: true, isHurried: true, cluster: { 'stream-max-bytes': LIMIT } };

afterAll(() => unmountDisks());

/** Waits until what is applied is safe on the store's disk. */
async function isSaved(cluster: TestCluster, id: string): Promise<void> {
  await until(async () =>
    (await cluster.status(id)).partitions.every(({ holders }) => holders.every((one) => one.saved === one.applied)),
  );
}

async function acceptLoss({ port }: { port: number }) {
  return ask(port, '/api/cluster/accept-loss?partition=0', { method: 'POST' });
}

describe.concurrent('a stream', () => {
  it('that is full refuses writes with its name, loses nothing, and takes them again once it is trimmed', async (test) => {
    const cluster = await TestCluster.of(test, OPTIONS);
    const { port } = await cluster.start('a');
    const bodyOf = (bin: number): string =>
      Array.from({ length: LINES }, (_, i) => `m,hostname=h${i} value=${bin + i} ${TIME + bin * 60}`).join('\n');
    let bins = 0;
    let refused = await writeLines(port, bodyOf(bins));
    while (refused.status === 200) refused = await writeLines(port, bodyOf(++bins));
    expect([refused.status, refused.body]).toEqual([
      503,
      expect.stringContaining('stream CCMS_test_0 is full: maximum bytes exceeded (10077)'),
    ]);
    expect(refused.headers['retry-after']).toBeDefined();
    // It was not tried again and again.
    expect(await figure(port, 'ccms_cluster_publish_failures_total')).toBe(1);
    expect(bins).toBeGreaterThan(5);
    const hosts = ['h0', `h${LINES - 1}`];
    const expected = hosts.map((host) => Array.from({ length: bins }, (_, bin) => bin + Number(host.slice(1))));
    expect(await valuesOf(port, hosts, TIME, bins, 'strong')).toEqual(expected);
    await isSaved(cluster, 'a');
    await cluster.trim();
    expect((await writeLines(port, `m,hostname=h0 value=7 ${TIME + 6000}`)).status).toBe(200);
    expect(await valuesOf(port, hosts, TIME, bins, 'strong')).toEqual(expected);
  });

  it('for which NATS has no room is said to be that, with what it takes; the store serves once there is some', async (test) => {
    const cluster = await TestCluster.of(test, OPTIONS, `, max_file_store: ${LIMIT / 2}`);
    const { port, log } = await cluster.start('a');
    expect(log()).toMatch(
      /NATS can't be used: NATS can't make the streams of cluster test: .*\(10047\); 1 streams of 1048576 bytes want 0 GiB of its file store/,
    );
    expect((await cluster.status('a')).state).toBe('joining');
    await cluster.nats.stop();
    await cluster.startNats();
    await until(async () => (await writeLines(port, `m,hostname=h value=1 ${TIME}`)).status === 200, log());
    expect(await valuesOf(port, ['h'], TIME, 1, 'strong')).toEqual([[1]]);
  });
});

describe.concurrent('a stream that can not grow although it is not full', () => {
  /** Writes bins until one is refused. @returns how many were acknowledged, and the refusal. */
  async function writeUntilRefused(port: number): Promise<{ bins: number; refused: Answer }> {
    for (let bins = 0; ; bins++) {
      const lines = Array.from({ length: LINES }, (_, i) => `m,hostname=h${i} value=${bins} ${TIME + bins * 60}`);
      const answer = await writeLines(port, lines.join('\n'));
      if (answer.status !== 200) return { bins, refused: answer };
    }
  }
  const ACCOUNT = `accounts { A { jetstream { max_file: ${8 * LIMIT}, max_mem: 1M }, users: [{ user: a, password: a }] } }
    no_auth_user: a`;
  for (const [whose, more, sections, why] of [
    ['server', `, max_file_store: ${8 * LIMIT}`, '', 'insufficient resources (10023)'],
    ['account', '', ACCOUNT, 'resource limits exceeded for account (10002)'],
  ] as const) {
    it(`for others have taken the room of the ${whose} says so; answers stay, and writes go on when there is room`, async (test) => {
      const cluster = new TestCluster({ ...OPTIONS, replicas: 2, cluster: { 'stream-max-bytes': 4 * LIMIT } });
      test.onTestFinished(() => cluster.stop());
      await cluster.startNats(more, sections);
      const [a, b] = (await Promise.all(['a', 'b'].map((id) => cluster.start(id)))) as [ServerProcess, ServerProcess];
      await cluster.isWhole('a', 2);
      const { port } = a;
      const client = await connect({ servers: cluster.nats.url });
      const manager = await client.jetstreamManager();
      await manager.streams.add({ name: 'OTHER', subjects: ['other'] });
      const publish = (): Promise<boolean> =>
        client
          .jetstream()
          .publish('other', new Uint8Array(LIMIT / 2))
          .then(
            () => true,
            () => false,
          );
      for (let n = 0; await publish(); n++) expect(n).toBeLessThan(20);
      const { bins, refused } = await writeUntilRefused(port);
      const text = `stream CCMS_test_0 can't grow, for NATS has no room left: ${why}; write again later`;
      expect([refused.status, JSON.parse(refused.body).error]).toEqual([503, text]);
      const all = Array.from({ length: bins }, (_, bin) => bin);
      expect(await valuesOf(port, ['h0'], TIME, bins)).toEqual([all]);
      await manager.streams.purge('OTHER');
      await until(async () => (await writeLines(port, `m,hostname=h0 value=-1 ${TIME + bins * 60}`)).status === 200);
      await cluster.isWhole('a', 2);
      for (const { port } of [a, b]) {
        expect(await valuesOf(port, ['h0'], TIME, bins + 1, 'strong')).toEqual([[...all, -1]]);
      }
      await client.close();
    });
  }

  it.skipIf(!canMount())(
    'for the disk of NATS is full loses nothing, and is written to when NATS is started with room',
    async (test) => {
      const disk = smallDisk(8) ?? '';
      const cluster = new TestCluster({ ...OPTIONS, cluster: { 'stream-max-bytes': 64 * LIMIT } });
      test.onTestFinished(() => cluster.stop());
      const start = () => cluster.nats.start(`jetstream { store_dir: "${join(disk, 'disk/js')}", max_file_store: 1G }`);
      await start();
      const { port } = await cluster.start('a');
      const filler = fillDisk(disk, LIMIT);
      const { bins, refused } = await writeUntilRefused(port);
      // NATS 2.9 says nothing any more, 2.10 says why.
      const why = /stream CCMS_test_0 (did not acknowledge|is full: .*no space left on device)/;
      expect([refused.status, refused.body]).toEqual([503, expect.stringMatching(why)]);
      expect(bins).toBeGreaterThan(0);
      const body = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'm', host: 'h0' }] });
      // A store that is not heard of any more is cut off after some seconds.
      await until(async () => {
        const { status, headers } = await ask(port, '/api/query', { body });
        expect(status).toBe(200);
        return headers['x-ccms-stale'] !== undefined;
      });
      // NATS has switched JetStream off, and switches it on at its next start.
      rmSync(filler);
      await cluster.nats.stop();
      await start();
      await until(async () => (await writeLines(port, `m,hostname=h0 value=-1 ${TIME + bins * 60}`)).status === 200);
      const [values] = await valuesOf(port, ['h0'], TIME, bins + 1, 'strong');
      expect(values).toEqual([...Array.from({ length: bins }, (_, bin) => bin), -1]);
    },
  );
});

describe.concurrent('a partition whose messages are lost', () => {
  it('is not answered for until an administrator says so, and not the next time either', async (test) => {
    const cluster = await TestCluster.of(test, OPTIONS);
    let store = await cluster.start('a');
    const write = async (bin: number): Promise<void> => {
      expect((await writeLines(store.port, `m,hostname=h value=${bin} ${TIME + bin * 60}`)).status).toBe(200);
    };
    // Where a series begins behind the time that is asked for, the answer's bins are not where they seem.
    const values = async () => (await valuesOf(store.port, ['h'], TIME, 6, 'strong'))[0]?.filter((one) => one !== null);
    await write(0);
    await isSaved(cluster, 'a');
    await cluster.trim();
    await store.stop('SIGKILL');
    rmSync(join(store.dir, 'checkpoints'), { recursive: true });
    store = await cluster.restart('a', 'SIGKILL');
    await until(() => store.log().includes("partition 0 can't be had"), store.log());
    await write(1);
    await expect(values()).rejects.toThrow(/503: .*no store that holds partition 0 has answered/);
    expect((await acceptLoss(store)).status).toBe(200);
    expect(await values(), store.log()).toEqual([1]);
    expect(store.log()).toMatch(/CRIT.*partition 0 lacks messages before 2, .*as an administrator has said/);

    // In the same process: messages come and go while it is cut off.
    cluster.natsProxy('a').cut();
    const client = await connect({ servers: cluster.nats.url });
    const head = '#{"v":1,"kind":"lines","cluster":"c","now":0,"unit":"auto"}';
    await client.jetstream().publish('ccms.test.p.0', `${head}\nm,hostname=h value=2 ${TIME + 120}\n`);
    await cluster.trim();
    cluster.natsProxy('a').mend();
    await until(() =>
      store.log().includes('partition 0 lacks messages before 4, which its stream has no more: it has'),
    );
    await write(3);
    expect((await cluster.status('a')).partitionsMissing).toBe(1);
    expect((await acceptLoss(store)).status).toBe(200);
    expect(await values(), store.log()).toEqual([1, 3]);
    await client.close();
  });
});
