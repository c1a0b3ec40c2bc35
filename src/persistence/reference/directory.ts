import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

export type ReferenceFileKind = 'bin' | 'json' | 'log';

export interface ReferenceFile {
  path: string;
  kind: ReferenceFileKind;
  /** Unix seconds of the window's start, from the file's name; 0 for a log, which names none. */
  from: number;
}

export interface ReferenceHost {
  cluster: string;
  host: string;
  /** In load order: checkpoints, oldest first, then the log over them. */
  files: ReferenceFile[];
}

export const LOG_NAME = 'current.wal';

const CHECKPOINT_NAME = /^(\d{1,15})\.(bin|json)$/;

/** Whether a file of this name (without directories) is one that the reference writes below `<cluster>/<host>/`. */
export function isReferenceFile(name: string): boolean {
  return name === LOG_NAME || CHECKPOINT_NAME.test(name);
}

/** What a path's last part says about it; undefined for names that the reference never writes. */
export function classifyReferenceFile(path: string): ReferenceFile | undefined {
  const name = basename(path);
  if (name === LOG_NAME) return { path, kind: 'log', from: 0 };
  const match = CHECKPOINT_NAME.exec(name);
  if (match === null) return undefined;
  return { path, kind: match[2] === 'bin' ? 'bin' : 'json', from: Number(match[1]) };
}

/** Cluster and host of a file: the names of the two directories above it. */
export function ownerOf(path: string): { cluster: string; host: string } {
  const hostDirectory = dirname(resolve(path));
  return { cluster: basename(dirname(hostDirectory)), host: basename(hostDirectory) };
}

/**
 * Lists what the reference left in a checkpoint directory, `<dir>/<cluster>/<host>/<file>`, sorted by cluster and host.
 * Everything else (other files, unfinished `.tmp` files, hosts without a file) is passed over. A directory that does
 * not exist holds nothing; other errors of the file system reject.
 */
export async function scanReferenceDirectory(dir: string): Promise<ReferenceHost[]> {
  const hosts: ReferenceHost[] = [];
  for (const cluster of await directoriesIn(dir)) {
    for (const host of await directoriesIn(join(dir, cluster))) {
      const files = await referenceFilesIn(join(dir, cluster, host));
      if (files.length > 0) hosts.push({ cluster, host, files });
    }
  }
  return hosts;
}

/** None of a directory that is not there, or not any more: those of partitions come and go in a cluster. */
async function directoriesIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function referenceFilesIn(dir: string): Promise<ReferenceFile[]> {
  const files: ReferenceFile[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const file = entry.isFile() ? classifyReferenceFile(join(dir, entry.name)) : undefined;
    if (file !== undefined) files.push(file);
  }
  return files.sort(byLoadOrder);
}

function byLoadOrder(a: ReferenceFile, b: ReferenceFile): number {
  if ((a.kind === 'log') !== (b.kind === 'log')) return a.kind === 'log' ? 1 : -1;
  return a.from - b.from || (a.path < b.path ? -1 : 1);
}
