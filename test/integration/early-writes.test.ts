/** Writes that come while a server still loads: answered at once, as ever, and in order before what comes after. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, figure, query, write } from '../support/client.js';
import { Gate } from '../support/gate.js';
import { NatsServer, publishRaw } from '../support/nats-server.js';
import { startProcess, type TestProcess } from '../support/processes.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const SERVER = resolve(import.meta.dirname, '../../dist/server.js');

const line = (host: string, value: number, time = ` ${TIME}`): string =>
  `cpu_load,cluster=c,hostname=${host},type=node value=${value}${time}\n`;

/** The value of a host's only bin; undefined: none. */
async function newestOf(port: number, host: string): Promise<unknown> {
  const queries = [{ metric: 'cpu_load', host }];
  const { results } = await query(port, { cluster: 'c', from: TIME, to: TIME + 60, queries });
  return results[0]?.[0]?.data?.[0];
}

interface Loading {
  port: number;
  dir: string;
  process: TestProcess;
  /** Its workers read none of their files before it is opened. */
  gate: Gate;
  /** Opens the gate and resolves when all is loaded. */
  load(): Promise<void>;
  ready(): Promise<void>;
}

/** A directory with some hosts, and the port of a server that was killed on it. */
async function killed(store: object = {}, metrics: object = {}): Promise<ServerProcess> {
  const setup = config({}, { 'num-workers': 2, ...store }) as { metrics: object };
  const server = await startServer({ ...setup, metrics: { ...setup.metrics, ...metrics } });
  const hosts = Array.from({ length: 20 }, (_, i) => line(`h${i}`, i));
  expect((await write(server.port, hosts.join(''))).status).toBe(200);
  await server.stop('SIGKILL');
  return server;
}

/** Starts a server there. Resolves when it answers, and has not begun to load. */
async function startLoading({ dir, port }: { dir: string; port: number }): Promise<Loading> {
  const gate = new Gate(dir);
  const process = startProcess(globalThis.process.execPath, [SERVER, '-config', 'config.json', '-loglevel', 'info'], {
    cwd: dir,
    name: `server in ${dir}`,
    env: gate.env,
  });
  const health = async (): Promise<number | undefined> => (await ask(port, '/healthz').catch(() => undefined))?.status;
  const ready = (): Promise<void> =>
    until(
      async () => (await health()) === 200,
      () => `the server to be ready:\n${process.log}`,
    );
  await until(
    async () => (await health()) === 503,
    () => `the server to answer while it loads:\n${process.log}`,
  );
  const load = (): Promise<void> => {
    gate.open();
    return ready();
  };
  return { dir, port, process, gate, ready, load };
}

