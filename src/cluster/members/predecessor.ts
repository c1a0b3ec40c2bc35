/**
 * Which process of this store was the last one to use its directory, in `cluster-process.json`. The directory has one process at
 * a time, by the kernel's lock on a file in it (src/ops/lock.ts). So the one that the file names is dead, as far as it is known
 * that its lock was this one: under the same boot of the same kernel, on the same directory. A copy of the directory, another
 * machine's disk or an image of it say nothing.
 *
 *   {"incarnation": "...", "boot": "...", "directory": "device:inode"}
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../persistence/files.js';

const NAME = 'cluster-process.json';
const BOOT = '/proc/sys/kernel/random/boot_id';

interface Noted {
  incarnation: string;
  boot: string;
  directory: string;
}

function noteOf(root: string, incarnation: string): Noted {
  const { dev, ino } = statSync(root, { bigint: true });
  return { incarnation, boot: readFileSync(BOOT, 'latin1').trim(), directory: `${dev}:${ino}` };
}

/** Incarnation of the process that had the directory before this one; undefined: it is not known that it is dead. */
export function predecessorOf(root: string): string | undefined {
  try {
    const noted = JSON.parse(readFileSync(join(root, NAME), 'utf8')) as Partial<Noted>;
    const { boot, directory } = noteOf(root, '');
    return noted.boot === boot && noted.directory === directory ? noted.incarnation : undefined;
  } catch {
    // Not there, or of no use.
    return undefined;
  }
}

/** To be called under the directory's lock, before others see the incarnation. @throws Error of the file system. */
export function noteProcess(root: string, incarnation: string): void {
  replaceFile(join(root, NAME), `${JSON.stringify(noteOf(root, incarnation))}\n`);
}
