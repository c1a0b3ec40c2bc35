/** A stream that is followed in order: two stores on it are copies of each other, whatever is killed, stopped or cut. */
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ask, figure, query } from '../support/client.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { DroppingProxy } from './dropping-proxy.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const HOSTS = Array.from({ length: 8 }, (_, i) => `node${i}`);
const BINS = 20;

let nats: NatsServer;
let stores: ServerProcess[];
let client: NatsConnection;
let manager: JetStreamManager;

const jetstream = (): string => `jetstream { store_dir: "${nats.directory}/js" }`;

beforeEach(async () => {
  nats = new NatsServer();
  stores = [];
  await nats.start(jetstream());
  client = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  manager = await client.jetstreamManager();
  await manager.streams.add({ name: 'METRICS', subjects: ['hpc.>', 'other'] });
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.stop('SIGKILL')));
  await client.close();
  await nats.stop();
});

function config(address: string): object {
  return {
    metrics: { m: { frequency: 60, aggregation: 'sum' } },
    nats: { address },
    'metric-store': {
      'retention-in-memory': '48h',
      'memory-cap': 0,
      'num-workers': 2,
      checkpoints: { directory: './checkpoints', 'max-wal-size': 20_000 },
      'nats-subscriptions': [{ 'subscribe-to': 'hpc.>', 'cluster-tag': 'c', stream: 'METRICS' }],
    },
  };
}

async function startStore(address = nats.url): Promise<ServerProcess> {
  const store = await startServer(config(address));
  stores.push(store);
  return store;
}

/** What a store holds of all hosts. */
async function held({ port }: ServerProcess): Promise<unknown> {
  const queries = HOSTS.map((host) => ({ metric: 'm', host }));
  const { results } = await query(port, { cluster: 'c', from: TIME, to: TIME + BINS * 60, queries });
  return results.map((series) => series[0]?.data ?? []);
}

/** Messages that write the same few bins again and again, each with a value of its own; several hosts in some. */
class Publisher {
  readonly #random = seeded(5);
  /** What a store must hold in the end. */
  readonly expected = new Map<string, number>();
  #value = 0;

