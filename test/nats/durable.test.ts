/** A durable consumer and the real store: what comes again, and what is too much at once. */
import { AckPolicy, connect, type JetStreamManager, type NatsConnection, nanos } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { figure, query } from '../support/client.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 3600;
const DURABLE = { stream: 'METRICS', durable: 'store' };

let nats: NatsServer;
let store: ServerProcess;
let client: NatsConnection;
let manager: JetStreamManager;

beforeEach(async () => {
  nats = new NatsServer();
  await nats.start(`jetstream { store_dir: "${nats.directory}/js" }`);
  client = await connect({ servers: nats.url });
  manager = await client.jetstreamManager();
  await manager.streams.add({ name: DURABLE.stream, subjects: ['hpc'] });
});
afterEach(async () => {
  await store?.stop('SIGKILL');
  await client.close();
  await nats.stop();
});

async function startStore(): Promise<void> {
  store = await startServer({
    metrics: { m: { frequency: 60, aggregation: 'sum' } },
    nats: { address: nats.url },
    'metric-store': {
      'retention-in-memory': '48h',
      'memory-cap': 0,
      'nats-subscriptions': [{ 'subscribe-to': 'hpc', 'cluster-tag': 'c', ...DURABLE }],
    },
  });
}

const line = (bin: number, value: number): string => `m,hostname=h value=${value} ${TIME + 60 * bin}\n`;

async function values(): Promise<(number | null)[]> {
  const asked = { cluster: 'c', from: TIME, to: TIME + 180, queries: [{ metric: 'm', host: 'h' }] };
  return (await query(store.port, asked)).results[0]?.[0]?.data ?? [];
}

/** Resolves when every message has been acknowledged. */
function allStored(): Promise<void> {
  return until(
    async () => {
      const info = await manager.consumers.info(DURABLE.stream, DURABLE.durable);
      return info.num_pending === 0 && info.num_ack_pending === 0;
    },
    () => `all messages to be acknowledged\n${store.log()}`,
  );
}

describe('messages of a durable', () => {
  it('that come again fill bins that are empty, and overwrite nothing that came since', async () => {
    const config = { durable_name: DURABLE.durable, filter_subject: 'hpc', ack_policy: AckPolicy.Explicit };
    await manager.consumers.add(DURABLE.stream, { ...config, ack_wait: nanos(3e3) });
    await publishRaw(nats.port, 'hpc', [line(0, 1) + line(1, 1)]);
    // Another store takes the message, and dies with it.
    const consumer = await client.jetstream().consumers.get(DURABLE.stream, DURABLE.durable);
    expect((await consumer.next())?.seq).toBe(1);
    await publishRaw(nats.port, 'hpc', [line(1, 2) + line(2, 2)]);
    await startStore();
    await allStored();
    expect(await figure(store.port, 'ccms_nats_redelivered_messages_total')).toBe(1);
    expect(await values()).toEqual([1, 2, 2]);
  });

  it('are asked for by bytes: many large ones do not cut the connection of a store that stands still', async () => {
    await startStore();
    await until(async () => (await manager.consumers.list(DURABLE.stream).next()).length === 1, 'the durable');
    process.kill(store.pid, 'SIGSTOP');
    const large = `#${'x'.repeat(100_000)}\n${line(0, 7)}`;
    await publishRaw(
      nats.port,
      'hpc',
      Array.from({ length: 1200 }, () => large),
    );
    process.kill(store.pid, 'SIGCONT');
    await allStored();
    expect(await figure(store.port, 'ccms_nats_messages_total')).toBe(1200);
    expect(await figure(store.port, 'ccms_nats_reconnects_total')).toBe(0);
    expect(await values()).toEqual([7]);
  });
});
