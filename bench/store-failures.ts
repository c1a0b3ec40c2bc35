/** What a cluster of three takes when one of its stores is lost: the longest wait for an answer, and the way back without its disk. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from './figures.js';
import { type Load, MEGABYTE } from './load.js';
import { CLUSTER, hostBodies } from './mix.js';
import { queryShapes } from './queries.js';
import type { Server } from './server.js';
import type { StoreCluster } from './store-cluster.js';
import { Connection, requestBytes } from './wire.js';

/** For so long it is asked and written to after the death: until it is taken for dead, and a while longer. */
const WATCHED_MS = 12_000;
const PAUSE_MS = 10;
const COPIED = /^ccms_cluster_bootstrap_bytes_total (\d+)/m;

/** @param from unix seconds of what is asked for. */
export async function failures(cluster: StoreCluster, load: Load, from: number): Promise<Figure[]> {
  const [first, , last] = cluster.stores;
  if (!first || !last) return [];
  await cluster.trim();
  await last.kill();
  const writes = writeAgain(first, load);
  const reads = readAgain(first, load, from);
  const [write, read] = await Promise.all([writes, reads]);
  last.clear();
  const began = performance.now();
  await last.restart(statusQuery(load, from));
  await cluster.isWhole();
  const seconds = (performance.now() - began) / 1000;
  const bytes = Number(COPIED.exec(await last.metrics())?.[1] ?? Number.NaN);
  const figure = (
    key: string,
    label: string,
    unit: string,
    value: number,
    better: Figure['better'] = 'less',
  ): Figure => ({
    ...{ key, label, unit, value, better },
  });
  return [
    figure('death_write', 'a store dies: longest wait for an acknowledgement', 'ms', write),
    figure('death_read', 'a store dies: longest wait for an answer about all nodes', 'ms', read),
    figure('bootstrap_mb', 'its disk is lost: copied', 'MB', bytes / MEGABYTE),
    figure('bootstrap_s', 'its disk is lost: start and copying', 's', seconds),
    figure(
      'bootstrap_rate',
      'its disk is lost: copied, the start included',
      'MB/s',
      bytes / MEGABYTE / seconds,
      'more',
    ),
  ];
}

/** Milliseconds of the slowest request while the death is noticed. @throws Error when one is not answered 200. */
async function slowest({ port }: Server, next: (n: number) => Buffer): Promise<number> {
  const connection = await Connection.open(port);
  let most = 0;
  const end = performance.now() + WATCHED_MS;
  for (let n = 0; performance.now() < end; n++) {
    const { status, milliseconds, body } = await connection.send(next(n), true);
    if (status !== 200) throw new Error(`${status} while a store is dead: ${body}`);
    most = Math.max(most, milliseconds);
    await sleep(PAUSE_MS);
  }
  connection.close();
  return most;
}

function writeAgain(store: Server, { hosts, threads }: Load): Promise<number> {
  const bodies = Array.from({ length: hosts }, (_, i) => hostBodies(i, threads));
  const now = Math.floor(Date.now() / 1000);
  const path = `/api/write/?cluster=${CLUSTER}`;
  return slowest(store, (n) => requestBytes('POST', path, bodies[n % hosts]?.(now) ?? ''));
}

function statusQuery({ hosts, threads, steps, frequency }: Load, from: number): string {
  const shapes = queryShapes({ from, to: from + steps * frequency, hosts, threads });
  return shapes.find(({ key }) => key === 'query_status')?.body ?? '';
}

function readAgain(store: Server, load: Load, from: number): Promise<number> {
  const request = requestBytes('GET', '/api/query', statusQuery(load, from));
  return slowest(store, () => request);
}
