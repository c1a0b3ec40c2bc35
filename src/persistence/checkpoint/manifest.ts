/** A partition's manifest: which checkpoint files count, and the first log segment that is needed besides them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../files.js';
import { isCheckpointName, listCheckpoints, MANIFEST } from '../layout.js';

export interface CheckpointFile {
  name: string;
  bytes: number;
  /** Span of its samples, unix seconds. */
  from: number;
  to: number;
  /** Undefined: it was written by an older version. */
  series?: number;
  /** It holds the newest bins of series, and nothing else: the next checkpoint replaces it. */
  open?: true;
}

/**
 * A file that later files replace, except for samples that had left memory before those were written and that are not
 * archived yet. It is not loaded at start, and it is removed once everything before `until` (unix seconds) is archived.
 */
export interface KeptFile extends CheckpointFile {
  until: number;
}

/** Which files hold a partition's samples. */
export interface Manifest {
  version: 1;
  /** Whose it is. Undefined: it was written by an older version. */
  partition?: { index: number; count: number };
  /** Oldest first; where two hold the same bin, the later one counts. */
  files: CheckpointFile[];
  /** Log segments below this number are covered by the files. */
  firstSegment: number;
  /** The newest log segment that there was when this was written, and when it was begun, unix seconds. */
  lastSegment?: { number: number; begun: number };
  kept?: KeptFile[];
  /** The whole directory is one of another number of partitions, and kept as `KeptFile`. */
  keptUntil?: number;
}

const EMPTY: Manifest = { version: 1, files: [], firstSegment: 0 };

export type ManifestState = { kind: 'read'; manifest: Manifest } | { kind: 'damaged'; why: string };

/** The directory's manifest; an empty one when there was none yet. */
export function readManifest(directory: string): ManifestState {
  const path = join(directory, MANIFEST);
  if (!existsSync(path)) {
    // It was lost, or the very first checkpoint was not finished; then the log still holds all of its file.
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
  // With a flipped bit it may be JSON that names other files, and files without a name in it are removed.
  const { check, ...manifest } = value;
  return check === checkOf(manifest) ? { kind: 'read', manifest } : { kind: 'damaged', why: 'its check is wrong' };
}

/** SHA-256 of the manifest's JSON without spaces. */
function checkOf(manifest: Manifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

function isManifest(value: unknown): value is Manifest & { check?: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, files, firstSegment, lastSegment, kept = [], keptUntil = 0, partition } = value as Partial<Manifest>;
  return (
    version === 1 &&
    Number.isSafeInteger(firstSegment) &&
    Array.isArray(files) &&
    files.every(isCheckpointFile) &&
    Array.isArray(kept) &&
    kept.every((file) => isCheckpointFile(file) && typeof file.until === 'number') &&
    typeof keptUntil === 'number' &&
    (lastSegment === undefined || areNumbers(lastSegment, 'number', 'begun')) &&
    (partition === undefined || areNumbers(partition, 'index', 'count'))
  );
}

function areNumbers(value: unknown, ...names: string[]): boolean {
  const members = (value ?? {}) as Record<string, unknown>;
  return names.every((name) => typeof members[name] === 'number');
}

function isCheckpointFile(value: unknown): value is CheckpointFile {
  if (typeof value !== 'object' || value === null) return false;
  const { name, bytes, from, to, series = 0, open } = value as Partial<CheckpointFile>;
  return (
    typeof name === 'string' &&
    isCheckpointName(name) &&
    Number.isSafeInteger(bytes) &&
    typeof from === 'number' &&
    typeof to === 'number' &&
    Number.isSafeInteger(series) &&
    (open === undefined || open === true)
  );
}

/** Makes a manifest the current one; durable when this returns. */
export function writeManifest(directory: string, manifest: Manifest): void {
  replaceFile(join(directory, MANIFEST), `${JSON.stringify({ ...manifest, check: checkOf(manifest) }, null, 1)}\n`);
}
