/**
 * What a start does with a partition's files, in this order:
 *
 *   1. host by host what lies there in the layout of the Go server: its files, or our own JSON windows
 *   2. what other numbers of partitions have left, each partition taking its own hosts
 *   3. the partition's own checkpoint files, oldest first
 *   4. its log
 *
 * What comes later wins, bin by bin. Nothing is removed here: the files of 1 and 2 may go once the first checkpoint of every
 * partition is safe (src/persistence/supersede.ts).
 */
import { mkdirSync } from 'node:fs';
import type { Logger } from '../base/log.js';
import type { StoreConfig } from '../config/config.js';
import { readArchivedTo } from '../persistence/archive/job/state.js';
import { FileSet } from '../persistence/checkpoint/file-set.js';
import { keepDamaged } from '../persistence/damaged-files.js';
import { headerFrame } from '../persistence/file-header.js';
import type { JsonLayout } from '../persistence/json/json-layout.js';
import { jsonWindowSeconds } from '../persistence/json/json-windows.js';
import { type Loaded, loadDirectory } from '../persistence/load.js';
import type { Progress } from '../persistence/load-progress.js';
import { LogFile, type OnSegment } from '../persistence/log/log-file.js';
import type { Missing } from '../persistence/missing.js';
import { foreignDirectories, makeDirectory, partitionDirectory } from '../persistence/partition-directories.js';
import { scanReferenceDirectory } from '../persistence/reference/directory.js';
import type { Imported } from '../persistence/reference/import-reference.js';
import type { Core } from '../wasm/core.js';
import { LoadRoom, loadLimit } from './load-room.js';

/** What was found in a partition's files: data, so that a thread may read them for another one. */
export interface ReadFiles {
  directory: string;
  loaded: Loaded;
  /** Older samples were left out, unix seconds. */
  since: number;
  mustSave: boolean;
  freed: boolean;
  read: { files: number; bytes: number; missing: Missing[] };
}

/** A loaded partition's files. */
export interface PartitionFiles {
  directory: string;
  log: LogFile;
  files: FileSet;
  /** Checkpoints are written in this layout; undefined: as `.blocks` files. */
  json: JsonLayout | undefined;
  /** What was loaded is in files that our own must replace: those of another layout, or damaged ones. */
  mustSave: boolean;
  /** The log frees what the files still hold. */
  freed: boolean;
  /** What was read of our own layout. */
  read: { files: number; bytes: number; missing: Missing[] };
}

/** Fills an empty core from a partition's files. @param since unix seconds: older data is left out. */
export async function readPartition(
  core: Core,
  config: StoreConfig,
  since: number,
  logger: Logger,
  onProgress: Progress,
): Promise<ReadFiles> {
  const root = config.checkpoints.directory;
  mkdirSync(root, { recursive: true });
  const archivedTo = archivedToOf(config);
  // What is only in the log must get into a checkpoint before it may leave memory for the archive.
  const logSince = archivedTo === undefined ? since : Math.min(since, archivedTo);
  const windowSeconds = jsonWindowSeconds(config);
  const imported = await importReferenceFiles(core, root, since, windowSeconds, logger);
  // JSON windows are checkpoints: no other file has to hold their samples.
  if (!imported.foreign) for (let number = 0; number < core.series.end; number++) core.series.takeUnsaved(number, true);
  const room = new LoadRoom(core, since, loadLimit(config.memoryCapBytes, core.partitions));
  const source = { core, room, logSince, log: logger, onProgress };
  const all = { files: 0, bytes: 0, missing: [] as Missing[] };
  const foreign = foreignDirectories(root, core.partitions);
  for (const directory of foreign) {
    const { aside, read, missing } = await loadDirectory({ ...source, directory, dirty: true });
    if (core.index === 0) all.missing.push(...missing);
    all.files += read.files;
    all.bytes += read.bytes;
    if (core.index === 0) keepDamaged(root, aside);
  }
  const directory = partitionDirectory(root, core.index, core.partitions);
  makeDirectory(root, directory);
  const loaded = await loadDirectory({ ...source, directory, dirty: false });
  all.files += loaded.read.files;
  all.bytes += loaded.read.bytes;
  room.report(directory, logger);
  if (loaded.samples) logger.debug(`${directory}: ${loaded.samples} samples replayed from the log`);
  core.files.loadEnd();
  loaded.aside.push(...imported.damaged);
  return {
    directory,
    loaded,
    since: room.since,
    mustSave: loaded.damaged || foreign.length > 0 || imported.foreign || imported.damaged.length > 0,
    freed: core.files.replayedFrees > 0,
    read: { ...all, missing: [...all.missing, ...loaded.missing] },
  };
}

/** Goes on with a partition's files. @param core which was filled from them. */
export async function openFiles(core: Core, config: StoreConfig, found: ReadFiles): Promise<PartitionFiles> {
  const { directory, loaded, since, mustSave, freed, read } = found;
  const windowSeconds = jsonWindowSeconds(config);
  const json =
    windowSeconds === undefined ? undefined : await jsonLayout(core, config.checkpoints.directory, windowSeconds);
  await json?.removeUnfinished();
  const onSegment: OnSegment = ({ number, begun }, before) => {
    // Of the segment that ends, or of the last one that was replayed.
    const series = core.writes.seriesNamed;
    core.writes.logStartSegment();
    return headerFrame(core, number, begun, before && { ...before, series });
  };
  return {
    directory,
    log: new LogFile(directory, config.walSync, loaded.segments, loaded.nextSegment, onSegment),
    files: new FileSet(directory, { index: core.index, count: core.partitions }, loaded, archivedToOf(config), since),
    json,
    mustSave,
    freed,
    read,
  };
}

/** Imports what lies there in the layout of the Go server. Mostly that is nothing; then its code is not even loaded. */
async function importReferenceFiles(
  core: Core,
  root: string,
  since: number,
  windowSeconds: number | undefined,
  logger: Logger,
): Promise<Imported> {
  if (!(await scanReferenceDirectory(root)).length) return { foreign: false, damaged: [] };
  const { importReference } = await import('../persistence/reference/import-reference.js');
  return importReference(core, root, since, windowSeconds, logger);
}

/** Servers that write `.blocks` files do not load this code. */
async function jsonLayout(core: Core, root: string, windowSeconds: number): Promise<JsonLayout> {
  const { JsonLayout } = await import('../persistence/json/json-layout.js');
  return new JsonLayout(core, root, windowSeconds);
}

/** Until when data is archived, unix seconds; undefined: it is not archived but deleted. */
function archivedToOf({ cleanup, checkpoints }: StoreConfig): number | undefined {
  if (cleanup.mode !== 'archive') return undefined;
  return readArchivedTo(checkpoints.directory) ?? Number.NEGATIVE_INFINITY;
}
