/** contrib/cluster: NATS's configuration, a store's and the containers' say the same, and do what docs/cluster.md says of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterEach, expect, it } from 'vitest';
import { NatsServer } from '../support/nats-server.js';
import { runProcess } from '../support/processes.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { writeLines } from './cluster-driver.js';

const FOLDER = join(import.meta.dirname, '../../contrib/cluster');
const TIME = Math.floor(Date.now() / 60_000) * 60 - 36_000;
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const nats = new NatsServer();

afterEach(() => nats.stop());

it('a store works with the rights that NATS gives it, and what collectors may send can not pass as a message of one', async () => {
  const text = read('nats-server.conf');
  const own = (user: string) => ({ user, pass: new RegExp(`user: ${user}, password: "(.*?)"`).exec(text)?.[1] ?? '' });
  // One server instead of three, on a port of its own.
  const [, authorization = ''] = /^(authorization \{[\s\S]*)/m.exec(text) ?? [];
  await nats.start(`jetstream { store_dir: "${join(nats.directory, 'js')}" }\n${authorization}`);
  const { main: _, cluster, 'metric-store': store, ...rest } = JSON.parse(read('store1.json'));
  const server = await startServer((port) => ({
    ...rest,
    nats: { ...rest.nats, address: nats.url },
    cluster: {
      ...cluster,
      advertise: `http://127.0.0.1:${port}`,
      'secret-file': undefined,
      'stream-replicas': 1,
      // The number does not matter to rights, but to the time that it takes to make them.
      partitions: 2,
      'stream-max-bytes': 1 << 24,
    },
    'metric-store': { ...store, checkpoints: { directory: './checkpoints' } },
  }));
  expect((await writeLines(server.port, `mem_bw,hostname=h value=1 ${TIME}\n`)).status, server.log()).toBe(200);
  const client = await connect({ servers: nats.url, ...own('collectors') });
  client.publish('hpc-lines', `mem_bw,cluster=alpha,hostname=h value=2 ${TIME}\n`);
  const refused = (async () => {
    for await (const { type, data } of client.status()) if (type === 'error') return String(data);
    return 'nothing';
  })();
  client.publish('ccms.hpc.p.0', '#{"v":1,"kind":"free","to":99999999999,"selectors":[["alpha"]]}\n');
  expect(await refused).toBe('PERMISSIONS_VIOLATION');
  await client.close();
  await until(async () => JSON.stringify(await valueAt(server.port, 'alpha')) === '[2]', server.log());
  expect(await server.stop()).toBe(0);
});

async function valueAt(port: number, cluster: string): Promise<(number | null)[] | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/query`, {
    method: 'POST',
    body: JSON.stringify({ cluster, from: TIME, to: TIME + 60, queries: [{ metric: 'mem_bw', host: 'h' }] }),
  });
  const { results } = (await answer.json()) as { results: { data?: (number | null)[] }[][] };
  return results[0]?.[0]?.data;
}

it('NATS takes its configuration, the server the store’s, and the containers are those that both name', async () => {
  const checked = await runProcess('nats-server', ['-t', '-c', join(FOLDER, 'nats-server.conf')], {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
  });
  expect(checked.stderr + checked.stdout).toContain('is valid');
  const server = join(import.meta.dirname, '../../dist/server.js');
  const report = await runProcess(process.execPath, [server, '-config', join(FOLDER, 'store1.json'), '-check-config']);
  expect(report.stdout).toContain(
    'Cluster:     hpc, this store is store1; 32 partitions, 2 copies of each, 3 of a stream',
  );
  const compose = read('compose.yaml');
  const services = [...compose.matchAll(/^ {2}(\w+):\n {4}<<: \*/gm)].map(([, name]) => name);
  expect(services).toEqual(['nats1', 'nats2', 'nats3', 'store1', 'store2', 'store3']);
  const config = JSON.parse(read('store1.json')) as { nats: { address: string }; cluster: { advertise: string } };
  expect(config.nats.address).toBe('nats://nats1:4222,nats://nats2:4222,nats://nats3:4222');
  expect(config.cluster.advertise).toBe('http://store1:8080');
  for (const [, file = ''] of compose.matchAll(/\.\/([\w.-]+):\/etc/g)) {
    expect(['nats-server.conf', 'cluster.secret', 'store1.json', 'store2.json', 'store3.json']).toContain(file);
  }
  expect(read('nats-server.conf')).toContain('"nats://nats1:6222", "nats://nats2:6222", "nats://nats3:6222"');
});

it('the drop-in for systemd wants what the unit starts after', () => {
  const [, wanted] = /^\[Unit\]\nWants=(.*)$/m.exec(read('cluster.conf')) ?? [];
  const unit = readFileSync(join(FOLDER, '../systemd/cc-metric-store.service'), 'utf8');
  expect(/^After=(.*)$/m.exec(unit)?.[1]?.split(' ')).toContain(wanted);
});
