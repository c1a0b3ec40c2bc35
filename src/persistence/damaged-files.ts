/** Files that can't be trusted, or are not where they belong, are kept under other names. */
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FOREIGN, SUPERSEDED } from './layout.js';

/** What a file that can't be trusted is called when it is set aside: `<name>.corrupt`, never an older one's name. */
export function corruptName(path: string): string {
  return freshName(path, '.corrupt');
}

function freshName(path: string, suffix: string): string {
  let target = `${path}${suffix}`;
  for (let n = 1; existsSync(target); n++) target = `${path}.${n}${suffix}`;
  return target;
}

/** Keeps copies of damaged files of a directory that will be removed. @param paths of the files. */
export function keepDamaged(root: string, paths: string[]): void {
  for (const path of paths) {
    const copy = corruptName(join(root, SUPERSEDED, `${basename(dirname(path))}-${basename(path)}`));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(path, copy);
  }
}

/** Sets a file aside. @returns the new path. */
export function setAside(path: string): string {
  return rename(path, corruptName(path));
}

/** Renames a file that holds hosts of other partitions, for the next start to find (misplaced.ts). @returns the new path. */
export function leaveToOthers(path: string): string {
  return rename(path, freshName(path, FOREIGN));
}

function rename(path: string, target: string): string {
  renameSync(path, target);
  return target;
}
