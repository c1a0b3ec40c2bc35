/**
 * Where a partition's files are:
 *
 *   <checkpoints.directory>/
 *     archive.json          until when samples have been archived (archive/job/state.ts)
 *     json-windows.json     with file-format "json" (json-windows.ts)
 *     partition-0-of-2/
 *       manifest.json     which checkpoint files count, and the first log segment that is needed besides them
 *       00000003.blocks   checkpoint files: sealed and open blocks
 *       00000007.log      log segments
 *     partition-1-of-2/
 *     <cluster>/<host>/   the reference's files, read once and superseded by ours; or ours, see json-windows.ts
 *
 * The number of partitions may change between starts: a directory of another number is read by all partitions, each
 * taking its own hosts, and removed once the first checkpoint of the new layout is safe.
 *
 * Where old data is archived, a file may be needed longer than the running server needs it: see `KeptFile`.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { replaceFile, syncDirectory } from './files.js';

const DIRECTORY = /^partition-(\d+)-of-(\d+)$/;
const LOG = /^(\d{8,})\.log$/;
const BLOCKS = /^(\d{8,})\.blocks$/;
/** Where files go that were replaced and may be wanted still. */
export const SUPERSEDED = 'superseded';
export const MANIFEST = 'manifest.json';
/** Number of a partition's first log segment. */
export const FIRST_SEGMENT = 1;

export interface CheckpointFile {
  name: string;
  bytes: number;
  /** Span of its samples, unix seconds. */
  from: number;
  to: number;
}

/**
 * A file that later ones replace, but for samples that had left memory before those were written and are not archived
 * yet. It is not loaded at start, and removed once everything before `until` (unix seconds) is archived.
 */
export interface KeptFile extends CheckpointFile {
  until: number;
}

/** Which files hold a partition's samples. */
export interface Manifest {
  version: 1;
  /** Oldest first; where two hold the same bin, the later one counts. */
  files: CheckpointFile[];
  /** Log segments below this number are covered by the files. */
  firstSegment: number;
  kept?: KeptFile[];
  /** The whole directory is one of another number of partitions, and kept as `KeptFile`. */
  keptUntil?: number;
}

const EMPTY: Manifest = { version: 1, files: [], firstSegment: 0 };

export function partitionDirectory(root: string, index: number, count: number): string {
  return join(root, `partition-${index}-of-${count}`);
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

/** The directory's manifest; an empty one when there was none yet. */
export function readManifest(directory: string): ManifestState {
  const path = join(directory, MANIFEST);
  if (!existsSync(path)) {
    // Lost, or the very first checkpoint was not finished: its file holds nothing then that the log does not.
    if (listCheckpoints(directory).length) return { kind: 'damaged', why: 'it is missing' };
    return { kind: 'read', manifest: { ...EMPTY, files: [] } };
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return { kind: 'damaged', why: `not JSON: ${(error as Error).message}` };
  }
  if (!isManifest(value)) return { kind: 'damaged', why: 'not a manifest of version 1' };
  // A flipped bit may leave JSON that names other files, and what is not named is removed.
  const { check, ...manifest } = value;
  return check === checkOf(manifest) ? { kind: 'read', manifest } : { kind: 'damaged', why: 'its check is wrong' };
}

/** SHA-256 of the manifest's JSON without spaces. */
function checkOf(manifest: Manifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

function isManifest(value: unknown): value is Manifest & { check?: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, files, firstSegment, kept = [], keptUntil = 0 } = value as Partial<Manifest>;
  return (
    version === 1 &&
    Number.isSafeInteger(firstSegment) &&
    Array.isArray(files) &&
    files.every(isCheckpointFile) &&
    Array.isArray(kept) &&
    kept.every((file) => isCheckpointFile(file) && typeof file.until === 'number') &&
    typeof keptUntil === 'number'
  );
}

function isCheckpointFile(value: unknown): value is CheckpointFile {
  if (typeof value !== 'object' || value === null) return false;
  const { name, bytes, from, to } = value as Partial<CheckpointFile>;
  return (
    typeof name === 'string' &&
    BLOCKS.test(name) &&
    Number.isSafeInteger(bytes) &&
    typeof from === 'number' &&
    typeof to === 'number'
  );
}

/** Makes a manifest the current one; durable when this returns. */
export function writeManifest(directory: string, manifest: Manifest): void {
  replaceFile(join(directory, MANIFEST), `${JSON.stringify({ ...manifest, check: checkOf(manifest) }, null, 1)}\n`);
}

/** What a file that can't be trusted is called when it is set aside: `<name>.corrupt`, never an older one's name. */
export function corruptName(path: string): string {
  let target = `${path}.corrupt`;
  for (let n = 1; existsSync(target); n++) target = `${path}.${n}.corrupt`;
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
  const target = corruptName(path);
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
