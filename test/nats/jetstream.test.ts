import { AckPolicy, connect, type JetStreamManager, type NatsConnection, nanos } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NatsIngest, type NatsOptions, startNats } from '../../src/nats/ingest.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { until } from '../support/wait.js';
import { LineStore } from './line-store.js';

describe('JetStream ingest', () => {
  let server: NatsServer;
  let store: LineStore;
  let log: KeptLog;
  let client: NatsConnection;
  let manager: JetStreamManager;
  let running: NatsIngest[];
  const jetstream = (): string => `jetstream { store_dir: "${server.directory}/js" }`;

  beforeEach(async () => {
    server = new NatsServer();
    store = new LineStore();
    log = new KeptLog();
    running = [];
    await server.start(jetstream());
    client = await connect({ servers: server.url });
    manager = await client.jetstreamManager();
  });
  afterEach(async () => {
    await Promise.all(running.map((each) => each.drain(500)));
    await client.close();
    await server.stop();
  });

  const start = (options: NatsOptions = {}): NatsIngest => {
    const subscription = { subject: 'metrics.*', clusterTag: 'alpha', stream: 'METRICS', durable: 'store' };
    const ingest = startNats({ address: server.url }, [subscription], store, temporaryDirectory(), log, {
      logSeconds: 0.05,
      ...options,
    });
    running.push(ingest);
    return ingest;
  };
  const addStream = async (): Promise<void> => {
    await manager.streams.add({ name: 'METRICS', subjects: ['metrics.*', 'rest.*'] });
  };
  /** As the store makes it, but with a short wait for acknowledgements, for the sake of the test's time. */
  const addImpatientDurable = async (): Promise<void> => {
    const config = { durable_name: 'store', filter_subject: 'metrics.*', ack_policy: AckPolicy.Explicit };
    await manager.consumers.add('METRICS', { ...config, ack_wait: nanos(500) });
  };
  const pending = async (): Promise<{ acks: number; messages: number }> => {
    const info = await manager.consumers.info('METRICS', 'store');
    return { acks: info.num_ack_pending, messages: info.num_pending };
  };
  const allAcknowledged = (): Promise<void> =>
    until(async () => {
      const { acks, messages } = await pending();
      return acks === 0 && messages === 0;
    }, 'all messages to be acknowledged');

  it('gets what was published while it was stopped, each line once', async () => {
    await addStream();
    const first = start();
    await until(async () => (await manager.consumers.list('METRICS').next()).length === 1, 'the durable');
    await publishRaw(server.port, 'metrics.a', lines(0, 1000));
    await until(() => store.lines.length === 1000, 'the first lines');
    await first.drain();
    await publishRaw(server.port, 'metrics.b', lines(1000, 21_000));
    await publishRaw(server.port, 'rest.a', ['cpu,hostname=elsewhere value=1 1']);
    expect(await pending()).toEqual({ acks: 0, messages: 20_000 });
    const second = start();
    await until(() => store.lines.length === 21_000, 'what was missed');
    expect([...store.lines].sort()).toEqual([...lines(0, 21_000)].sort());
    expect(second.state).toMatchObject({ messages: 20_000, stored: 20_000, redelivered: 0, droppedMessages: 0 });
    await allAcknowledged();
  });

  it('misses nothing when it is stopped in the middle of a backlog', async () => {
    await addStream();
    await addImpatientDurable();
    await publishRaw(server.port, 'metrics.a', lines(0, 10_000));
    for (let i = 0; i < 3; i++) {
      const before = store.lines.length;
      store.hold(before + 500);
      const ingest = start({ batchBytes: 4096, maxBufferedBytes: 50_000 });
      await until(() => store.lines.length >= before + 500, 'some lines');
      const drained = ingest.drain();
      store.release();
      await drained;
      expect(ingest.state.droppedMessages).toBe(0);
    }
    expect(new Set(store.lines).size).toBeLessThan(10_000);
    start();
    await until(() => new Set(store.lines).size === 10_000, 'all lines');
    await allAcknowledged();
  });

  it('acknowledges only after the store took the lines', async () => {
    await addStream();
    store.hold();
    const ingest = start();
    await publishRaw(server.port, 'metrics.a', lines(0, 10));
    await until(() => ingest.state.messages === 10, 'the messages');
    expect(store.lines).toEqual([]);
    expect((await pending()).acks).toBe(10);
    store.release();
    await until(() => store.lines.length === 10, 'the lines');
    await allAcknowledged();
  });

  it('gives messages back that the store refuses, and gets them again', async () => {
    await addStream();
    await addImpatientDurable();
    store.refuse = 'LOG_FAILED';
    const ingest = start();
    await publishRaw(server.port, 'metrics.a', lines(0, 100));
    await until(() => ingest.state.returned >= 100, 'the refusal');
    expect(ingest.state.bufferedBytes).toBe(0);
    store.refuse = undefined;
    await until(() => new Set(store.lines).size === 100, 'all lines');
    expect(new Set(store.lines).size).toBe(100);
    expect(ingest.state.redelivered).toBeGreaterThanOrEqual(100);
    expect(ingest.state.droppedMessages).toBe(0);
    await allAcknowledged();
  });

  it('loses nothing when the buffer is far smaller than the backlog', async () => {
    await addStream();
    await addImpatientDurable();
    await publishRaw(server.port, 'metrics.a', lines(0, 5000));
    store.hold();
    const ingest = start({ maxBufferedBytes: 50_000, batchBytes: 4096 });
    await until(() => ingest.state.returned > 0, 'what has no room');
    store.release();
    await until(() => new Set(store.lines).size === 5000, 'all lines');
    expect(ingest.state.droppedMessages).toBe(0);
    await allAcknowledged();
  });

  it('goes on after a restart of the server', async () => {
    await addStream();
    const ingest = start();
    await publishRaw(server.port, 'metrics.a', lines(0, 100));
    await until(() => store.lines.length === 100, 'the first lines');
    await server.stop();
    await until(() => ingest.state.connection === 'reconnecting', 'the loss to be noticed');
    await server.start(jetstream());
    await publishRaw(server.port, 'metrics.a', lines(100, 200));
    await until(() => new Set(store.lines).size === 200, 'the lines after the restart');
  });

  it('waits for a stream that does not exist yet', async () => {
    const ingest = start();
    await until(() => ingest.state.lastError !== null, 'the complaint');
    expect(ingest.state.lastError).toBe('stream METRICS, durable store: stream not found');
    await addStream();
    await publishRaw(server.port, 'metrics.a', lines(0, 10));
    await until(() => store.lines.length === 10, 'the lines');
  });

  it('makes the durable again when somebody deletes it', async () => {
    await addStream();
    start();
    await publishRaw(server.port, 'metrics.a', lines(0, 10));
    await until(() => store.lines.length === 10, 'the lines');
    await manager.consumers.delete('METRICS', 'store');
    await manager.streams.purge('METRICS');
    await publishRaw(server.port, 'metrics.a', lines(10, 20));
    await until(() => store.lines.length === 20, 'the lines after it');
  });

  it('refuses a durable that acknowledges by itself', async () => {
    await addStream();
    await manager.consumers.add('METRICS', { durable_name: 'store', ack_policy: AckPolicy.None });
    const ingest = start();
    await until(() => ingest.state.lastError !== null, 'the complaint');
    expect(ingest.state.lastError).toContain('its ack policy is "none", expected "explicit"');
  });
});

function* lines(from: number, to: number): Generator<string> {
  for (let i = from; i < to; i++) yield `cpu_load,hostname=node${i % 100},type=node value=${i} 1700000000`;
}
