import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConfig } from '../../src/config/config.js';
import { type NatsIngest, type NatsOptions, startNats } from '../../src/nats/ingest.js';
import { natsHealth } from '../../src/nats/state.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/wait.js';
import { LineStore } from './line-store.js';

describe('NATS ingest', () => {
  let server: NatsServer;
  let store: LineStore;
  let log: KeptLog;
  let running: NatsIngest[];

  beforeEach(() => {
    server = new NatsServer();
    store = new LineStore();
    log = new KeptLog();
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((each) => each.drain(500)));
    await server.stop();
  });

  const start = (config: Partial<NatsConfig> = {}, options: NatsOptions = {}): NatsIngest => {
    const ingest = startNats(
      { address: server.url, ...config },
      [
        { subject: 'hpc-nats', clusterTag: 'alpha' },
        { subject: 'other.>', clusterTag: '' },
      ],
      store,
      temporaryDirectory(),
      log,
      { logSeconds: 0.05, ...options },
    );
    running.push(ingest);
    return ingest;
  };
  const connected = (ingest: NatsIngest): Promise<void> =>
    until(() => ingest.state.connection === 'connected', 'a connection');

  it('takes messages of one and of many lines, with and without a last line end', async () => {
    await server.start();
    const ingest = start();
    await connected(ingest);
    await publishRaw(server.port, 'hpc-nats', [
      'cpu_load,hostname=n1,type=node value=1.5 1700000000',
      'cpu_load,hostname=n2,type=node value=2.5 1700000000\n',
      'cpu_load,hostname=n3,type=node value=1 1700000000\nmem_used,hostname=n3,type=node value=2 1700000000',
      '',
      'flops,hostname=n4,type=hwthread,type-id=0 value=1 1700000000\nflops,hostname=n4,type=hwthread,type-id=1 value=2 1700000000\n',
    ]);
    await publishRaw(server.port, 'other.deep.er', ['cpu_load,cluster=beta,hostname=m1 value=3 1700000000']);
    await until(() => store.lines.length === 7, 'seven lines');
    expect(store.lines).toContain('mem_used,hostname=n3,type=node value=2 1700000000');
    expect([...store.clusters].sort()).toEqual(['', 'alpha']);
    expect(ingest.state).toMatchObject({ messages: 6, stored: 7, badLines: 0, droppedMessages: 0, bufferedBytes: 0 });
  });

  it('takes 200 000 single-line messages without a loss', async () => {
    await server.start();
    const ingest = start();
    await connected(ingest);
    const count = 200_000;
    await publishRaw(server.port, 'hpc-nats', singleLines(count));
    await until(() => ingest.state.stored >= count, 'all messages');
    expect(ingest.state).toMatchObject({ messages: count, stored: count, badLines: 0, droppedMessages: 0 });
    expect(new Set(store.lines).size).toBe(count);
    // Coalesced, else the store would be called 200 000 times.
    expect(store.writes).toBeLessThan(count / 50);
  });

  it('counts and logs bad lines without harming their neighbours', async () => {
    await server.start();
    const ingest = start();
    await connected(ingest);
    await publishRaw(server.port, 'hpc-nats', [
      'cpu,hostname=n1 value=1 1',
      'rubbish\u0007',
      'cpu,hostname=n1 value=2 2',
    ]);
    await until(() => ingest.state.stored === 2, 'the good lines');
    expect(ingest.state.badLines).toBe(1);
    expect(log.text).toContain('warn 1 bad line(s) on subject "hpc-nats", the first: no fields: "rubbish\\u0007"');
  });

  it('starts without a server and connects when it comes up', async () => {
    server.port = await freePort();
    const ingest = start();
    await until(() => ingest.state.connectFailures > 0, 'a failed attempt');
    expect(ingest.state).toMatchObject({ connection: 'connecting', server: null });
    expect(ingest.state.lastError).toContain(`127.0.0.1:${server.port}`);
    await server.start();
    await connected(ingest);
    await publishRaw(server.port, 'hpc-nats', ['cpu,hostname=n1 value=1 1']);
    await until(() => store.lines.length === 1, 'the line');
    expect(ingest.state.reconnects).toBe(0);
  });

  it('survives restarts of the server', async () => {
    await server.start();
    const ingest = start();
    for (let round = 1; round <= 3; round++) {
      await connected(ingest);
      await publishRaw(server.port, 'hpc-nats', [`cpu,hostname=n${round} value=1 1`]);
      await until(() => store.lines.length === round, `line ${round}`);
      if (round === 3) break;
      await server.stop();
      await until(() => ingest.state.connection === 'reconnecting', 'the loss to be noticed');
      await server.start();
    }
    expect(ingest.state.reconnects).toBe(2);
    expect(log.text).toContain('lost the connection to 127.0.0.1');
  });

  it('takes the next address of a list when the first is dead', async () => {
    await server.start();
    const ingest = start({ address: `127.0.0.1:${await freePort()}, 127.0.0.1:${server.port}` });
    await connected(ingest);
    expect(ingest.state.server).toBe(`127.0.0.1:${server.port}`);
    expect(natsHealth(ingest.state)).toEqual({ nats: 'connected', natsReconnects: 0, natsDroppedMessages: 0 });
  });

  it('keeps a batch that the store refuses for now and writes it later, in order', async () => {
    await server.start();
    const ingest = start({}, { batchBytes: 1024 });
    await connected(ingest);
    for (const code of ['LOADING', 'OVERLOADED', 'LOG_FAILED'] as const) {
      store.lines.length = 0;
      store.refuse = code;
      const retries = ingest.state.retries;
      await publishRaw(server.port, 'hpc-nats', singleLines(500));
      await until(() => ingest.state.retries > retries + 2, 'retries');
      expect(store.lines).toEqual([]);
      store.refuse = undefined;
      await until(() => store.lines.length === 500, `all lines after ${code}`);
      expect(store.lines).toEqual([...singleLines(500)]);
    }
    expect(ingest.state).toMatchObject({ droppedMessages: 0, bufferedBytes: 0 });
    expect(log.text).toContain('will try again: refused: LOADING');
  });

  it('drops what does not fit into the buffer, counts and says so', async () => {
    await server.start();
    const ingest = start({}, { maxBufferedBytes: 10_000, batchBytes: 1024 });
    await connected(ingest);
    store.refuse = 'LOG_FAILED';
    await publishRaw(server.port, 'hpc-nats', singleLines(1000));
    await until(() => ingest.state.messages === 1000, 'all messages');
    const { droppedMessages, bufferedBytes } = ingest.state;
    expect(droppedMessages).toBeGreaterThan(700);
    expect(bufferedBytes).toBeLessThanOrEqual(10_000);
    expect(bufferedBytes).toBeGreaterThan(9_000);
    store.refuse = undefined;
    await until(() => ingest.state.stored === 1000 - droppedMessages, 'what was kept');
    await until(() => log.text.includes('more like it'), 'the count of lines held back');
    expect(log.text).toContain('the buffer of 10000 bytes is full');
    expect(log.lines.filter((line) => line.includes('dropped')).length).toBeLessThan(10);
  });

  it('drops a batch on which the store fails for good, and goes on', async () => {
    await server.start();
    const ingest = start();
    await connected(ingest);
    store.refuse = 'INTERNAL';
    await publishRaw(server.port, 'hpc-nats', singleLines(3));
    await until(() => ingest.state.droppedMessages === 3, 'the drop');
    store.refuse = undefined;
    await publishRaw(server.port, 'hpc-nats', singleLines(5));
    await until(() => store.lines.length === 5, 'the next lines');
  });

  it('writes what has arrived when it is drained, then closes', async () => {
    await server.start();
    const ingest = start({}, { lingerMs: 60_000 });
    await connected(ingest);
    store.hold();
    await publishRaw(server.port, 'hpc-nats', singleLines(1000));
    const drained = ingest.drain();
    await sleep(20);
    store.release();
    await drained;
    expect(store.lines.length).toBe(1000);
    expect(ingest.state).toMatchObject({ connection: 'closed', droppedMessages: 0, bufferedBytes: 0 });
  });

  it('gives up at the end of a drain, and counts what is left', async () => {
    await server.start();
    const ingest = start();
    await connected(ingest);
    store.refuse = 'LOG_FAILED';
    await publishRaw(server.port, 'hpc-nats', singleLines(10));
    await until(() => ingest.state.messages === 10, 'the messages');
    await ingest.drain(200);
    expect(ingest.state).toMatchObject({ connection: 'closed', droppedMessages: 10, bufferedBytes: 0 });
  });

  it('counts every message that a slow store leaves behind at the end of a drain', async () => {
    await server.start();
    // Two messages a batch: eight are being written, six wait, one is alone in the open batch.
    const ingest = start({}, { batchBytes: 256 });
    await connected(ingest);
    store.hold();
    await publishRaw(server.port, 'hpc-nats', singleLines(15));
    await until(() => ingest.state.messages === 15, 'the messages');
    await ingest.drain(200);
    expect(ingest.state.droppedMessages).toBe(7);
    store.release();
    await until(() => ingest.state.stored === 8, 'what the store had in hand');
    expect(ingest.state.bufferedBytes).toBe(0);
  });

  it('drains without ever having had a server', async () => {
    server.port = await freePort();
    const ingest = start();
    await ingest.drain();
    expect(ingest.state.connection).toBe('closed');
  });

  it('says when a subject is not permitted', async () => {
    await server.start(
      'authorization { users = [{user: u, password: p, permissions: {subscribe: ["other.>", "_INBOX.>"]}}] }',
    );
    const ingest = start({ username: 'u', password: 'p' });
    await until(() => ingest.state.lastError !== null, 'the refusal');
    expect(ingest.state.lastError).toContain('subject "hpc-nats": ');
    const client = await connect({ servers: server.url, user: 'u', pass: 'p' });
    client.publish('other.x', 'cpu,cluster=c,hostname=n1 value=1 1');
    await client.drain();
    await until(() => store.lines.length === 1, 'the permitted subject');
  });
});

function* singleLines(count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield `cpu_load,cluster=alpha,hostname=node${String(i % 1000).padStart(4, '0')},type=hwthread,type-id=${(i / 1000) | 0} value=${i}.25 1700000000`;
  }
}
