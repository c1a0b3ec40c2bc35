/** What triggers a checkpoint, and which files are there afterwards. */
import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Logger } from '../../src/base/log.js';
import { type Opened, openPartition, writeLines } from '../faults/partitions.js';
import { line, metrics, T0 } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/directories.js';
import { LIMIT } from '../support/limits.js';

const METRICS = metrics(['m', 1]);

function open(root: string, maxWalSize = 0, errors: string[] = []): Promise<Opened> {
  const ignore = (): void => {};
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, err: (text) => errors.push(text), crit: ignore };
  return openPartition(root, METRICS, logger, maxWalSize);
}

/** Stores a thousand samples of a host, later ones with each call. */
function fill(opened: Opened, host: string, round: number): void {
  const times = Array.from({ length: 1000 }, (_, i) => T0 + 1000 * round + i);
  writeLines(opened, times.map((time) => line('m', host, time, Math.sqrt(time))).join(''));
}

function files(root: string, kind: string): string[] {
  const names = readdirSync(join(root, 'partition-0-of-1'));
  return names.filter((name) => name.endsWith(kind)).sort();
}

/** Resolves when no checkpoint is under way: files are removed between two. */
async function idle({ partition }: Opened): Promise<void> {
  await partition.dropFiles(0);
}

async function madeCheckpoints({ partition }: Opened): Promise<number> {
  return (await partition.stats()).checkpoint.count;
}

it('the log triggers one when it has outgrown its limit, and not before', async () => {
  const root = temporaryDirectory();
  const opened = await open(root, 20_000);
  fill(opened, 'a', 0);
  opened.partition.tick();
  await idle(opened);
  expect(await madeCheckpoints(opened)).toBe(0);
  for (let round = 1; round < 4; round++) fill(opened, 'a', round);
  opened.partition.tick();
  await expect.poll(() => madeCheckpoints(opened), { timeout: LIMIT }).toBe(1);
  expect(files(root, '.blocks')).toEqual(['00000001.blocks']);
  // The next segment is there: the manifest names it.
  expect(files(root, '.log')).toEqual(['00000002.log']);
  expect(statSync(join(root, 'partition-0-of-1', '00000002.log')).size).toBe(0);
  opened.partition.close();
});

it('one that fails because of the log is reported with its cause and does not come back at once', async () => {
  const root = temporaryDirectory();
  const errors: string[] = [];
  const opened = await open(root, 1, errors);
  fill(opened, 'a', 0);
  mkdirSync(join(root, 'partition-0-of-1', '00000001.blocks'));
  opened.partition.tick();
  await expect.poll(() => errors, { timeout: LIMIT }).toHaveLength(1);
  expect(errors[0]).toContain('because the log has outgrown its limit');
  opened.partition.tick();
  await idle(opened);
  expect(await madeCheckpoints(opened)).toBe(0);
  opened.partition.close();
});

it('adds a file for what is new, and replaces all of them after a free, even if that fails at first', async () => {
  const root = temporaryDirectory();
  const opened = await open(root);
  const { partition } = opened;
  for (let round = 0; round < 3; round++) {
    fill(opened, 'a', round);
    fill(opened, 'b', round);
    await partition.checkpoint('interval');
  }
  // The first has everything; of each later one the sealed blocks stay, and the open ones until the next.
  expect(files(root, '.blocks')).toEqual([1, 2, 4, 5].map((n) => `0000000${n}.blocks`));
  expect(partition.free(T0 + 2000, [['c', 'a']])).toBeGreaterThan(0);
  const inTheWay = join(root, 'partition-0-of-1', '00000006.blocks');
  mkdirSync(inTheWay);
  await expect(partition.checkpoint('interval')).rejects.toThrow('00000006.blocks');
  expect(files(root, '.blocks')).toHaveLength(5);
  rmdirSync(inTheWay);
  await partition.checkpoint('interval');
  expect(files(root, '.blocks')).toEqual(['00000007.blocks']);
  fill(opened, 'a', 3);
  await partition.checkpoint('interval');
  expect(files(root, '.blocks')).toEqual([7, 8, 9].map((n) => `0000000${n}.blocks`));
  partition.close();
});

it('a stop leaves one file and no log', async () => {
  const root = temporaryDirectory();
  const opened = await open(root);
  for (let round = 0; round < 3; round++) {
    fill(opened, 'a', round);
    await opened.partition.checkpoint('interval');
  }
  await opened.partition.stop();
  expect(files(root, '.blocks')).toEqual(['00000006.blocks']);
  expect(files(root, '.log')).toEqual([]);
});

it('the newest bins are in the files once, however many checkpoints were made', async () => {
  const root = temporaryDirectory();
  const opened = await open(root);
  const hosts = Array.from({ length: 50 }, (_, i) => `h${i}`);
  const sizes: number[] = [];
  const directory = join(root, 'partition-0-of-1');
  // Fewer than a block has: none is sealed.
  for (let bin = 0; bin < 60; bin++) {
    writeLines(opened, hosts.map((host) => line('m', host, T0 + bin, Math.sqrt(bin))).join(''));
    if (bin < 50) continue;
    await opened.partition.checkpoint('interval');
    sizes.push(files(root, '.blocks').reduce((sum, name) => sum + statSync(join(directory, name)).size, 0));
  }
  opened.partition.close();
  // The first checkpoint's file has them as well.
  expect(sizes.at(-1)).toBeLessThan(2.5 * (sizes[0] ?? 0));
  const { core, partition } = await open(root);
  const run = core.series.exportRun(0, 0, Number.MAX_SAFE_INTEGER);
  expect(run?.values).toEqual(Float64Array.from({ length: 60 }, (_, bin) => Math.sqrt(bin)));
  partition.close();
});
