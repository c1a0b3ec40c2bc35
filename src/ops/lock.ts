/**
 * One server a checkpoint directory. The lock is the kernel's (`flock`): it ends with its holder however that dies, so
 * there are no stale locks to recognise, and it holds across containers that share the directory, where process ids
 * say nothing.
 *
 * Node cannot call `flock` itself. But such a lock belongs to the open file, not to the process that asked for it: a
 * child that inherits the descriptor takes the lock and exits, and it stays until this process closes the file.
 *
 *     server: fd = open(".lock") ──inherit──▶ flock -n 3: locks the open file, exits
 *             fd stays open = locked;  close or death of the server = free
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

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
  /** Path of the lock file; it stays behind when the lock is released, empty. */
  path: string;
  /** Frees the directory for another process. May be called more than once. */
  release(): void;
}

const LOCK_FILE = '.lock';
/** Descriptor of the lock file in the child. */
const CHILD_FD = 3;
/** What takes the lock, by preference; each exits with 1 when it is held. util-linux and busybox both have flock. */
const LOCKERS: readonly (readonly [command: string, args: string[]])[] = [
  ['flock', ['-xn', String(CHILD_FD)]],
  ['perl', ['-e', `open(my $f, "+<&=${CHILD_FD}") or exit 2; exit(flock($f, 6) ? 0 : 1)`]],
  [
    'python3',
    [
      '-c',
      `import fcntl, sys
try: fcntl.flock(${CHILD_FD}, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: sys.exit(1)`,
    ],
  ],
];
const HELD_STATUS = 1;
/** A holder writes its id right after it got the lock; who comes in between looks again after this time. */
const HOLDER_WRITES_MS = 50;

/**
 * Takes the lock of an existing directory, which must be writable. Blocks for a few milliseconds.
 * @throws LockError
 */
export function acquireLock(directory: string): Lock {
  const path = join(directory, LOCK_FILE);
  let fd: number;
  try {
    fd = openSync(path, 'a+', 0o640);
  } catch (cause) {
    throw new LockError('FAILED', `${path}: cannot open the lock file of the checkpoint directory`, { cause });
  }
  try {
    takeLock(fd, path);
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
      ftruncateSync(fd);
      closeSync(fd);
    },
  };
}

function takeLock(fd: number, path: string): void {
  for (const [command, args] of LOCKERS) {
    const run = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe', fd], encoding: 'utf8' });
    if (run.error && (run.error as NodeJS.ErrnoException).code === 'ENOENT') continue;
    if (run.status === 0) return;
    if (run.status === HELD_STATUS && run.stderr === '') {
      const what = `${path}: the checkpoint directory is in use by ${holderOf(path)}`;
      throw new LockError('HELD', `${what}; stop it, or set another metric-store.checkpoints.directory`);
    }
    throw new LockError('FAILED', `${path}: ${command} could not lock it: ${run.stderr.trim() || run.signal}`, {
      cause: run.error,
    });
  }
  throw new LockError('FAILED', `${path}: cannot lock it: none of flock (util-linux), perl and python3 is installed`);
}

function holderOf(path: string): string {
  let pid = readFileSync(path, 'utf8').trim();
  if (pid === '') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLDER_WRITES_MS);
    pid = readFileSync(path, 'utf8').trim();
  }
  return pid === '' ? 'another process' : `process ${pid}`;
}
