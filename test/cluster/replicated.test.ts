/**
 * contrib/cluster as it stands there, but for addresses: three NATS servers that keep three copies of each stream, and three stores.
 * In the long mode only. NATS_SERVER=path runs another nats-server than the one in the path, which three copies want to be newer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nats';
import { afterEach, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { NatsServer } from '../support/nats-server.js';
import { freePort } from '../support/ports.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { type ClusterStatus, valuesOf, writeLines } from './cluster-driver.js';

const FOLDER = join(import.meta.dirname, '../../contrib/cluster');
const TIME = Math.floor(Date.now() / 60_000) * 60 - 90_000;
const HOSTS = Array.from({ length: 16 }, (_, i) => `h${i}`);
const NUMBERS = [1, 2, 3] as const;

const servers = NUMBERS.map(() => new NatsServer());
const stores: ServerProcess[] = [];

afterEach(async () => {
  await Promise.all(stores.map((store) => store.stop('SIGKILL')));
  await Promise.all(servers.map((server) => server.stop()));
});

/** What starts one of the NATS servers with the example's configuration. */
async function natsStarters(): Promise<(() => Promise<void>)[]> {
  const routes = await Promise.all(NUMBERS.map(() => freePort()));
  let text = readFileSync(join(FOLDER, 'nats-server.conf'), 'utf8').replace('listen: "0.0.0.0:4222"', '');
  for (const n of NUMBERS) text = text.replace(`nats://nats${n}:6222`, `nats://127.0.0.1:${routes[n - 1]}`);
  return servers.map((server, i) => () => {
    const own = text
      .replace('server_name: nats1', `server_name: nats${i + 1}`)
      .replace('"0.0.0.0:6222"', `"127.0.0.1:${routes[i]}"`)
      .replace('/var/lib/nats', join(server.directory, 'js'));
    return server.start(own);
  });
}

async function startStore(n: number, secret: string): Promise<ServerProcess> {
  // As the comment in compose.yaml makes the others of the first.
  const config = JSON.parse(readFileSync(join(FOLDER, 'store1.json'), 'utf8').replaceAll('store1', `store${n}`));
  return startServer((port) => ({
    ...config,
    main: {},
    metrics: { m: { frequency: 60, aggregation: 'sum' } },
    nats: { ...config.nats, address: servers.map(({ url }) => url).join(',') },
    cluster: { ...config.cluster, advertise: `http://127.0.0.1:${port}`, 'secret-file': secret, partitions: 8 },
    'metric-store': { ...config['metric-store'], checkpoints: { directory: './checkpoints' } },
  }));
}

it.runIf(process.env.CCMS_LONG === '1')(
  'loses nothing and refuses nothing when each of three NATS servers is killed in turn, loses nothing when two of them are',
  async () => {
    const start = await natsStarters();
    await Promise.all(start.map((one) => one()));
    const secret = join(temporaryDirectory(), 'cluster.secret');
    writeFileSync(secret, 's'.repeat(48), { mode: 0o600 });
    stores.push(...(await Promise.all(NUMBERS.map((n) => startStore(n, secret)))));
    const port = (n: number): number => stores[n % stores.length]?.port ?? 0;
    const logs = (): string => stores.map((store) => store.log()).join('\n---\n');
    const isWhole = (): Promise<void> =>
      until(async () => {
        const { copiesMissing, members } = JSON.parse((await ask(port(0), '/api/cluster')).body) as ClusterStatus;
        return copiesMissing === 0 && members.length === stores.length;
      }, logs);
    await isWhole();

    let bins = 0;
    let ended = false;
    let longest = 0;
    const isAcknowledged: boolean[] = [];
    const writing = (async () => {
      for (; !ended; bins++) {
        const lines = HOSTS.map((host, i) => `m,hostname=${host} value=${bins * 100 + i} ${TIME + bins * 60}\n`).join(
          '',
        );
        const begin = performance.now();
        isAcknowledged[bins] = (await writeLines(port(bins), lines)).status === 200;
        longest = Math.max(longest, performance.now() - begin);
        await sleep(20);
      }
    })();
    const more = async (): Promise<void> => {
      const from = bins;
      await until(() => isAcknowledged.slice(from).filter(Boolean).length > 10, logs);
    };
    await more();

    const user = { user: 'stores', pass: 'change-me-too' };
    const client = await connect({ servers: servers.map(({ url }) => url), ...user });
    const manager = await client.jetstreamManager();
    const { cluster } = await manager.streams.info('CCMS_hpc_0');
    const leader = Number(cluster?.leader?.slice('nats'.length)) - 1;
    expect(NUMBERS[leader]).toBeDefined();
    // Each in turn: one of them leads all of NATS, and stores are connected to each.
    for (const i of [leader, (leader + 1) % 3, (leader + 2) % 3]) {
      await servers[i]?.stop();
      await more();
      await start[i]?.();
      await more();
      await isWhole();
    }
    const killed = longest;
    expect(isAcknowledged.includes(false), logs()).toBe(false);
    expect(logs()).not.toContain('were lost');

    const two = [0, 1].map((i) => (leader + i) % 3);
    await Promise.all(two.map((i) => servers[i]?.stop()));
    await until(() => isAcknowledged.at(-1) === false, logs);
    const query = JSON.stringify({ cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'm', host: 'h0' }] });
    const stale = await ask(port(0), '/api/query', { body: query });
    expect([stale.status, Number(stale.headers['x-ccms-stale']) > 0], stale.body).toEqual([200, true]);
    await Promise.all(two.map((i) => start[i]?.()));
    await more();
    ended = true;
    await writing;
    await isWhole();
    for (const { port } of stores) {
      const values = await valuesOf(port, HOSTS, TIME, bins, 'strong');
      for (const [i, row] of values.entries()) {
        const lost = isAcknowledged.flatMap((is, bin) => (is && row[bin] !== bin * 100 + i ? [bin] : []));
        expect(lost).toEqual([]);
      }
    }
    console.log(
      `nats-server ${client.info?.version}: ${bins} writes, longest ${Math.round(killed)} ms when one server was killed`,
    );
    await client.close();
  },
);
