import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { nodeVersions } from '../support/node-versions.js';
import type { TestProcess } from '../support/processes.js';
import { finished } from '../support/processes.js';
import { firstLine, pathWithOnly, runProgram, startProgram } from '../support/programs.js';

let directory: string;
const versions = nodeVersions();
/** Those with SQLite lock by themselves, Node 20 needs a helper. */
const [newest, middle, oldest] = versions.map(({ path }) => path);

beforeEach(() => {
  directory = temporaryDirectory();
});

/** A process of the given Node that takes the lock, and then runs the code, or prints why it could not. */
function start(node: string | undefined, then: string, env: NodeJS.ProcessEnv = {}): TestProcess {
  const code = `import { acquireLock } from './ops/lock.js';
    const directory = ${JSON.stringify(directory)};
    let lock;
    try { lock = acquireLock(directory); }
    catch (error) { console.log(error.code, error.message, String(error.cause)); process.exit(3); }
    ${then}`;
  return startProgram(code, { env, node });
}
const HOLD = 'console.log("held"); setInterval(() => {}, 1000);';
const TRY = 'lock.release(); console.log("free");';
const tryLock = async (node: string | undefined, env: NodeJS.ProcessEnv = {}) =>
  (await finished(start(node, TRY, env))).stdout;

describe.each(versions)('acquireLock with Node $major', ({ path: node }) => {
  it('refuses a second server and names the first, until it is killed', async () => {
    const first = start(node, HOLD);
    expect(await firstLine(first)).toBe('held');
    expect(await tryLock(node)).toBe(
      `HELD ${directory}/.server.lock: the checkpoint directory is in use by process ${first.pid}; ` +
        'stop it, or set another metric-store.checkpoints.directory undefined\n',
    );
    await first.stop('SIGKILL');
    expect(await tryLock(node)).toBe('free\n');
  });

  it('is free after kill -9 of the holder, even if a child of its outlives it', async () => {
    const first = start(
      node,
      `const { spawn } = await import('node:child_process');
       const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
       console.log(child.pid); setInterval(() => {}, 1000);`,
    );
    const child = Number(await firstLine(first));
    try {
      await first.stop('SIGKILL');
      expect(existsSync(`/proc/${child}`)).toBe(true);
      const next = start(node, HOLD);
      expect(await firstLine(next)).toBe('held');
      expect(readFileSync(join(directory, '.server.pid'), 'utf8')).toBe(`${next.pid}\n`);
    } finally {
      process.kill(child);
    }
  });

  it('can be taken again once released, also within one process', async () => {
    const { stdout, stderr } = await finished(
      start(
        node,
        `const refusal = () => { try { acquireLock(directory); } catch ({ code }) { return code; } };
         console.log(refusal());
         console.log(refusal());
         lock.release();
         lock.release();
         const next = acquireLock(directory);
         lock.release();
         console.log(refusal());
         next.release();`,
      ),
    );
    // Nothing is said about experimental modules either.
    expect({ stdout, stderr }).toEqual({ stdout: 'HELD\nHELD\nHELD\n', stderr: '' });
    expect(readdirSync(directory)).toEqual(['.server.lock']);
  });

  it('fails, rather than go on without a lock, where it can find no file', async () => {
    rmSync(directory, { recursive: true });
    expect(await tryLock(node)).toContain(`FAILED ${directory}/.server.lock: cannot lock the checkpoint directory`);
  });
});

describe('acquireLock', () => {
  it('lets exactly one of many win that come at once, of whichever version', async () => {
    for (let round = 0; round < 2; round++) {
      const rivals = Array.from({ length: 9 }, (_, i) => start(versions[i % versions.length]?.path, HOLD));
      const words = await Promise.all(rivals.map(firstLine));
      expect(words.map((word) => word.slice(0, 4)).sort()).toEqual([...Array(8).fill('HELD'), 'held']);
      await Promise.all(rivals.map((rival) => rival.stop('SIGKILL')));
    }
  });

  it('needs no other program with Node 22 and 24', async () => {
    const env = { PATH: pathWithOnly() };
    for (const node of [newest, middle]) expect(await tryLock(node, env)).toBe('free\n');
  });

  it.each(['perl', 'python3'])('works with only %s installed with Node 20, beside the others', async (command) => {
    const env = { PATH: pathWithOnly(command) };
    const first = start(oldest, HOLD, env);
    expect(await firstLine(first)).toBe('held');
    for (const { path: node } of versions) expect(await tryLock(node, env)).toMatch(/^HELD/);
    await first.stop('SIGKILL');
    expect(await firstLine(start(newest, HOLD))).toBe('held');
    expect(await tryLock(oldest, env)).toMatch(/^HELD/);
  });

  it('fails with Node 20 when there is neither, and says what to do', async () => {
    expect(await tryLock(oldest, { PATH: pathWithOnly() })).toMatch(/^FAILED .*use Node 22.13 or later, or install/);
  });

  it.runIf(process.getuid?.() === 0)('fails for a user who may not write the lock file', async () => {
    chmodSync(directory, 0o777);
    expect(await tryLock(newest)).toBe('free\n');
    for (const { path } of versions) {
      const code = `process.setgid(65534); process.setuid(65534);
        const { acquireLock } = await import('./ops/lock.js');
        try { acquireLock(${JSON.stringify(directory)}); } catch (error) { console.log(error.code); }`;
      expect((await runProgram(code, { node: path })).stdout).toBe('FAILED\n');
    }
  });
});
