/** Disks that are soon full: file systems in memory, where the machine lets us mount some. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './directories.js';

const mounted: string[] = [];

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

/** A directory with a file system of so many MiB below it, `disk`; undefined: this machine does not let us. */
export function smallDisk(mebibytes: number): string | undefined {
  const dir = temporaryDirectory();
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', disk)) return undefined;
  mounted.push(disk);
  return dir;
}

/** To be called when the test is over: nothing else may be left below its directory. */
export function unmountDisks(): void {
  for (const disk of mounted.splice(0)) run('umount', '-l', disk);
}

export function canMount(): boolean {
  const dir = smallDisk(1);
  unmountDisks();
  return dir !== undefined;
}

/** Fills such a disk. @param left bytes that stay free. @returns the file to remove when there is to be room again. */
export function fillDisk(dir: string, left: number): string {
  const disk = join(dir, 'disk');
  const filler = join(disk, 'filler');
  const { stdout } = spawnSync('df', ['--output=avail', '-B1', disk], { encoding: 'utf8' });
  writeFileSync(filler, Buffer.alloc(Math.max(0, Number(stdout.split('\n')[1]) - left)));
  return filler;
}
