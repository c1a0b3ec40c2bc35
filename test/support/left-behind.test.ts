/** However tests end, no process and no directory of theirs stays. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from './directories.js';
import { startProcess, type TestProcess } from './processes.js';
import { until } from './wait.js';

/** Runs one planted test in a vitest of its own. */
function plantedRun(name: string): { vitest: TestProcess; directory: string; started: () => number[] } {
  const directory = temporaryDirectory();
  const pids = join(directory, 'pids');
  const config = join(import.meta.dirname, 'planted/vitest.config.ts');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', config, '-t', name];
  const vitest = startProcess(process.execPath, args, { env: { PIDS: pids, TMPDIR: directory } });
  const started = (): number[] =>
    existsSync(pids) ? readFileSync(pids, 'utf8').split(/\s/).filter(Boolean).map(Number) : [];
  return { vitest, directory, started };
}

/** Whether a process is there and not just waiting to be collected. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The directories of runs below it. What vitest itself keeps there, it does not remove when it is killed. */
function runDirectories(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('ccms-run-'));
}

it.each([
  ['fails', /expected 1 to be 2/],
  ['never ends', /Test timed out/],
  ['loses its worker', /Worker exited unexpectedly/],
  ['passes and forgets', /1 passed/],
])('a test that %s leaves nothing behind', async (name, output) => {
  const { vitest, directory, started } = plantedRun(name);
  const { status } = await vitest.exited;
  expect(vitest.log).toMatch(output);
  expect(status).toBe(name.startsWith('passes') ? 0 : 1);
  expect(started()).toHaveLength(3);
  expect(started().filter(runs)).toEqual([]);
  expect(runDirectories(directory)).toEqual([]);
});

it('a test that fails shows what its processes wrote', async () => {
  const { vitest } = plantedRun('fails');
  await vitest.exited;
  expect(vitest.log).toMatch(/--- server in .* \(still runs\)\n.*<6>\[INFO\]/);
  expect(vitest.log).toMatch(/--- the shell \(still runs\)\n\d+/);
});

it('a run that is killed leaves nothing behind', async () => {
  const { vitest, directory, started } = plantedRun('never ends');
  await until(
    () => started().length === 3,
    () => `the planted processes:\n${vitest.log}`,
  );
  process.kill(vitest.pid, 'SIGKILL');
  await until(() => !started().some(runs), 'the end of the planted processes');
  await until(() => runDirectories(directory).length === 0, 'the removal of the run directory');
});
