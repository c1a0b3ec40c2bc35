/** Tests that fail with processes running: left-behind.test.ts runs them one by one. */
import { appendFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startProcess } from '../processes.js';
import { startServer } from '../server-process.js';
import { smallDisk } from '../small-disk.js';
import { until } from '../wait.js';

const CONFIG = {
  metrics: { load: { frequency: 60, aggregation: 'avg' } },
  'metric-store': { 'retention-in-memory': '1h', 'memory-cap': 1, 'num-workers': 1, checkpoints: {} },
};

/** A disk, where the machine lets us mount one, a server, and a shell whose child ignores SIGTERM; their ids go to the file PIDS. */
async function startSome(): Promise<void> {
  smallDisk(1);
  const server = await startServer(CONFIG);
  const script = "trap '' TERM; sleep 1000 & echo $!; wait";
  const shell = startProcess('bash', ['-c', script], { name: 'the shell' });
  await until(() => shell.stdout !== '', 'the shell');
  appendFileSync(process.env.PIDS ?? '', `${server.pid} ${shell.pid} ${shell.stdout.trim()}\n`);
}

it('fails', async () => {
  await startSome();
  expect(1).toBe(2);
});

it('never ends', { timeout: 10_000 }, async () => {
  await startSome();
  await new Promise(() => {});
});

it('loses its worker', async () => {
  await startSome();
  process.kill(process.pid, 'SIGKILL');
});

it('passes and forgets', async () => {
  await startSome();
});
