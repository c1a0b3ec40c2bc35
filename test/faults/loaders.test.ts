/** A start that reads partitions of one worker on several cores. */
import { truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ask, query, write } from '../support/client.js';
import { line } from '../support/core-driver.js';
import { Gate } from '../support/gate.js';
import { startProcess } from '../support/processes.js';
import { startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const SERVER = resolve(import.meta.dirname, '../../dist/server.js');
const HOUR_AGO = (Math.floor(Date.now() / 60_000) - 60) * 60;
const HOSTS = Array.from({ length: 20 }, (_, i) => `h${i}`);
const CONFIG = {
  metrics: { m: { frequency: 60, aggregation: null } },
  'metric-store': { 'retention-in-memory': '24h', 'memory-cap': 16, 'num-workers': 1 },
};

/** Minute k of each host has `value(host, k)`. */
function minutes(count: number, value: (host: number, k: number) => number): string {
  const all = HOSTS.map((host, i) =>
    Array.from({ length: count }, (_, k) => line('m', host, HOUR_AGO + 60 * k, value(i, k))),
  );
  return all.flat().join('');
}

async function stored(port: number): Promise<(number | null)[][]> {
  const request = { cluster: 'c', from: HOUR_AGO, to: HOUR_AGO + 3600 };
  const { results } = await query(port, { ...request, queries: HOSTS.map((host) => ({ metric: 'm', host })) });
  return results.map(([entry]) => (entry?.data ?? []).filter((value) => value !== null));
}

const expected = (count: number, value: (host: number, k: number) => number): number[][] =>
  HOSTS.map((_, i) => Array.from({ length: count }, (_, k) => value(i, k)));

it.skipIf(availableParallelism() < 2)('loads what a worker has not come to, which goes on as if it had', async () => {
  const before = (host: number, k: number): number => 100 * host + k;
  let server = await startServer(CONFIG);
  // Checkpoint files, and a log over them.
  expect(
    (
      await write(
        server.port,
        minutes(20, (_, k) => -k),
      )
    ).status,
  ).toBe(200);
  server = await server.restart('SIGTERM');
  expect((await write(server.port, minutes(30, before))).status).toBe(200);
  await server.stop('SIGKILL');

  // For less than that no loader would be started.
  const padding = join(server.dir, 'var/checkpoints/partition-0-of-5/padding');
  writeFileSync(padding, '');
  truncateSync(padding, 256 << 20);
  const gate = new Gate(server.dir);
  // The worker begins with the first partition, and gets no further.
  gate.close('partition-0-of-5');
  const loading = startProcess(process.execPath, [SERVER, '-config', 'config.json', '-loglevel', 'debug'], {
    cwd: server.dir,
    name: `server in ${server.dir}`,
    env: gate.env,
  });
  await until(
    () => [1, 2, 3, 4].every((partition) => loading.log.includes(`loader: partition ${partition} is read`)),
    () => loading.log,
  );
  gate.open();
  const isReady = async (): Promise<boolean> =>
    (await ask(server.port, '/healthz').catch(() => undefined))?.status === 200;
  await until(isReady, () => loading.log);
  expect(await stored(server.port)).toEqual(expected(30, before));
  const after = (host: number, k: number): number => host - k;
  expect((await write(server.port, minutes(40, after))).status).toBe(200);
  await loading.stop('SIGKILL');
  server = await server.restart('SIGTERM');
  expect(await stored(server.port)).toEqual(expected(40, after));
  await server.stop('SIGKILL');
});
