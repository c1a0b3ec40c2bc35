/**
 * A throw-away Debian to install packages in: the machine's own root directory under a layer in memory (overlayfs), in a mount
 * and a process namespace of its own. With its end every change and every process in it is gone.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryDirectory } from '../support/directories.js';

export interface Result {
  status: number | null;
  /** stdout and stderr. */
  output: string;
}

export interface Chroot {
  /** Runs a script of bash in it, which ends at the first failure, and waits for its end. */
  run(script: string): Result;
  /** Starts one, and does not wait. */
  start(script: string): ChildProcess;
  /** Copies a file to its `/tmp`. @returns the path there */
  put(file: string): string;
  close(): Promise<void>;
}

/** /proc is mounted anew because the old one shows other process ids; what else dpkg and a server want is the machine's. */
const ENTER = (directory: string) => `set -e
mount -t tmpfs -o size=2g none ${directory}
mkdir ${directory}/upper ${directory}/work ${directory}/root
mount -t overlay -o lowerdir=/,upperdir=${directory}/upper,workdir=${directory}/work none ${directory}/root
mount -t proc none ${directory}/root/proc
mount --rbind /dev ${directory}/root/dev
mount -t tmpfs none ${directory}/root/run
mount -t tmpfs -o mode=1777 none ${directory}/root/tmp
mkdir ${directory}/root/tmp/shared
mount --bind ${directory}-shared ${directory}/root/tmp/shared
echo ready
exec cat`;

/** Undefined where the machine gives no such thing: no root, no Debian, no overlay on its file system. */
export async function openChroot(): Promise<Chroot | undefined> {
  if (process.getuid?.() !== 0 || spawnSync('dpkg', ['--version']).status !== 0) return undefined;
  const directory = temporaryDirectory();
  const shared = `${directory}-shared`;
  spawnSync('mkdir', [shared]);
  // It ends with its stdin, at the latest with this process.
  const holder = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', ENTER(directory)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(holder, 'close');
  const ready = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
  const close = async () => {
    holder.stdin.end();
    await ended;
    spawnSync('rm', ['-rf', shared]);
  };
  if (!ready) {
    await close();
    return undefined;
  }
  const [inner = ''] = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').split(' ');
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
  const args = (script: string) => [
    ...['--target', inner, '--mount', '--pid', 'chroot', join(directory, 'root')],
    ...['bash', '-euo', 'pipefail', '-c', script],
  ];
  return {
    run(script) {
      const run = spawnSync('nsenter', args(`exec 2>&1\n${script}`), { encoding: 'utf8', env });
      return { status: run.status, output: run.stdout };
    },
    start: (script) => spawn('nsenter', args(script), { stdio: ['ignore', 'pipe', 'pipe'], env }),
    put(file) {
      copyFileSync(file, join(shared, basename(file)));
      return `/tmp/shared/${basename(file)}`;
    },
    close,
  };
}
