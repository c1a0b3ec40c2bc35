/**
 * One server a checkpoint directory: the kernel's lock on `.server.lock`, and beside it the holder's process id, for the
 * message that another one gets. The id only informs; what counts is the lock.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from './kernel-lock.js';

export class LockError extends Error {
  override readonly name = 'LockError';
  constructor(
    /** `HELD`: another process has it. `FAILED`: it could not be found out. */
    readonly code: 'HELD' | 'FAILED',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface Lock {
  /** Path of the lock file; it stays when the lock is released. */
  path: string;
  /** Frees the directory for another process. May be called more than once. */
  release(): void;
}

const LOCK_FILE = '.server.lock';
const HOLDER_FILE = '.server.pid';
/** A holder writes its id right after it got the lock; a process that finds no id there looks again after this time. */
const HOLDER_WRITES_MS = 50;

/**
 * Takes the lock of an existing directory, which must be writable. Blocks for a few milliseconds.
 * @throws LockError
 */
export function acquireLock(directory: string): Lock {
  const path = join(directory, LOCK_FILE);
  const holderPath = join(directory, HOLDER_FILE);
  let free: (() => void) | undefined;
  try {
    free = lockFile(path);
  } catch (cause) {
    throw new LockError('FAILED', `${path}: cannot lock the checkpoint directory`, { cause });
  }
  if (!free) {
    const what = `${path}: the checkpoint directory is in use by ${holderOf(holderPath)}`;
    throw new LockError('HELD', `${what}; stop it, or set another metric-store.checkpoints.directory`);
  }
  try {
    writeFileSync(holderPath, `${process.pid}\n`, { mode: 0o640 });
  } catch (cause) {
    free();
    throw new LockError('FAILED', `${holderPath}: cannot write to the checkpoint directory`, { cause });
  }
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
      rmSync(holderPath, { force: true });
      free();
    },
  };
}

function holderOf(path: string): string {
  let pid = read(path);
  if (pid === '') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLDER_WRITES_MS);
    pid = read(path);
  }
  return pid === '' ? 'another process' : `process ${pid}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
