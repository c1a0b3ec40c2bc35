/** SIGHUP on the real server: what it takes from the configuration while it runs, what it names, and what it leaves alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, figure, query, write } from '../support/client.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';
import { until } from '../support/wait.js';

const TIME = Math.floor(Date.now() / 1000 / 60) * 60 - 600;
const LOAD = { frequency: 60, aggregation: 'sum' };
const STORE = { 'retention-in-memory': '48h', 'memory-cap': 4, 'num-workers': 2, checkpoints: {} };

interface Raw {
  main: Record<string, unknown>;
  metrics: Record<string, unknown>;
  'metric-store': Record<string, unknown>;
  nats?: unknown;
  influx?: unknown;
}

let server: ServerProcess;
afterEach(() => server.stop('SIGKILL'));

const start = async (change: Partial<Raw> = {}, args: string[] = []) => {
  server = await startServer({ metrics: { load: LOAD }, 'metric-store': STORE, ...change }, { args });
};

/** Changes the file, hangs up, and waits for a line of the log. @returns the lines since. */
async function reload(change: (config: Raw) => unknown, line: RegExp): Promise<string> {
  const path = join(server.dir, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as Raw;
  const result = change(config);
  writeFileSync(path, typeof result === 'string' ? result : JSON.stringify(config));
  const before = server.log().length;
  process.kill(server.pid, 'SIGHUP');
  await until(
    () => line.test(server.log().slice(before)),
    () => `${line} in:\n${server.log()}`,
  );
  return server.log().slice(before);
}

async function data(metric: string, more: object = {}): Promise<(number | null)[] | undefined> {
  const queries = [{ metric, host: 'h', ...more }];
  const { results } = await query(server.port, {
    cluster: 'c',
    from: TIME,
    to: TIME + 600,
    queries,
    'with-padding': false,
  });
  return results[0]?.[0]?.data;
}

const lines = (...texts: string[]) => write(server.port, texts.join('\n'), '/api/write?cluster=c');

describe('SIGHUP', () => {
  it('adds metrics in all partitions; lines that were skipped are stored from then on', async () => {
    await start();
    const hosts = Array.from({ length: 20 }, (_, i) => `host${i}`);
    const post = (time: number) =>
      lines(
        ...hosts.map((host) => `power,hostname=${host} value=${time - TIME} ${time}`),
        `power,host=h value=1 ${time}`,
      );
    await post(TIME);
    await post(TIME + 60);
    expect(await figure(server.port, 'ccms_lines_skipped_total')).toBe(42);
    const log = await reload(({ metrics }) => {
      metrics.power = { frequency: 60, aggregation: 'avg' };
    }, /metrics\.power/);
    expect(log).toMatch(/^<4>\[WARN\] server: SIGHUP: metrics\.power is new: every 1m$/m);
    await post(TIME + 120);
    expect(await figure(server.port, 'ccms_samples_stored_total')).toBe(21);
    expect(await data('power')).toEqual([1]);
    // The log names it, as do checkpoints.
    server = await server.restart('SIGKILL');
    expect(await data('power')).toEqual([1]);
  });

  it('changes how a metric is combined and how exactly it is kept, and leaves its frequency to a restart', async () => {
    await start();
    const post = (time: number, value: number) =>
      lines(...[0, 1].map((id) => `load,host=h,type=hwthread,type-id=${id} value=${value} ${time}`));
    await post(TIME, 1.23456);
    expect(await data('load')).toEqual([2.469]);
    const log = await reload(({ metrics }) => {
      metrics.load = { frequency: 30, aggregation: 'avg', precision: 1 };
    }, /frequency/);
    expect(log).toMatch(/SIGHUP: metrics\.load\.aggregation is now avg$/m);
    expect(log).toMatch(/SIGHUP: metrics\.load\.precision is now 1, for samples from here on$/m);
    expect(log).toMatch(/SIGHUP: metrics\.load\.frequency needs a restart, the old value stays in use$/m);
    await post(TIME + 60, 1.23456);
    expect(await data('load')).toEqual([1.235, 1.2]);
  });

  it('takes nothing of a configuration with mistakes, and names them', async () => {
    await start();
    const log = await reload((config) => {
      config.metrics.power = LOAD;
      config.metrics.load = { frequency: 0, aggregation: 'max' };
    }, /stays in use/);
    expect(log).toMatch(/^<3>\[ERR\] server: .*config\.json:\d+:\d+: metrics\.load\.frequency: expected/m);
    expect(log).toMatch(/^<3>\[ERR\] server: .*metrics\.load\.aggregation: expected/m);
    expect(await reload(() => '{', /stays in use/)).toMatch(/not valid JSON/);
    await lines(`power,host=h value=1 ${TIME}`, `load,host=h value=1 ${TIME}`);
    expect(await figure(server.port, 'ccms_samples_stored_total')).toBe(1);
  });

  it('names what needs a restart, and says so when nothing has changed', async () => {
    await start();
    const log = await reload((config) => {
      config.main.addr = '127.0.0.1:1';
      config['metric-store'] = {
        ...STORE,
        'num-workers': 1,
        'wal-sync': 'always',
        checkpoints: { directory: 'other' },
      };
      config.metrics = { other: LOAD };
    }, /num-workers/);
    for (const key of ['main.addr', 'metric-store.num-workers', 'metric-store.checkpoints', 'metric-store.wal-sync']) {
      expect(log).toContain(`SIGHUP: ${key} needs a restart, the old value stays in use`);
    }
    expect(log).toContain('SIGHUP: metrics.load (removed) needs a restart');
    await server.stop();
    await start({}, ['-loglevel', 'info']);
    await reload(() => undefined, /^<6>\[INFO\] server: SIGHUP: the configuration is as it was$/m);
  });

  it('changes retention and memory cap, also for which times are taken', async () => {
    await start();
    const old = Math.floor(Date.now() / 1000) - 3 * 3600;
    expect((await lines(`load,host=h value=1 ${old}`)).status).toBe(200);
    const log = await reload((config) => {
      config['metric-store'] = { ...STORE, 'retention-in-memory': '1h', 'memory-cap': 8 };
    }, /memory-cap/);
    expect(log).toMatch(/SIGHUP: metric-store\.retention-in-memory is now "1h"$/m);
    expect(log).toMatch(/SIGHUP: metric-store\.memory-cap is now 8$/m);
    expect(await figure(server.port, 'ccms_memory_cap_bytes')).toBe(8e9);
    const refused = await lines(`load,host=h value=1 ${old}`);
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('older than twice the retention')]);
  });

  it('changes the log level unless the command line gives one', async () => {
    const setLevel = (config: Raw) => {
      config.main['log-level'] = 'info';
    };
    await start();
    await reload(setLevel, /log-level changed/);
    await reload(() => undefined, /INFO.*the configuration is as it was/);
    await server.stop();
    await start({}, ['-loglevel', 'warn']);
    await reload(setLevel, /log-level changed/);
    process.kill(server.pid, 'SIGHUP');
    await reload((config) => {
      config.metrics.power = LOAD;
    }, /power is new/);
    expect(server.log()).not.toContain('INFO');
  });

  it('changes the key that tokens are checked with, and whether they are asked for', async () => {
    await start();
    const status = async (jwt?: string) => {
      const headers: Record<string, string> = jwt === undefined ? {} : bearer(jwt);
      return (await ask(server.port, '/api/debug', { headers })).status;
    };
    expect(await status()).toBe(200);
    const [first, second] = [tokenKey(), tokenKey()];
    for (const [key, other] of [
      [first, second],
      [second, first],
    ] as const) {
      await reload(({ main }) => {
        main['jwt-public-key'] = key.base64;
      }, /jwt-public-key changed/);
      expect([await status(), await status(token(key)), await status(token(other))]).toEqual([401, 200, 401]);
    }
    await reload(({ main }) => {
      delete main['jwt-public-key'];
    }, /jwt-public-key changed/);
    expect(await status()).toBe(200);
  });

  it('changes NATS subscriptions and the table of tags', async () => {
    const nats = new NatsServer();
    await nats.start();
    await start({ nats: { address: nats.url } });
    const publish = (subject: string, line: string) => publishRaw(nats.port, subject, [line]);
    const subscribe = (...subscriptions: object[]) =>
      reload((config) => {
        config['metric-store'] = { ...STORE, 'nats-subscriptions': subscriptions };
        config.influx = { tags: { rack: null } };
      }, /SIGHUP: nats changed/);
    const stored = (n: number) =>
      until(
        async () => (await figure(server.port, 'ccms_samples_stored_total')) === n,
        () => server.log(),
      );
    const connected = () =>
      until(
        async () => (await figure(server.port, 'ccms_nats_connected')) === 1,
        () => server.log(),
      );
    await subscribe({ 'subscribe-to': 'one', 'cluster-tag': 'c' });
    await connected();
    await publish('one', `load,host=h value=1 ${TIME}`);
    await stored(1);
    await subscribe({ 'subscribe-to': 'two', 'cluster-tag': 'c', fields: 'all' });
    await connected();
    await publish('one', `load,host=h value=2 ${TIME + 60}`);
    await publish('two', `load,host=h,rack=7 value=3 ${TIME + 120}`);
    await stored(2);
    expect(await data('load')).toEqual([1, null, 3]);
    await nats.stop();
  });
});
