/**
 * `checkpoints.file-format: "json"`: checkpoints in the reference's JSON layout, in full precision.
 *
 *   <checkpoints.directory>/<cluster>/<host>/<from>.json     samples of [from, from + W), from a multiple of W
 *
 * Time is cut into windows of W seconds, a 48th of the retention at first use (`json-windows.json` keeps it), so that windows
 * never overlap and hold the whole truth about their time: a checkpoint rewrites every window of a host in which something is new, each file in one step. The log
 * and the manifest are those of the other layout (layout.ts), and decide what counts:
 *
 *   checkpoint   the log moves to a new segment → windows are written as `.tmp` → all are synced, then renamed, then their
 *                directories synced → the manifest says which segments are covered → only then those are removed
 *   start        window files → `.blocks` that the manifest still names → the log over them
 *
 * A kill at any point leaves old and new windows mixed, and every log segment since the last whole checkpoint, which
 * brings all of them to the same state.
 *
 * The Go server reads `<cluster>/<host>/`, but refuses a directory that holds anything else: copy the clusters' directories to give
 * it the checkpoints of a stopped server, or use `cc-metric-store export`, which also takes what only the log of a killed one holds.
 *
 * Other files of the reference, and windows of another W, are foreign: they are loaded, saved in a `.blocks` file at once,
 * and moved to `superseded/` (supersede.ts). A start with "wal" after one with "json" does the same. After
 * a change from "wal" to "json" the first JSON checkpoint writes everything, and its manifest names no `.blocks` file.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreConfig } from '../../config/config.js';
import { replaceFile } from '../files.js';
import type { ReferenceFile } from '../reference/directory.js';

const NAME = 'json-windows.json';
const MIN_SECONDS = 60;
const MAX_SECONDS = 12 * 3600;
/** Windows in one retention: few enough files, and little that is written again. The reference needs at least 4. */
const WINDOWS = 48;

/** The width of our own windows; undefined: the configured layout has none. @throws Error that names a file that can't be used. */
export function jsonWindowSeconds({ checkpoints, retentionSeconds }: StoreConfig): number | undefined {
  if (checkpoints.fileFormat !== 'json') return undefined;
  const path = join(checkpoints.directory, NAME);
  if (!existsSync(path)) {
    const minutes = Math.floor(retentionSeconds / WINDOWS / 60);
    return Math.max(MIN_SECONDS, Math.min(MAX_SECONDS, minutes * 60));
  }
  const seconds = /^\{"version":1,"seconds":(\d{2,5})\}\s*$/.exec(readFileSync(path, 'utf8'))?.[1];
  if (seconds === undefined) throw new Error(`${path}: expected {"version":1,"seconds":<seconds of a window>}`);
  return Number(seconds);
}

/** Keeps the width, so that another retention does not change it. Call it before windows are written. */
export function keepJsonWindowSeconds(store: StoreConfig): void {
  const seconds = jsonWindowSeconds(store);
  const { directory } = store.checkpoints;
  if (seconds === undefined || existsSync(join(directory, NAME))) return;
  replaceFile(join(directory, NAME), `${JSON.stringify({ version: 1, seconds })}\n`);
}

/** Whether a file is one of ours, by its window: whoever wrote it, such a file may be loaded and rewritten as ours. */
export async function isJsonWindow(file: ReferenceFile, windowSeconds: number): Promise<boolean> {
  if (file.kind !== 'json' || file.from % windowSeconds !== 0) return false;
  const { readJsonWindow } = await import('../reference/json-reader.js');
  return (await readJsonWindow(file.path))?.to === file.from + windowSeconds;
}
