import { spawnSync } from 'node:child_process';
import { connect } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, figure, query } from '../support/client.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const TIME = Math.floor(Date.now() / 1000) - 600;

describe('the server with NATS', () => {
  let nats: NatsServer;
  let store: ServerProcess;

  beforeEach(async () => {
    nats = new NatsServer();
    await nats.start(`jetstream { store_dir: "${nats.directory}/js" }`);
  });
  afterEach(async () => {
    await store.stop('SIGKILL');
    await nats.stop();
  });

  const samples = (): Promise<number> => figure(store.port, 'ccms_samples');

  /** Samples of a host's metric within an hour after TIME. */
  const data = async (host: string): Promise<(number | null)[] | undefined> => {
    const queries = [{ metric: 'cpu_load', host }];
    return (await query(store.port, { cluster: 'alpha', from: TIME, to: TIME + 3600, queries })).results[0]?.[0]?.data;
  };

  const start = async (subscription: object): Promise<void> => {
    store = await startServer({
      metrics: { cpu_load: { frequency: 60, aggregation: 'avg' } },
      nats: { address: nats.url },
      'metric-store': {
        'retention-in-memory': '48h',
        'memory-cap': 1,
        checkpoints: { directory: 'checkpoints' },
        'nats-subscriptions': [{ 'cluster-tag': 'alpha', 'subscribe-to': 'hpc', ...subscription }],
      },
    });
    await until(
      async () => (await ask(store.port, '/healthz')).body.includes('"nats":"connected"'),
      'the connection to NATS',
    );
  };

  it('takes 200 000 messages without a loss, and loses none to kill -9', async () => {
    await start({});
    await publishRaw(nats.port, 'hpc', lines(0, 200_000));
    await until(async () => (await samples()) === 200_000, 'all samples');
    store = await store.restart('SIGKILL');
    expect(await samples()).toBe(200_000);
    expect(await data('node0042')).toEqual(Array.from({ length: 10 }, (_, i) => 42_000 + i));
  });

  it('gets from JetStream what was published while it was down', async () => {
    const client = await connect({ servers: nats.url });
    await (await client.jetstreamManager()).streams.add({ name: 'METRICS', subjects: ['hpc'] });
    await client.close();
    await start({ stream: 'METRICS', durable: 'store' });
    await publishRaw(nats.port, 'hpc', lines(0, 1000));
    await until(async () => (await samples()) === 1000, 'the first samples');
    await store.stop();
    expect(store.log()).not.toMatch(/<[0-4]>/);
    await publishRaw(nats.port, 'hpc', lines(1000, 20_000));
    store = await store.restart();
    await until(async () => (await samples()) === 20_000, 'what was missed');
    expect(await data('node0000')).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(await data('node0019')).toEqual(Array.from({ length: 10 }, (_, i) => 19_000 + i));
  });

  it('exposes metrics that promtool takes', async () => {
    await start({});
    await publishRaw(nats.port, 'hpc', [...lines(0, 100), 'cpu_load,hostname=n1 value=much 1']);
    let text = '';
    await until(async () => {
      text = (await ask(store.port, '/metrics')).body;
      return text.includes('ccms_samples 100\n') && text.includes('ccms_nats_bad_lines_total 1\n');
    }, 'the samples and the bad line');
    const run = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(`${run.status} ${run.stdout}${run.stderr}`).toBe('0 ');
    expect(text).toContain('ccms_nats_messages_total 101\n');
    expect(text).toContain('ccms_lines_refused_total{reason="bad_value"} 1\n');
    expect(text).toContain('ccms_nats_connected 1\n');
    expect(store.log()).toContain('1 bad line(s) on subject "hpc"');
  });
});

/** 1000 samples a host: 100 hardware threads of 10 bins, the value in the first thread is its number. */
function* lines(from: number, to: number): Generator<string> {
  for (let i = from; i < to; i++) {
    const host = `node${String(Math.floor(i / 1000)).padStart(4, '0')}`;
    const thread = Math.floor((i % 1000) / 10);
    const value = i - thread * 10;
    yield `cpu_load,hostname=${host},type=hwthread,type-id=${thread} value=${value} ${TIME + (i % 10) * 60}`;
  }
}
