/** `npm run cluster`, as somebody who tries it: it runs, a store dies at a key, nothing is missing, all of it ends. */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { freePort } from '../support/ports.js';
import { startProcess } from '../support/processes.js';
import { until } from '../support/wait.js';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/cluster.js');

it('kills a store and starts it again at a key, says that nothing is missing, and ends all it has started', async () => {
  const cwd = temporaryDirectory();
  const keys = join(cwd, 'keys');
  execFileSync('mkfifo', [keys]);
  const port = await freePort();
  const demo = startProcess('bash', ['-c', `exec ${process.execPath} ${SCRIPT} ${port} <>keys`], { cwd });
  const status = (): string => demo.log.split('\r').at(-1) ?? '';
  const says = async (...texts: string[]): Promise<void> => {
    await until(
      () => texts.every((text) => status().includes(text)) || demo.ended !== undefined,
      () => `${texts.join(' and ')}:\n${demo.log}`,
    );
    expect(demo.ended, demo.log).toBeUndefined();
  };

  await says('nothing is missing; running: store1, store2, store3');
  appendFileSync(keys, '2');
  await says('nothing is missing; running: store1, store3');
  appendFileSync(keys, '2');
  await says('nothing is missing; running: store1, store2, store3');
  appendFileSync(keys, 'q');
  expect(await demo.exited, demo.log).toEqual({ status: 0, signal: null });
  expect(demo.log).toContain('store2 has ended (SIGKILL)');
  expect(demo.log).not.toContain('ARE MISSING');
  expect(demo.stdout.trimEnd()).toMatch(
    /stopping\n(.|\n)*[1-9]\d* samples acknowledged, \d+ answered: nothing is missing$/,
  );
  // Stores and NATS are of the demo's process group, which is empty now.
  expect(() => process.kill(-demo.pid, 0)).toThrow('ESRCH');
});
