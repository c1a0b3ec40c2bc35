/**
 * Three stores in two zones, with proxies between them, one with a small disk, one with a small memory, which can be made slow. The
 * tests share the cluster, and leave it as they found it; the last one frees what the others have written.
 *
 * The streams are trimmed at once here, instead of a quarter of an hour after all is safe, and stores give up sooner.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type JetStreamManager } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { canMount, fillDisk, smallDisk, unmountDisks } from '../support/small-disk.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf, writeLines } from './cluster-driver.js';
import { Ledger } from './ledger.js';
import { rewritten, SOONER } from './rewritten.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const PARTITIONS = 8;
const ZONES = { a: 'north', b: 'north', c: 'south' } as const;
const IDS = ['a', 'b', 'c'] as const;
const DISK_MIB = 16;
const TRIM_MS = 300;
const CHANGES = {
  'chunk-cluster.js': {
    'const TRIM_MS = 6e4;': `const TRIM_MS = ${TRIM_MS};`,
    'const KEEP_MS = 9e5;': 'const KEEP_MS = 0;',
    ...SOONER,
    'const HANDOVER_MS = 1e4;': 'const HANDOVER_MS = 1e3;',
  },
  'chunk-load.js': { 'const BYTES_PER_GB = 1e9;': 'const BYTES_PER_GB = 1e5;' },
};
/** While it is there, c is slow. */
const SLOW = join(temporaryDirectory(), 'slow');
/** In hundreds of kilobytes here; 8 partitions without samples take 35 to 50. */
const CAP = 41;

const cluster = new TestCluster({ partitions: PARTITIONS, replicas: 2, proxies: true });
const disk = canMount() ? smallDisk(DISK_MIB) : undefined;
const ledger = new Ledger(cluster, 24, TIME);
const { hosts: HOSTS, acknowledged } = ledger;

beforeAll(async () => {
  await cluster.startNats();
  await Promise.all(
    IDS.map((id) =>
      cluster.start(
        id,
        {
          cluster: { zone: ZONES[id] },
          'metric-store': {
            ...(id === 'c' && { 'memory-cap': CAP }),
            ...(id === 'b' && disk !== undefined && { checkpoints: { directory: './disk/checkpoints' } }),
          },
        },
        {
          env: id === 'c' ? { ...rewritten(CHANGES, 'slow.mjs').env, SLOW } : rewritten(CHANGES).env,
          ...(id === 'b' && disk !== undefined && { dir: disk }),
        },
      ),
    ),
  );
  for (const id of IDS) await cluster.isWhole(id, 3);
});
afterAll(async () => {
  await cluster.stop();
  unmountDisks();
});

/** First and last message of each stream. */
async function spans(manager: JetStreamManager): Promise<{ first: number; last: number }[]> {
  return Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const { state } = await manager.streams.info(`CCMS_test_${partition}`);
      return { first: state.first_seq, last: state.last_seq };
    }),
  );
}

/** Waits until two stores have everything on their disks. */
async function areSaved(...ids: string[]): Promise<void> {
  await until(
    async () =>
      (await cluster.status('a')).partitions.every(({ holders, acked }) =>
        holders.filter(({ id }) => ids.includes(id)).every(({ saved }) => saved >= acked),
      ),
    () => cluster.logs(),
  );
}

describe('copies', () => {
  it('are in different zones', async () => {
    const { partitions } = await cluster.status('a');
    for (const { owners } of partitions) {
      expect(owners).toHaveLength(2);
      expect(owners).toContain('c');
    }
  });
});

describe('the streams', () => {
  it('are trimmed once all copies are safe; what a dead store has not read stays until it is back', async () => {
    const client = await connect({ servers: cluster.nats.url });
    const manager = await client.jetstreamManager();
    await ledger.write('a');
    await until(
      async () => (await spans(manager)).every(({ first, last }) => first === last + 1),
      () => cluster.logs(),
    );
    await cluster.of('c').stop('SIGKILL');
    await ledger.write('a', 2);
    await areSaved('a', 'b');
    await sleep(5 * TRIM_MS);
    await cluster.restart('c', 'SIGKILL');
    await cluster.isWhole('c', 3);
    await ledger.answersAll('c');
    expect(cluster.of('c').log()).not.toMatch(/was copied from|lacks messages/);
    await client.close();
  });
});

describe.skipIf(disk === undefined)('a store whose disk is full', () => {
  it('leaves its partitions to the others, refuses no write, and goes on when there is room', async () => {
    const filler = fillDisk(disk ?? '', 0);
    const notReady = async (): Promise<number> =>
      (await cluster.status('a')).partitions.filter(({ holders }) =>
        holders.some(({ id, ready }) => id === 'b' && !ready),
      ).length;
    for (let i = 0; (await notReady()) === 0; i++) {
      expect(i, cluster.logs()).toBeLessThan(100);
      await ledger.write(i % 2 ? 'a' : 'b', 5);
      await sleep(100);
    }
    expect(cluster.of('b').log()).toMatch(/can't follow stream CCMS_test_\d: the log can't be written: .*ENOSPC/);
    await ledger.write('b');
    for (const id of IDS) await ledger.answersAll(id);
    rmSync(filler);
    await cluster.isWhole('a', 3);
    await ledger.answersAll('b');
  });
});

