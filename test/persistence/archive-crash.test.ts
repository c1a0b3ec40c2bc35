import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TEST_LIMIT } from '../support/limits.js';
import { startProgram } from '../support/programs.js';
import { until } from '../support/wait.js';
import { Scratch } from './reference-data.js';

const HOSTS = 40;
const BINS = 10_000;

/**
 * Archives 40 series of 10 000 bins (two row groups), sorting most of them on disk. Says "runs" when the last run has been taken and
 * "done" at the end. With a second argument it stands still once the last run was taken.
 */
const SCRIPT = `
import { writeArchive } from './persistence/archive/parquet/write-archive.js';
async function* runs() {
  for (let h = ${HOSTS - 1}; h >= 0; h--) {
    const values = Float64Array.from({ length: ${BINS} }, (_, k) => h + Math.sin(k));
    yield { cluster: 'c', host: 'h' + h, levels: [], metric: 'm', frequency: 10, start: 1000, values };
  }
  console.log('runs');
  if (process.argv[3] !== undefined) await new Promise((resolve) => setTimeout(resolve, ${TEST_LIMIT}));
}
await writeArchive(process.argv[2], 'c', 7, runs(), { sortBins: 16384 });
console.log('done');
`;

const scratch = new Scratch();
/** Runs the script on a directory and kills it `delay` ms after it took the last run. Resolves to whether it had finished. */
async function archive(directory: string, kill?: { delay: number; stand?: true }): Promise<boolean> {
  const stand = kill?.stand === true ? ['stand'] : [];
  const child = startProgram(SCRIPT, { args: [directory, ...stand] });
  if (kill !== undefined) {
    await until(() => child.ended !== undefined || child.stdout.includes('runs'), 'the last run');
    await sleep(kill.delay);
    await child.stop('SIGKILL');
  }
  await child.exited;
  return child.stdout.includes('done');
}

it('killed in the middle leaves the old file whole, and the next run makes it good', async () => {
  const expected = join(scratch.path, 'expected');
  expect(await archive(expected)).toBe(true);
  const bytes = readFileSync(join(expected, 'c/7.parquet'));

  let interrupted = 0;
  const directory = join(scratch.path, 'killed');
  for (const delay of [0, 40, 80, 160, 240, 320, 480]) {
    const before = existsSync(join(directory, 'c/7.parquet'));
    const finished = await archive(directory, { delay });
    if (!finished) interrupted++;
    const path = join(directory, 'c/7.parquet');
    // The file may have been complete although the process was killed before it said so.
    if (before || finished) expect(existsSync(path)).toBe(true);
    if (existsSync(path)) expect(readFileSync(path).equals(bytes)).toBe(true);
  }
  expect(interrupted).toBeGreaterThan(0);

  expect(await archive(directory)).toBe(true);
  expect(readdirSync(join(directory, 'c'))).toEqual(['7.parquet']);
  expect(readFileSync(join(directory, 'c/7.parquet')).equals(bytes)).toBe(true);
});

it('killed while it sorts leaves pieces that the next run removes', async () => {
  const directory = join(scratch.path, 'sorting');
  expect(await archive(directory, { delay: 0, stand: true })).toBe(false);
  cpSync(join(directory, 'c'), join(scratch.path, 'left'), { recursive: true });
  expect(readdirSync(join(scratch.path, 'left')).some((name) => name.endsWith('.tmp'))).toBe(true);
  expect(await archive(directory)).toBe(true);
  expect(readdirSync(join(directory, 'c'))).toEqual(['7.parquet']);
});
