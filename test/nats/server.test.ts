import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/server-process.js';
import { NatsServer, publishRaw, until } from './nats-server.js';

const SERVER = join(process.cwd(), 'dist', 'server.js');
const TIME = Math.floor(Date.now() / 1000) - 600;

/** The real server process in a directory of its own. */
class StoreServer {
  #process: ChildProcess | undefined;
  output = '';

  constructor(
    private readonly config: string,
    private readonly directory: string,
    readonly port: number,
  ) {}

  async start(): Promise<void> {
    if (!existsSync(SERVER)) throw new Error(`${SERVER} is missing: run "npm run build" first`);
    this.output = '';
    const child = spawn(process.execPath, [SERVER, '-config', this.config, '-loglevel', 'info'], {
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server did not start:\n${this.output}`);
      return (await this.get('/healthz')).status === 200;
    }, 'the server to be ready');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Status 0 while nothing listens. */
  get(path: string, body = ''): Promise<{ status: number; text: string }> {
    return new Promise((resolve) => {
      const headers = { 'content-length': Buffer.byteLength(body) };
      const asking = request({ host: '127.0.0.1', port: this.port, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      asking.on('error', () => resolve({ status: 0, text: '' }));
      asking.end(body);
    });
  }

  /** The number of samples in memory. */
  async samples(): Promise<number> {
    const { text } = await this.get('/metrics');
    return Number(/^ccms_samples (\d+)/m.exec(text)?.[1] ?? 0);
  }

  /** Samples of a host's metric within an hour after TIME. */
  async data(host: string): Promise<(number | null)[]> {
    const queries = [{ metric: 'cpu_load', host }];
    const body = JSON.stringify({ cluster: 'alpha', from: TIME, to: TIME + 3600, queries });
    const { text } = await this.get('/api/query', body);
    return JSON.parse(text).results[0]?.[0]?.data ?? [];
  }
}

describe('the server with NATS', () => {
  let nats: NatsServer;
  let store: StoreServer;

  beforeEach(async () => {
    nats = new NatsServer();
    await nats.start(`jetstream { store_dir: "${nats.directory}/js" }`);
  });
  afterEach(async () => {
    await store.stop('SIGKILL');
    await nats.remove();
  });

  const start = async (subscription: object): Promise<void> => {
    const directory = join(nats.directory, 'store');
    mkdirSync(directory);
    const port = await freePort();
    const config = nats.file(
      'config.json',
      JSON.stringify({
        main: { addr: `127.0.0.1:${port}` },
        metrics: { cpu_load: { frequency: 60, aggregation: 'avg' } },
        nats: { address: nats.url },
        'metric-store': {
          'retention-in-memory': '48h',
          'memory-cap': 1,
          checkpoints: { directory: 'checkpoints' },
          'nats-subscriptions': [{ 'cluster-tag': 'alpha', 'subscribe-to': 'hpc', ...subscription }],
        },
      }),
    );
    store = new StoreServer(config, directory, port);
    await store.start();
    await until(
      async () => (await store.get('/healthz')).text.includes('"nats":"connected"'),
      'the connection to NATS',
    );
  };

  it('takes 200 000 messages without a loss, and loses none to kill -9', { timeout: 60_000 }, async () => {
    await start({});
    const begin = performance.now();
    await publishRaw(nats.port, 'hpc', lines(0, 200_000));
    await until(async () => (await store.samples()) === 200_000, 'all samples', 40_000);
    console.info(`200000 messages stored in ${Math.round(performance.now() - begin)} ms`);
    await store.stop('SIGKILL');
    await store.start();
    expect(await store.samples()).toBe(200_000);
    expect(await store.data('node0042')).toEqual(Array.from({ length: 10 }, (_, i) => 42_000 + i));
  });

  it('gets from JetStream what was published while it was down', { timeout: 60_000 }, async () => {
    const client = await connect({ servers: nats.url });
    await (await client.jetstreamManager()).streams.add({ name: 'METRICS', subjects: ['hpc'] });
    await client.close();
    await start({ stream: 'METRICS', durable: 'store' });
    await publishRaw(nats.port, 'hpc', lines(0, 1000));
    await until(async () => (await store.samples()) === 1000, 'the first samples');
    await store.stop();
    expect(store.output).not.toMatch(/<[0-4]>/);
    await publishRaw(nats.port, 'hpc', lines(1000, 20_000));
    await store.start();
    await until(async () => (await store.samples()) === 20_000, 'what was missed', 40_000);
    expect(await store.data('node0000')).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(await store.data('node0019')).toEqual(Array.from({ length: 10 }, (_, i) => 19_000 + i));
  });

  it('exposes metrics that promtool takes', async () => {
    await start({});
    await publishRaw(nats.port, 'hpc', [...lines(0, 100), 'cpu_load,hostname=n1 value=much 1']);
    let text = '';
    await until(async () => {
      ({ text } = await store.get('/metrics'));
      return text.includes('ccms_samples 100\n') && text.includes('ccms_nats_bad_lines_total 1\n');
    }, 'the samples and the bad line');
    const run = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(`${run.status} ${run.stdout}${run.stderr}`).toBe('0 ');
    expect(text).toContain('ccms_nats_messages_total 101\n');
    expect(text).toContain('ccms_lines_refused_total{reason="bad_value"} 1\n');
    expect(text).toContain('ccms_nats_connected 1\n');
    expect(store.output).toContain('1 bad line(s) on subject "hpc"');
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
