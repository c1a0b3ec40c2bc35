import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock, LockError } from '../../src/ops/lock.js';
import { compileSources, firstOutput, outcomeOf, pathWithOnly, startProgram } from './compiled.js';

let compiled: string;
let directory: string;
const path = process.env.PATH;
beforeAll(() => {
  compiled = compileSources('src/ops/lock.ts');
});
afterAll(() => rmSync(compiled, { recursive: true }));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true });
});

/** Takes the lock, says so, and does what follows. */
const holder = (then: string) =>
  startProgram(
    compiled,
    `import { acquireLock } from './ops/lock.js';
     try { acquireLock(${JSON.stringify(directory)}); } catch (error) { console.log(error.code); process.exit(3); }
     ${then}`,
  );
const HOLD = 'console.log("held"); setInterval(() => {}, 1000);';

function refusal(): LockError {
  try {
    acquireLock(directory).release();
  } catch (error) {
    if (error instanceof LockError) return error;
    throw error;
  }
  throw new Error('acquired');
}

describe('acquireLock', () => {
  it('refuses a second server and names the first', async () => {
    const first = holder(HOLD);
    expect(await firstOutput(first)).toBe('held\n');
    const error = refusal();
    expect(error.code).toBe('HELD');
    expect(error.message).toBe(
      `${directory}/.lock: the checkpoint directory is in use by process ${first.pid}; ` +
        'stop it, or set another metric-store.checkpoints.directory',
    );
    first.kill('SIGKILL');
    await outcomeOf(first);
    acquireLock(directory).release();
  });

  it('is free after kill -9 of the holder, even if a child of its outlives it', async () => {
    const first = holder(`
      import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      console.log(child.pid); setInterval(() => {}, 1000);`);
    const child = Number(await firstOutput(first));
    first.kill('SIGKILL');
    await outcomeOf(first);
    expect(existsSync(`/proc/${child}`)).toBe(true);
    const lock = acquireLock(directory);
    expect(readFileSync(lock.path, 'utf8')).toBe(`${process.pid}\n`);
    lock.release();
    process.kill(child);
  });

  it('lets exactly one of many win that come at once', async () => {
    for (let round = 0; round < 2; round++) {
      const rivals = Array.from({ length: 8 }, () => holder(HOLD));
      const ends = rivals.map(outcomeOf);
      const words = await Promise.all(rivals.map(firstOutput));
      expect(words.sort()).toEqual([...Array(7).fill('HELD\n'), 'held\n']);
      for (const rival of rivals) rival.kill('SIGKILL');
      await Promise.all(ends);
    }
  }, 30_000);

  it('can be taken again once released, also within one process', () => {
    const lock = acquireLock(directory);
    expect(refusal().message).toContain(`process ${process.pid};`);
    lock.release();
    lock.release();
    const next = acquireLock(directory);
    lock.release();
    expect(refusal().code).toBe('HELD');
    next.release();
  });

  it.each(['flock', 'perl', 'python3'])('works with only %s installed', (command) => {
    process.env.PATH = pathWithOnly(command);
    const lock = acquireLock(directory);
    expect(refusal().code).toBe('HELD');
    lock.release();
    acquireLock(directory).release();
  });

  it('fails, rather than go on without a lock, when it cannot take one', () => {
    process.env.PATH = pathWithOnly();
    expect(refusal()).toMatchObject({ code: 'FAILED', message: expect.stringContaining('none of flock') });
    directory = mkdtempSync(join(tmpdir(), 'lock-'));
    rmSync(directory, { recursive: true });
    const missing = refusal();
    expect(missing).toMatchObject({ code: 'FAILED', message: expect.stringContaining('cannot open the lock file') });
    directory = mkdtempSync(join(tmpdir(), 'lock-'));
  });
});
