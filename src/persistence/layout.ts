/**
 * Where a partition's files are:
 *
 *   <checkpoints.directory>/
 *     partition-0-of-2/
 *       manifest.json     which checkpoint files count, and the first log segment that is needed besides them
 *       00000003.blocks   checkpoint files: sealed and open blocks
 *       00000007.log      log segments
 *     partition-1-of-2/
 *     <cluster>/<host>/   the reference's files, read once and superseded by ours
 *
 * The number of partitions may change between starts: a directory of another number is read by all partitions, each
 * taking its own hosts, and removed once the first checkpoint of the new layout is safe.
 */
import { type Dirent, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile, syncDirectory } from './files.js';

const DIRECTORY = /^partition-(\d+)-of-(\d+)$/;
const LOG = /^(\d{8})\.log$/;
const BLOCKS = /^(\d{8})\.blocks$/;
const MANIFEST = 'manifest.json';

export interface CheckpointFile {
  name: string;
  bytes: number;
  /** Span of its samples, unix seconds. */
  from: number;
  to: number;
}

/** Which files hold a partition's samples. */
export interface Manifest {
  version: 1;
  /** Oldest first; where two hold the same bin, the later one counts. */
  files: CheckpointFile[];
  /** Log segments below this number are covered by the files. */
  firstSegment: number;
}

const EMPTY: Manifest = { version: 1, files: [], firstSegment: 0 };

export function partitionDirectory(root: string, index: number, count: number): string {
  return join(root, `partition-${index}-of-${count}`);
}

/** Partition directories of other layouts than `count` partitions. */
export function foreignDirectories(root: string, count: number): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry: Dirent) => {
      const match = DIRECTORY.exec(entry.name);
      return entry.isDirectory() && match !== null && Number(match[2]) !== count;
    })
    .map((entry) => join(root, entry.name))
    .sort();
}

/** Whether a name in the checkpoint directory belongs to our layout (and not to the reference's). */
export function isPartitionDirectory(name: string): boolean {
  return DIRECTORY.test(name);
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

export function checkpointName(number: number): string {
  return `${String(number).padStart(8, '0')}.blocks`;
}

function numbered(directory: string, pattern: RegExp): { name: string; number: number }[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [{ name, number: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

/** Log segments of a directory, oldest first. */
export function listSegments(directory: string): { name: string; number: number }[] {
  return numbered(directory, LOG);
}

/** Checkpoint files of a directory, oldest first, in the manifest or not. */
export function listCheckpoints(directory: string): { name: string; number: number }[] {
  return numbered(directory, BLOCKS);
}

export type ManifestState = { kind: 'read'; manifest: Manifest } | { kind: 'damaged'; why: string };

/** The directory's manifest; an empty one when there is none yet. */
export function readManifest(directory: string): ManifestState {
  const path = join(directory, MANIFEST);
  if (!existsSync(path)) return { kind: 'read', manifest: { ...EMPTY, files: [] } };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return { kind: 'damaged', why: `not JSON: ${(error as Error).message}` };
  }
  return isManifest(value)
    ? { kind: 'read', manifest: value }
    : { kind: 'damaged', why: 'not a manifest of version 1' };
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { version, files, firstSegment } = value as Partial<Manifest>;
  return (
    version === 1 &&
    Number.isSafeInteger(firstSegment) &&
    Array.isArray(files) &&
    files.every(
      (f) =>
        typeof f === 'object' &&
        f !== null &&
        BLOCKS.test(f.name) &&
        Number.isSafeInteger(f.bytes) &&
        typeof f.from === 'number' &&
        typeof f.to === 'number',
    )
  );
}

/** Makes a manifest the current one; durable when this returns. */
export function writeManifest(directory: string, manifest: Manifest): void {
  replaceFile(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

/** Renames a file that can't be trusted to `<name>.corrupt`, never over an older one. @returns the new path. */
export function setAside(path: string): string {
  let target = `${path}.corrupt`;
  for (let n = 1; existsSync(target); n++) target = `${path}.${n}.corrupt`;
  renameSync(path, target);
  return target;
}

/** Makes the partition's directory; it is durable when this returns. */
export function makeDirectory(root: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  syncDirectory(root);
}

/** Removes a file that nothing refers to any more; that it is gone already is fine. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
