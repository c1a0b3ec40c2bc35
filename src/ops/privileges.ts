/**
 * Becomes another user for good. Order matters: bind privileged ports and read root's files first, then drop, then open
 * what the service is to own; start worker threads and helpers last.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';

export interface Identity {
  uid: number;
  gid: number;
  /** Null: only the group changes. */
  user: string | null;
}

export class PrivilegeError extends Error {
  override readonly name = 'PrivilegeError';
  readonly code = 'PRIVILEGES';
}

/** The types of Node 20 leave this one out. */
type Posix = NodeJS.Process & { initgroups?(user: string, extraGroup: number): void };

const ROOT = 0;

/**
 * Finds out who `user` and `group` are, also where they come from LDAP or the like (through `id` and `getent`). Without
 * a group it is the user's own, without a user only the group changes.
 * @throws PrivilegeError when there is no such user or group
 */
export function lookUpIdentity(user: string | undefined, group: string | undefined): Identity {
  const uid = user === undefined ? (process.geteuid?.() ?? ROOT) : ask('main.user', user, 'id', ['-u', '--', user]);
  let gid = process.getegid?.() ?? ROOT;
  if (group !== undefined) gid = ask('main.group', group, 'getent', ['group', group]);
  else if (user !== undefined) gid = ask('main.user', user, 'id', ['-g', '--', user]);
  return { uid, gid, user: user ?? null };
}

/**
 * Makes the directory, with what is above it, and gives those that are new to the identity. What exists is left alone.
 * For directories that the service could not make itself once it has dropped its privileges.
 */
export function makeOwnedDirectory(path: string, { uid, gid }: Identity): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o750 });
  if (first === undefined) return;
  const give = (directory: string) => {
    chownSync(directory, uid, gid);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) give(`${directory}/${entry.name}`);
    }
  };
  give(first);
}

/**
 * Drops to the identity in all threads, with the user's supplementary groups and none of root's, and checks that there
 * is no way back. Does nothing when the process is that user and group already.
 * @throws PrivilegeError when it is not possible, or not complete; the process should exit then
 */
export function dropPrivileges(identity: Identity): void {
  const { uid, gid, user } = identity;
  const { getuid, geteuid, getgid, getegid, setuid, setgid, setgroups, initgroups } = process as Posix;
  if (!getuid || !geteuid || !getgid || !getegid || !setuid || !setgid || !setgroups || !initgroups) {
    throw new PrivilegeError('users and groups cannot be changed on this platform; remove main.user and main.group');
  }
  if (getuid() === uid && geteuid() === uid && getgid() === gid && getegid() === gid) return;
  if (geteuid() !== ROOT) {
    throw new PrivilegeError(
      `cannot become user ${uid}, group ${gid} (main.user, main.group): the process runs as user ${geteuid()}, not as root`,
    );
  }
  if ((process.env.UV_USE_IO_URING ?? '0') !== '0') {
    throw new PrivilegeError('UV_USE_IO_URING is set: io_uring would keep working as root; unset it to use main.user');
  }
  try {
    if (user === null) setgroups([gid]);
    else initgroups(user, gid);
    setgid(gid);
    setuid(uid);
  } catch (cause) {
    throw new PrivilegeError(`cannot become user ${uid}, group ${gid} (main.user, main.group)`, { cause });
  }
  verifyDropped(identity);
}

/** @throws PrivilegeError when any thread has kept, or can take back, what was given up */
function verifyDropped({ uid, gid }: Identity): void {
  for (const status of threadStatuses()) {
    const ids = (name: string) => (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/);
    // Real, effective, saved and file system id.
    if (ids('Uid').some((id) => id !== String(uid)) || ids('Gid').some((id) => id !== String(gid))) {
      throw new PrivilegeError(
        `a thread kept its user or group: ${ids('Uid')} / ${ids('Gid')} instead of ${uid} / ${gid}`,
      );
    }
    if (gid !== ROOT && ids('Groups').includes(String(ROOT))) throw new PrivilegeError("root's group was kept");
  }
  if (uid === ROOT) return;
  for (const status of threadStatuses()) {
    const permitted = /^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
    if (/[^0]/.test(permitted)) throw new PrivilegeError(`a thread kept capabilities: ${permitted}`);
  }
  for (const back of [() => process.setuid?.(ROOT), () => process.seteuid?.(ROOT)]) {
    try {
      back();
    } catch {
      continue;
    }
    throw new PrivilegeError('the process could become root again');
  }
}

function threadStatuses(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      return [readFileSync(`/proc/self/task/${thread}/status`, 'utf8')];
    } catch {
      // A thread that has ended meanwhile.
      return [];
    }
  });
}

function ask(key: string, name: string, command: string, args: string[]): number {
  const run = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  if (run.error) throw new PrivilegeError(`${key}: cannot look up ${JSON.stringify(name)}`, { cause: run.error });
  // `id` prints the number alone, `getent` a line name:password:number:members.
  const number = command === 'getent' ? run.stdout.split(':')[2] : run.stdout.trim();
  if (run.status !== 0 || !/^\d+$/.test(number ?? '')) {
    throw new PrivilegeError(`${key}: there is no ${key.slice('main.'.length)} ${JSON.stringify(name)}`);
  }
  return Number(number);
}
