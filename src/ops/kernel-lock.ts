/**
 * An exclusive lock of the kernel on a whole file: it ends with its holder however that dies, so there are no stale locks
 * to recognise, and it holds across containers that share the directory, where process ids say nothing. On NFS it is the
 * lock service's.
 *
 * Node has no call for such a lock, but SQLite, which Node 22.13 and later bring along, takes one (fcntl, F_SETLK) on its
 * database: an empty file is a database, and an exclusive transaction that is never committed holds the lock. Older
 * versions of Node hand the open file to a child, which asks for a lock that belongs to the open file (F_OFD_SETLK) and
 * exits. Both are locks of one kind, so the two ways keep each other out.
 *
 *     Node 22.13:   server: SQLite: open, BEGIN EXCLUSIVE = locked;     close or death of the server = free
 *     before:       server: fd = open ──inherit──▶ perl or python3: locks the open file, exits
 *                   fd stays open = locked;                             close or death of the server = free
 *
 * A lock by fcntl is lost when its process closes any other descriptor of the file: nothing else may ever open it.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** What is used of `node:sqlite`, which the types of Node 20 leave out. */
interface Sqlite {
  DatabaseSync: new (path: string) => { exec(sql: string): void; close(): void };
}

/** SQLite's SQLITE_BUSY: another process has the lock. */
const SQLITE_BUSY = 5;
const FILE_MODE = 0o640;
/** Descriptor of the lock file in the child. */
const CHILD_FD = 3;
/** What the child exits with when another process has the lock. */
const HELD_STATUS = 75;
/** `struct flock` of 64-bit Linux: short type (F_WRLCK), short whence, padding, long start, long length (0: all), int pid. */
const CHILDREN: readonly (readonly [command: string, args: string[]])[] = [
  [
    'perl',
    [
      '-MErrno',
      '-e',
      `open(my $f, "+<&=${CHILD_FD}") or die $!;
my $lock = pack("s s x4 q q i x4", 1, 0, 0, 0, 0);
exit 0 if fcntl($f, 37, $lock);
exit ${HELD_STATUS} if $!{EAGAIN} || $!{EACCES};
die $!`,
    ],
  ],
  [
    'python3',
    [
      '-c',
      `import fcntl, struct, sys
try: fcntl.fcntl(${CHILD_FD}, 37, struct.pack("hhqqi4x", 1, 0, 0, 0, 0))
except (BlockingIOError, PermissionError): sys.exit(${HELD_STATUS})`,
    ],
  ],
];

/** @returns a function that frees the file again; undefined when another holds the lock */
type TakeLock = (path: string) => (() => void) | undefined;

/**
 * Locks the file, which is made if need be and stays empty. Blocks for a few milliseconds.
 * @returns a function that frees it again, to be called once; undefined when another holds the lock, in this process or elsewhere
 * @throws Error when that can't be found out: no access, no lock service, nothing to ask with
 */
export const lockFile: TakeLock = (path) => {
  const sqlite = loadSqlite();
  return sqlite ? lockBySqlite(sqlite, path) : lockByChild(path);
};

/** Undefined in a Node without it. Its warning that it is experimental would be the first line of every log. */
function loadSqlite(): Sqlite | undefined {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule?.('node:sqlite') as Sqlite | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function lockBySqlite({ DatabaseSync }: Sqlite, path: string): (() => void) | undefined {
  makeEmpty(path);
  const database = new DatabaseSync(path);
  try {
    // Without a journal beside it: nothing is ever written.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return () => database.close();
}

/** SQLite would make the file readable by everybody. A file that exists is not opened, see above. */
function makeEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function lockByChild(path: string): (() => void) | undefined {
  const fd = openSync(path, 'a+', FILE_MODE);
  try {
    for (const [command, args] of CHILDREN) {
      const run = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe', fd], encoding: 'utf8' });
      if (run.error && (run.error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      if (run.status === 0) return () => closeSync(fd);
      if (run.status === HELD_STATUS) {
        closeSync(fd);
        return undefined;
      }
      throw new Error(`${command} could not lock it: ${run.stderr.trim() || run.signal}`, { cause: run.error });
    }
    throw new Error('nothing to lock it with: use Node 22.13 or later, or install perl or python3');
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