describe('while a server loads', () => {
  it('writes are answered as ever, and are there with the first answer to a query', async () => {
    const server = await startLoading(await killed());
    const { port } = server;
    const good = await write(port, line('h1', 100) + line('new', 7));
    expect([good.status, good.body]).toEqual([200, '']);
    const lines = [
      `# a comment\n${line('h2', 200)}`,
      'cpu_load,cluster=c value=1\n',
      'unknown,cluster=c,hostname=h value=1\n',
      'cpu_load,cluster=c,hostname=h value=x\n',
      line('ahead', 1, ` ${Math.floor(Date.now() / 1000) + 3600}`),
    ];
    const bad = await write(port, lines.join(''));
    expect(bad.status).toBe(400);
    expect(JSON.parse(bad.body).error).toMatch(
      /^3 of 5 lines refused: line 3: no host: .*; line 5: .*; line 6: timestamp more than future-limit .*\(host ahead, /,
    );
    const health = await ask(port, '/healthz');
    expect([health.status, Number(health.headers['retry-after']) > 0]).toEqual([503, true]);
    const asked = await ask(port, '/api/query', {
      body: '{"cluster":"c","from":0,"to":1,"for-all-nodes":["cpu_load"]}',
    });
    expect([asked.status, Number(asked.headers['retry-after']) > 0]).toEqual([503, true]);
    await server.load();
    expect(await newestOf(port, 'h1')).toBe(100);
    expect(await newestOf(port, 'h2')).toBe(200);
    expect(await newestOf(port, 'new')).toBe(7);
    expect(await newestOf(port, 'h3')).toBe(3);
    const told = /\[INFO\] store: loaded \d+ files, .* samples of \d+ series in .* s; 3 more lines came meanwhile/;
    await until(
      () => told.test(server.process.log),
      () => server.process.log,
    );
    expect(existsSync(join(server.dir, 'var/checkpoints/early-writes'))).toBe(false);
    // What was not kept counts like any other.
    expect(await figure(port, 'ccms_lines_refused_total{reason="no_host"}')).toBe(1);
    expect(await figure(port, 'ccms_lines_refused_total{reason="bad_value"}')).toBe(1);
    expect(await figure(port, 'ccms_lines_refused_total{reason="timestamp_too_new"}')).toBe(1);
    expect(server.process.log).toMatch(/\[WARN\].*host ahead of cluster c: 1 lines refused/);
    expect(await figure(port, 'ccms_lines_skipped_total')).toBe(1);
    await server.process.stop('SIGKILL');
  });

  it('messages of a NATS subject are taken', async () => {
    const nats = new NatsServer();
    await nats.start('');
    onTestFinished(() => nats.stop());
    const subscriptions = { 'nats-subscriptions': [{ 'subscribe-to': 'hpc', 'cluster-tag': 'c' }] };
    const setup = config({}, { 'num-workers': 2, ...subscriptions });
    const first = await startServer({ ...setup, nats: { address: nats.url } });
    expect((await write(first.port, line('h1', 1) + line('h2', 2))).status).toBe(200);
    await first.stop('SIGKILL');
    const server = await startLoading(first);
    await until(
      async () => (await ask(server.port, '/healthz')).body.includes('"nats":"connected"'),
      () => server.process.log,
    );
    // To be subscribed takes a moment more, and nobody is told: a later message is as good.
    const kept = join(server.dir, 'var/checkpoints/early-writes');
    await until(async () => {
      await publishRaw(nats.port, 'hpc', [line('h1', 100)]);
      return existsSync(kept);
    });
    await server.load();
    expect(await newestOf(server.port, 'h1')).toBe(100);
    expect(await newestOf(server.port, 'h2')).toBe(2);
    await server.process.stop('SIGKILL');
  });

  it('a file of acknowledged writes that cannot be read ends the start, which says what to do', async () => {
    const server = await killed();
    const directory = join(server.dir, 'var/checkpoints/early-writes');
    mkdirSync(directory);
    // As unreadable to root as to others.
    const path = join(directory, '00000001.log');
    symlinkSync(path, path);
    const options = { cwd: server.dir, name: `server in ${server.dir}` };
    const process = startProcess(globalThis.process.execPath, [SERVER, '-config', 'config.json'], options);
    expect((await process.exited).status).toBe(1);
    expect(process.log).toMatch(
      /CRIT.*early-writes\/00000001\.log: holds writes that were acknowledged .*; make it readable/s,
    );
    unlinkSync(path);
    const next = await startLoading(server);
    await next.load();
    expect(await newestOf(next.port, 'h3')).toBe(3);
    await next.process.stop('SIGKILL');
  });

  it('samples that are ahead are kept when most hosts are: then this server is behind, and says so', async () => {
    const server = await startLoading(await killed());
    const { port } = server;
    const now = Math.floor(Date.now() / 1000);
    const sent = async (host: string, seconds: number): Promise<number> =>
      (await write(port, line(host, 7, ` ${now + seconds}`))).status;
    const clock = async (): Promise<unknown> =>
      (JSON.parse((await ask(port, '/healthz')).body) as Record<string, unknown>).clock;
    expect(await sent('good', 0)).toBe(200);
    for (const host of ['a', 'b', 'c']) expect(await sent(host, 3600)).toBe(400);
    await until(
      async () => (await clock()) !== undefined,
      () => server.process.log,
    );
    expect(await clock()).toMatch(/^this server's clock .* seems to be wrong: 3 of 4 hosts/);
    expect(server.process.log).toMatch(/\[ERR\] clock: .*no sample is refused for its time until they agree/);
    for (const host of ['a', 'b', 'c', 'd']) expect(await sent(host, 3600)).toBe(200);
    await server.load();
    // Nor is it trusted again because the load is over.
    expect(await sent('e', 3600)).toBe(200);
    await sleep(2100);
    expect(await clock()).toMatch(/5 of 6 hosts/);
    const queries = ['a', 'd', 'e'].map((host) => ({ metric: 'cpu_load', host }));
    const { results } = await query(port, { cluster: 'c', from: now + 3540, to: now + 3660, queries });
    expect(results.map(([entry]) => entry?.data?.includes(7))).toEqual([true, true, true]);
    await server.process.stop('SIGKILL');
  });

  it('lines without a time have that of their arrival, however long the load takes', async () => {
    const metrics = { each_second: { frequency: 1, aggregation: null } };
    const server = await startLoading(await killed({}, metrics));
    const before = Math.floor(Date.now() / 1000);
    expect((await write(server.port, 'each_second,cluster=c,hostname=timeless value=1\n')).status).toBe(200);
    const after = Math.floor(Date.now() / 1000);
    await sleep(2100);
    await server.load();
    const { body } = await ask(server.port, '/api/debug?selector=c:timeless');
    const { data } = JSON.parse(body) as { data: { each_second: { start: number }[] } };
    const start = data.each_second[0]?.start ?? 0;
    expect(start).toBeGreaterThanOrEqual(before);
    expect(start).toBeLessThanOrEqual(after);
    await server.process.stop('SIGKILL');
  });

  it('writes survive kills before they are applied, and a torn end of their file', async () => {
    let server = await startLoading(await killed());
    expect((await write(server.port, line('h1', 100))).status).toBe(200);
    await server.process.stop('SIGKILL');
    server = await startLoading(server);
    expect((await write(server.port, line('h1', 101) + line('h2', 200))).status).toBe(200);
    await server.process.stop('SIGKILL');
    const directory = join(server.dir, 'var/checkpoints/early-writes');
    const [newest] = readdirSync(directory).sort().reverse();
    appendFileSync(join(directory, newest ?? ''), 'CCME and half a frame');
    server = await startLoading(server);
    await server.load();
    expect(await newestOf(server.port, 'h1')).toBe(101);
    expect(await newestOf(server.port, 'h2')).toBe(200);
    await server.process.stop('SIGKILL');
    server = await startLoading(server);
    await server.load();
    expect(await newestOf(server.port, 'h1')).toBe(101);
    await server.process.stop('SIGKILL');
  });

  it('a stop keeps what was written for the next start', async () => {
    let server = await startLoading(await killed());
    expect((await write(server.port, line('h1', 100))).status).toBe(200);
    expect((await server.process.stop('SIGTERM')).status).toBe(0);
    server = await startLoading(server);
    await server.load();
    expect(await newestOf(server.port, 'h1')).toBe(100);
    await server.process.stop('SIGKILL');
  });

  it.each(['interval', 'always'])('megabytes are applied in their order, with wal-sync %s', async (sync) => {
    const server = await startLoading(await killed({ 'wal-sync': sync }));
    const hosts = Array.from({ length: 200 }, (_, i) => `host-with-a-longer-name-${i}`);
    let last = 0;
    // Each write goes over what the one before it has written, and to a bin of its own.
    const writeNext = async (): Promise<void> => {
      last++;
      const bins = [last - 1, last].map((bin) => ` ${TIME - 60 * bin}`);
      const body = hosts
        .flatMap((host) => bins.map((time) => line(host, last, time)))
        .join('')
        .repeat(10);
      expect((await write(server.port, body)).status).toBe(200);
    };
    for (let i = 0; i < 3; i++) await writeNext();
    let isReady = false;
    const ready = server.load().then(() => {
      isReady = true;
    });
    // Newer writes wait for those before them, and none is refused.
    while (!isReady) await writeNext();
    await writeNext();
    await ready;
    const expected = [last, ...Array.from({ length: last - 1 }, (_, i) => last - i)];
    for (const host of hosts) {
      const queries = [{ metric: 'cpu_load', host }];
      const { results } = await query(server.port, { cluster: 'c', from: TIME - 60 * last, to: TIME, queries });
      expect(results[0]?.[0]?.data).toEqual(expected);
    }
    await server.process.stop('SIGKILL');
  });

  it('a query is answered as soon as its partition is loaded, else told when to ask again', async () => {
    const server = await startLoading(await killed({ 'num-workers': 2 }));
    // Partition 0 loads, the other one waits.
    server.gate.close('/partition-1-of-2/');
    const statusOf = (host: string, format: string): Promise<string> => {
      const queries = [{ metric: 'cpu_load', host }];
      const body = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries });
      return ask(server.port, `/api/query${format}`, { body }).then(({ status }) => String(status));
    };
    const statuses = async (format = ''): Promise<string> => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => statusOf(`h${i}`, format)));
      return [...new Set(all)].sort().join();
    };
    await until(async () => (await statuses()) === '200,503', 'the hosts of partition 0 alone to be answered');
    expect(await statuses('?format=csv')).toBe('200,503');
    expect((await ask(server.port, '/healthz')).status).toBe(503);
    await server.load();
    expect(await statuses()).toBe('200');
    await server.process.stop('SIGKILL');
  });
});