  async publish(messages: number): Promise<void> {
    await publishRaw(
      nats.port,
      'hpc.a',
      Array.from({ length: messages }, () =>
        Array.from({ length: 1 + Math.floor(this.#random() * 6) }, () => {
          const host = HOSTS[Math.floor(this.#random() * HOSTS.length)] as string;
          const bin = Math.floor(this.#random() * BINS);
          this.expected.set(`${host} ${bin}`, ++this.#value);
          return `m,hostname=${host} value=${this.#value} ${TIME + bin * 60}`;
        }).join('\n'),
      ),
    );
    // What others publish is none of its messages.
    await publishRaw(nats.port, 'other', ['m,hostname=node0 value=-1 1']);
  }

  /** Waits until a store holds what was published last, and nothing else. */
  async isHeldBy(store: ServerProcess): Promise<void> {
    let last: unknown;
    const all = JSON.stringify([...this.expected].sort());
    await until(
      async () => {
        const found: [string, number][] = [];
        const data = (await held(store)) as (number | null)[][];
        // Bins count from the first sample that there is.
        const queries = HOSTS.map((host) => ({ metric: 'm', host }));
        const { results } = await query(store.port, {
          cluster: 'c',
          from: TIME,
          to: TIME + BINS * 60,
          'with-padding': true,
          queries,
        });
        results.forEach((series, i) => {
          const first = series[0];
          first?.data?.forEach((value, k) => {
            const bin = Math.round((first.from - TIME) / 60) + k;
            if (value !== null) found.push([`${HOSTS[i]} ${bin}`, value]);
          });
        });
        last = data;
        return JSON.stringify(found.sort()) === all;
      },
      () => `the store to hold what was published last: ${JSON.stringify(last)}\n${store.log()}`,
    );
  }
}

describe('a stream without a durable', () => {
  it('is read from its beginning, on from there after a stop, and only its subject', async () => {
    const publisher = new Publisher();
    await publisher.publish(500);
    let store = await startStore();
    await publisher.isHeldBy(store);
    await store.stop('SIGTERM');
    await publisher.publish(500);
    store = await store.restart();
    stores.push(store);
    await publisher.isHeldBy(store);
    expect(store.log()).toMatch(/following stream METRICS, subject "hpc\.>" from message 50[12] on/);
    // What is in the store is not read again.
    expect(await figure(store.port, 'ccms_nats_messages_total')).toBe(500);
  });

  it('leaves two stores the same, over kills of both, of NATS, and freezes', async () => {
    const publisher = new Publisher();
    let [a, b] = [await startStore(), await startStore()];
    for (let round = 0; round < 4; round++) {
      await publisher.publish(400);
      a = await a.restart('SIGKILL');
      stores.push(a);
      await publisher.publish(400);
      process.kill(b.pid, 'SIGSTOP');
      await publisher.publish(400);
      await nats.stop();
      await nats.start(jetstream());
      await until(
        async () =>
          !client.isClosed() &&
          (await client.rtt().then(
            () => true,
            () => false,
          )),
        'NATS to be back',
      );
      process.kill(b.pid, 'SIGCONT');
      b = await b.restart('SIGKILL');
      stores.push(b);
    }
    await publisher.publish(100);
    await publisher.isHeldBy(a);
    await publisher.isHeldBy(b);
    expect(await held(a)).toEqual(await held(b));
    // No consumer is left behind for good: NATS forgets those that nobody asks.
    for await (const { config: consumer } of manager.consumers.list('METRICS')) {
      expect(consumer.inactive_threshold).toBeGreaterThan(0);
    }
  });

  it('is read again from where it was when a message has been lost on the way', async () => {
    const proxy = await DroppingProxy.start(nats.port);
    onTestFinished(() => proxy.stop());
    proxy.drop(1);
    const store = await startStore(`nats://127.0.0.1:${proxy.port}`);
    await publishRaw(
      nats.port,
      'hpc.a',
      [0, 1, 2, 3].map((bin) => `m,hostname=node0 value=${bin + 1} ${TIME + bin * 60}`),
    );
    const values = async (): Promise<unknown> => ((await held(store)) as unknown[])[0];
    await until(
      async () => JSON.stringify(await values()) === '[1,2,3,4]',
      () => `all four messages\n${store.log()}`,
    );
    expect(proxy.hasDropped).toBe(true);
    expect(store.log()).toMatch(/message 2 of the consumer is missing; reading again from where it was/);
  });

  it('that was made anew is read from its beginning, with a word, and what is held stays', async () => {
    await publishRaw(
      nats.port,
      'hpc.a',
      [1, 2, 3].map((bin) => `m,hostname=node0 value=${bin} ${TIME + bin * 60}`),
    );
    let store = await startStore();
    const values = async (): Promise<string> => JSON.stringify(((await held(store)) as unknown[])[0]);
    await until(async () => (await values()).includes('3'), 'the samples');
    await store.stop('SIGTERM');
    await manager.streams.delete('METRICS');
    await manager.streams.add({ name: 'METRICS', subjects: ['hpc.>'] });
    await publishRaw(nats.port, 'hpc.a', [`m,hostname=node0 value=4 ${TIME + 240}`]);
    store = await store.restart();
    stores.push(store);
    await until(async () => (await values()).endsWith('1,2,3,4]'), 'the samples of before and after');
    expect(store.log()).toMatch(/<2>\[CRIT\] nats: stream METRICS is not as it was at message 3: it was made at /);
  });

  it('gives lines without a time that of the message, in every store', async () => {
    const before = Math.floor(Date.now() / 1000);
    await publishRaw(nats.port, 'hpc.a', ['m,hostname=timeless value=1']);
    const after = Math.floor(Date.now() / 1000);
    const spans = [];
    for (const store of [await startStore(), await startStore()]) {
      let body = '';
      await until(async () => {
        body = (await ask(store.port, '/api/debug?selector=c:timeless')).body;
        return body.includes('start');
      }, 'the sample');
      spans.push((JSON.parse(body) as { data: { m: { start: number }[] } }).data.m[0]?.start);
    }
    expect(spans[0]).toBe(spans[1]);
    // The bin's start: half a minute before its first sample at most.
    expect(spans[0]).toBeGreaterThanOrEqual(before - 30);
    expect(spans[0]).toBeLessThanOrEqual(after);
  });

  it('of large messages does not cut the connection', async () => {
    const large = HOSTS.map((host) => `m,hostname=${host} value=7 ${TIME}\n`)
      .join('')
      .repeat(300);
    await publishRaw(
      nats.port,
      'hpc.a',
      Array.from({ length: 1200 }, () => large),
    );
    const store = await startStore();
    await until(async () => {
      const { body } = await ask(store.port, '/metrics');
      return body.includes('ccms_nats_messages_total 1200\n');
    }, 'all messages');
    const { body } = await ask(store.port, '/metrics');
    expect(body).toContain('ccms_nats_reconnects_total 0\n');
  });
});