describe('a store that is too slow to follow', () => {
  it('leaves its partitions to the others, says how far it is behind, and has them back when it has caught up', async () => {
    const { log } = cluster.of('c');
    const ready = async (): Promise<number> =>
      (await cluster.status('a')).members.find(({ id }) => id === 'c')?.ready ?? Number.NaN;
    expect(await ready()).toBe(PARTITIONS);
    // After a pause as well it is behind only by what has come since.
    await sleep(2100);
    writeFileSync(SLOW, '');
    await ledger.write('a');
    expect((await cluster.status('c')).lag).toBeLessThan(2);
    for (let i = 0; (await ready()) > 0; i++) {
      expect(i, log()).toBeLessThan(200);
      await ledger.write(IDS[i % 3] ?? 'a');
      await sleep(50);
    }
    expect((await cluster.status('c')).lag).toBeGreaterThan(2);
    for (const id of IDS) await ledger.answersAll(id);
    expect(await ready()).toBe(0);
    rmSync(SLOW);
    await cluster.isWhole('a', 3);
    await ledger.answersAll('c');
  });
});

describe('stores that are cut off', () => {
  it('from each other take writes, answer what they and those they reach hold, and name what they can not; from NATS they ask the others', async () => {
    const [a, b] = [cluster.of('a'), cluster.of('b')];
    // Who came first has held everything for a while.
    await until(async () => (await cluster.status('a')).partitions.every(({ holders }) => holders.length === 2));
    // Nobody reaches b and c; they reach a.
    cluster.peerProxy('b').cut();
    cluster.peerProxy('c').cut();
    for (const id of IDS) await ledger.write(id);
    await ledger.answersAll('b');
    await ledger.answersAll('c');
    const answers = HOSTS.map((host) =>
      valuesOf(a.port, [host], TIME, ledger.bins, 'strong').then(
        ([values]) => values,
        (error: Error) => error.message,
      ),
    );
    const seen = ledger.bins;
    cluster.natsProxy('b').cut();
    const found = await Promise.all(answers);
    const refused = found.filter((one) => typeof one === 'string');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(HOSTS.length);
    for (const why of refused) expect(why).toMatch(/^503: .*no store that holds partition \d has answered within 3 s/);
    for (const [i, values] of found.entries()) {
      if (typeof values !== 'string') expect(values).toEqual(acknowledged[i]?.slice(0, seen));
    }
    await ledger.write('a');
    cluster.peerProxy('b').mend();
    cluster.peerProxy('c').mend();
    await ledger.answersAll('a');
    await until(async () => (await cluster.status('b')).state === 'cut off');
    // What was written meanwhile has not reached its own copies.
    await ledger.answersAll('b', 'session');
    // Others have answered for all of it, so it lacks nothing.
    const queries = HOSTS.map((host) => ({ metric: 'm', host }));
    const body = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries });
    const { status, headers } = await ask(b.port, '/api/query', { method: 'POST', body });
    expect([status, headers['x-ccms-stale']]).toEqual([200, undefined]);
    expect((await cluster.status('b')).state).toBe('cut off');
    cluster.natsProxy('b').mend();
  });
});

describe('memory-cap of one store', () => {
  it('frees the same in all copies', async () => {
    const random = seeded(1);
    const begin = TIME - 36 * 3600;
    const bins = 1000;
    const hosts = HOSTS.map((host) => `cap${host}`);
    for (const host of hosts) {
      const lines = Array.from(
        { length: 4 * bins },
        (_, i) =>
          `m,hostname=${host},type=hwthread,type-id=${i % 4} value=${random()} ${begin + Math.floor(i / 4) * 60}\n`,
      );
      expect((await writeLines(cluster.of('a').port, lines.join(''))).status).toBe(200);
    }
    await cluster.isWhole('b', 3);
    const { log } = cluster.of('c');
    await until(() => /memory-cap of .* passed .* were freed/.test(log()), log);
    // Each store asks its own copies first. It may free once more in between.
    let held: (number | null)[][][] = [];
    await until(async () => {
      held = await Promise.all(IDS.map((id) => valuesOf(cluster.of(id).port, hosts, begin, bins, 'strong')));
      return held.every((rows) => JSON.stringify(rows) === JSON.stringify(held[0]));
    });
    for (const row of held[0] ?? []) expect(row.filter((value) => value !== null).length).toBeLessThan(bins);
  });
});
