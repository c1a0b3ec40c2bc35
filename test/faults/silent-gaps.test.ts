/** Files that somebody has deleted, swapped or copied: nothing goes without a word, and what is there finds its partition. */
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, figure, query, write } from '../support/client.js';
import { line } from '../support/core-driver.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const HOUR_AGO = (Math.floor(Date.now() / 60_000) - 60) * 60;
const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);

function config(store: object = {}): object {
  return {
    metrics: { m: { frequency: 60, aggregation: null } },
    'metric-store': { 'retention-in-memory': '24h', 'memory-cap': 4, 'num-workers': 1, ...store },
  };
}

/** Stores minute k of each host. */
async function put({ port }: ServerProcess, ...minutes: number[]): Promise<void> {
  const lines = HOSTS.flatMap((host, i) => minutes.map((k) => line('m', host, HOUR_AGO + 60 * k, 100 * i + k)));
  expect((await write(port, lines.join(''))).status).toBe(200);
}

/** Hosts of which minutes are there, and which. */
async function stored({ port }: ServerProcess): Promise<Record<string, number[]>> {
  const request = { cluster: 'c', from: HOUR_AGO, to: HOUR_AGO + 3600 };
  const { results } = await query(port, { ...request, queries: HOSTS.map((host) => ({ metric: 'm', host })) });
  return Object.fromEntries(
    results.map(([entry], i) => [
      HOSTS[i] ?? '',
      (entry?.data ?? []).flatMap((value) => (value === null ? [] : [value - 100 * i])),
    ]),
  );
}

const all = (...minutes: number[]): Record<string, number[]> =>
  Object.fromEntries(HOSTS.map((host) => [host, minutes]));

const partition = ({ dir }: ServerProcess, index: number): string =>
  join(dir, `var/checkpoints/partition-${index}-of-2`);

function files(server: ServerProcess, index: number, kind: string): string[] {
  const directory = partition(server, index);
  const names = readdirSync(directory).filter((name) => name.endsWith(kind));
  return names.sort().map((name) => join(directory, name));
}

async function missing({ port }: ServerProcess): Promise<unknown> {
  const health = await ask(port, '/healthz');
  expect(health.status).toBe(200);
  return JSON.parse(health.body).missing;
}

describe('a log segment that is gone', () => {
  it('is missed by the one after it, with its time and its series', async () => {
    let server = await startServer(config());
    for (const minute of [0, 1, 2]) {
      await put(server, minute);
      server = await server.restart('SIGKILL');
    }
    await server.stop('SIGKILL');
    const [, second] = files(server, 0, '.log');
    rmSync(second ?? '');
    server = await server.restart();
    const said = /00000002\.log is missing: written from \S+Z to \S+Z, \d+ series, \d+ bytes/;
    expect(server.log()).toMatch(new RegExp(`ERR.*partition-0-of-2: ${said.source}`));
    expect(await missing(server)).toMatch(new RegExp(`^partition 0: ${said.source}$`));
    expect(await figure(server.port, 'ccms_missing_files{partition="0"}')).toBe(1);
    expect(await figure(server.port, 'ccms_missing_files{partition="1"}')).toBe(0);
    // What the others hold is there.
    const counts = new Set(Object.values(await stored(server)).map((minutes) => minutes.join()));
    expect(counts).toEqual(new Set(['0,2', '0,1,2']));
    await server.stop('SIGKILL');
  });

  it('is missed by the manifest if it is the newest', async () => {
    let server = await startServer(config({ checkpoints: { 'max-wal-size': 100, directory: './var/checkpoints' } }));
    await put(server, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    await until(async () => (await figure(server.port, 'ccms_checkpoints_total')) >= 2);
    await server.stop('SIGKILL');
    const segments = files(server, 1, '.log');
    for (const segment of segments) rmSync(segment);
    expect(segments.length).toBeGreaterThan(0);
    server = await server.restart();
    expect(await missing(server)).toMatch(/^partition 1: 0000000\d\.log is missing: written from \S+Z$/);
    // The next ones have other numbers, and a checkpoint covers the gap.
    await put(server, 10, 11, 12, 13);
    await until(async () => (await figure(server.port, 'ccms_checkpoints_total')) >= 2);
    server = await server.restart('SIGTERM');
    expect(await missing(server)).toBeUndefined();
    expect(server.log()).not.toContain('missing');
    await server.stop('SIGKILL');
  });

  it('its end is missed too', async () => {
    let server = await startServer(config());
    await put(server, 0, 1, 2);
    server = await server.restart('SIGKILL');
    await put(server, 3);
    await server.stop('SIGKILL');
    const [first] = files(server, 0, '.log');
    // The header is left.
    truncateSync(first ?? '', 60);
    server = await server.restart();
    expect(await missing(server)).toMatch(
      /the end of 00000001\.log is missing: written .*, at most \d+ series, \d+ bytes/,
    );
    await server.stop('SIGKILL');
  });
});

it('a checkpoint file that is gone is missed, with its span and its series', async () => {
  let server = await startServer(config());
  await put(server, 0, 1);
  await server.stop('SIGTERM');
  for (const file of files(server, 0, '.blocks')) rmSync(file);
  server = await server.restart();
  const expected = /^partition 0: 00000001\.blocks is missing: samples from \S+Z to \S+Z, \d+ series, \d+ bytes$/;
  expect(await missing(server)).toMatch(expected);
  await server.stop('SIGKILL');
});

describe('files in a directory of another partition', () => {
  it.each([
    ['checkpoint files', '.blocks', 'SIGTERM'],
    ['log segments', '.log', 'SIGKILL'],
    ['whole directories', '', 'SIGTERM'],
  ] as const)('%s that were swapped are moved back', async (_, kind, signal) => {
    let server = await startServer(config());
    await put(server, 0, 1, 2);
    await server.stop(signal);
    const swap = (a: string, b: string): void => {
      renameSync(a, `${a}.x`);
      renameSync(b, a);
      renameSync(`${a}.x`, b);
    };
    if (kind) swap(files(server, 0, kind)[0] ?? '', files(server, 1, kind)[0] ?? '');
    else swap(partition(server, 0), partition(server, 1));
    server = await server.restart();
    expect(await stored(server)).toEqual(all(0, 1, 2));
    expect(await missing(server)).toBeUndefined();
    expect(server.log()).toMatch(/ERR.*is of partition 1 of 2; moved back/);
    server = await server.restart('SIGTERM');
    expect(await stored(server)).toEqual(all(0, 1, 2));
    expect(server.log()).not.toMatch(/ERR|WARN/);
    await server.stop('SIGKILL');
  });

  it.each([
    ['checkpoint file', '.blocks', '00000077.blocks', 'SIGTERM'],
    ['log segment', '.log', '00000077.log', 'SIGKILL'],
  ] as const)('a copied %s is loaded where its hosts are', async (_, kind, name, signal) => {
    let server = await startServer(config());
    await put(server, 0, 1, 2);
    await server.stop(signal);
    const [original = ''] = files(server, 1, kind);
    copyFileSync(original, join(partition(server, 0), name));
    // Only the copy has the samples.
    truncateSync(original, 60);
    server = await server.restart();
    expect(await stored(server)).toEqual(all(0, 1, 2));
    expect(existsSync(join(server.dir, 'var/checkpoints/partition-0-of-0'))).toBe(false);
    server = await server.restart('SIGKILL');
    expect(await stored(server)).toEqual(all(0, 1, 2));
    await server.stop('SIGKILL');
  });
});
