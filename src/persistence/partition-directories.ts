/** The directories of partitions, of this number of partitions and of others. */
import { type Dirent, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readManifest } from './checkpoint/manifest.js';
import { syncDirectory } from './files.js';

const DIRECTORY = /^partition-(\d+)-of-(\d+)$/;
/** What a directory is called while it is removed. */
const REMOVED = '.removed';

/** Path of a partition's directory. */
export function partitionDirectory(root: string, index: number, count: number): string {
  return join(root, `partition-${index}-of-${count}`);
}

/** Where files wait that were found in another partition's directory (misplaced.ts): no partition's, so that all read it. */
export function shelterOf(root: string): string {
  return partitionDirectory(root, 0, 0);
}

export function isShelter(directory: string): boolean {
  return basename(directory) === basename(shelterOf(''));
}

/** Bytes of the files in a partition's directory. */
export function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

export interface PartitionDirectory {
  path: string;
  index: number;
  count: number;
}

/** All partition directories, whatever their number. */
export function partitionDirectories(root: string): PartitionDirectory[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .flatMap((entry: Dirent) => {
      const match = DIRECTORY.exec(entry.name);
      if (!entry.isDirectory() || match === null) return [];
      return [{ path: join(root, entry.name), index: Number(match[1]), count: Number(match[2]) }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Partition directories of other layouts than `count` partitions that are still to be loaded. */
export function foreignDirectories(root: string, count: number): string[] {
  return partitionDirectories(root)
    .filter((directory) => directory.count !== count && !isKept(directory.path))
    .map(({ path }) => path);
}

/** Whether later files replace the whole directory; only the archive needs it. */
export function isKept(directory: string): boolean {
  const state = readManifest(directory);
  return state.kind === 'read' && state.manifest.keptUntil !== undefined;
}

/** Makes the partition's directory; it is durable when this returns. */
export function makeDirectory(root: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  syncDirectory(root);
}

/** Removes a directory in one step: half of one would be read as damaged at the next start. */
export function removeDirectory(root: string, directory: string): void {
  const gone = `${directory}${REMOVED}`;
  rmSync(gone, { recursive: true, force: true });
  renameSync(directory, gone);
  syncDirectory(root);
  rmSync(gone, { recursive: true, force: true });
}

/** Removes what an interrupted removal has left. */
export function removeRemains(root: string): void {
  for (const name of readdirSync(root)) {
    if (name.endsWith(REMOVED)) rmSync(join(root, name), { recursive: true, force: true });
  }
}
