/**
 * How far samples have been archived: `<checkpoints.directory>/archive.json`, one file for all partitions, so that a crash
 * can't leave some of them ahead of others, and their number may change.
 *
 *   {"version": 1, "archivedTo": 1700000000}
 *
 * Samples before `archivedTo` (unix seconds) are in `<archive>/<cluster>/*.parquet`. The file is made before the first archive,
 * with the oldest time there is, because the archive is named after it: a job that was killed repeats under the same name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../files.js';

const NAME = 'archive.json';

/** Undefined: nothing has been archived yet. @throws Error that names the file when it can't be read. */
export function readArchivedTo(root: string): number | undefined {
  const path = join(root, NAME);
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: not JSON`, { cause });
  }
  const { version, archivedTo } = (value ?? {}) as { version?: unknown; archivedTo?: unknown };
  if (version === 1 && Number.isSafeInteger(archivedTo)) return archivedTo as number;
  throw new Error(`${path}: expected {"version": 1, "archivedTo": whole seconds}`);
}

/** Durable when this returns. */
export function writeArchivedTo(root: string, archivedTo: number): void {
  replaceFile(join(root, NAME), `${JSON.stringify({ version: 1, archivedTo })}\n`);
}
