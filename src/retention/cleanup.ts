/**
 * Checkpoint data older than the retention: deleted, or archived first.
 *
 * The archive's order of steps:
 *
 *   1. a checkpoint: what is that old is in files then, and not in the log alone. Two other rules help: memory gives up
 *      nothing before a file holds it (src/partition/retention-pass.ts), and a file that a later one replaces stays while it
 *      holds what memory had given up (src/persistence/checkpoint/file-set.ts)
 *   2. files are pinned: none that a checkpoint replaces meanwhile is removed
 *   3. [archivedTo, now - retention) of all files is written to `<archive>/<cluster>/<archivedTo>.parquet`, complete and synced
 *   4. archive.json says so, durably
 *   5. files that end before are removed.
 *
 * A kill before 4 repeats 3 under the same name, which doubles nothing; a kill after 4 removes the files at the next cleanup.
 * A sample that arrives after its time was archived, more than a retention late, is served while it is in memory, and is not
 * archived.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.js';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import { acquireLock } from '../ops/lock.js';
import { type ArchiveJob, runArchiveJob } from '../persistence/archive/job/job.js';
import { listSources, spanOfLogs } from '../persistence/archive/job/sources.js';
import { readArchivedTo, writeArchivedTo } from '../persistence/archive/job/state.js';
import { archiveInThread } from '../persistence/archive/job/thread.js';
import type { ArchiveResult } from '../persistence/archive/parquet/write-archive.js';
import { type CheckpointFile, readManifest, writeManifest } from '../persistence/checkpoint/manifest.js';
import { removeFile } from '../persistence/files.js';
import { dropWindows } from '../persistence/json/json-layout.js';
import { jsonWindowSeconds } from '../persistence/json/json-windows.js';
import { partitionDirectories, removeDirectory } from '../persistence/partition-directories.js';

/** What cleanup needs of the running store. */
export interface CleanableStore {
  checkpoint(trigger: 'cleanup'): Promise<void>;
  /** Keeps all checkpoint files where they are until `unpinFiles`. */
  pinFiles(): Promise<void>;
  unpinFiles(): Promise<void>;
  /** Removes checkpoint files whose samples all end before `to`. Resolves to their number. */
  dropFiles(to: number): Promise<number>;
}

/** Cleans up while the server runs. */
export async function cleanUp(config: Config, store: CleanableStore, log: Logger): Promise<void> {
  const to = cutoff(config);
  if (config.store.cleanup.mode === 'archive') {
    await store.checkpoint('cleanup');
    await store.pinFiles();
    try {
      await archive(config, to, false, archiveInThread, log);
    } finally {
      await store.unpinFiles();
    }
  }
  const dropped = (await store.dropFiles(to)) + dropKept(config.store.checkpoints.directory, to);
  if (dropped) log.info(`${dropped} checkpoint files removed`);
}

/**
 * `-cleanup-checkpoints`: once, without a server. @returns files cleaned up.
 * @throws LockError when a server uses the directory.
 */
export async function runCleanup(config: Config, log: Logger): Promise<number> {
  const root = config.store.checkpoints.directory;
  if (!existsSync(root)) return 0;
  const lock = acquireLock(root);
  try {
    const to = cutoff(config);
    if (config.store.cleanup.mode === 'archive') {
      await archive(config, to, true, (job) => runArchiveJob(job, log), log);
    }
    let dropped = dropKept(root, to);
    for (const { path } of partitionDirectories(root)) dropped += dropFiles(path, to, log);
    const windowSeconds = jsonWindowSeconds(config.store);
    if (windowSeconds === undefined) return dropped;
    return dropped + (await dropWindows(root, windowSeconds, to, () => true));
  } finally {
    lock.release();
  }
}

/** Whole seconds: samples before it are older than the retention. */
function cutoff(config: Config): number {
  return Math.floor(Date.now() / 1000 - config.store.retentionSeconds);
}

/** Archives what is older than `to` and not archived yet. @param withLog also what is in the log only. */
async function archive(
  config: Config,
  to: number,
  withLog: boolean,
  run: (job: ArchiveJob) => Promise<ArchiveResult[]>,
  log: Logger,
): Promise<void> {
  const { checkpoints, cleanup } = config.store;
  if (cleanup.mode !== 'archive') return;
  const root = checkpoints.directory;
  const windowSeconds = jsonWindowSeconds(config.store);
  const count = partitionCount(config.store);
  let from = readArchivedTo(root);
  if (from === undefined) {
    const sources = await listSources(root, Number.NEGATIVE_INFINITY, to, count, windowSeconds);
    const segments = withLog ? sources.directories.flatMap((directory) => directory.segments) : [];
    from = Math.floor(Math.min(sources.oldest, spanOfLogs(segments).from));
    if (from >= to) return;
    writeArchivedTo(root, from);
  }
  if (from >= to) return;
  const target = cleanup.directory;
  const metrics = [...config.metrics];
  const files = await run({ root, target, from, to, partitionCount: count, metrics, windowSeconds, withLog });
  writeArchivedTo(root, to);
  for (const { path, rows } of files) log.info(`${path}: ${rows} samples archived`);
}

/** Removes files of a directory that nobody has open. @returns their number. */
function dropFiles(directory: string, to: number, log: Logger): number {
  const state = readManifest(directory);
  if (state.kind === 'damaged') {
    log.err(`${directory}: the manifest can't be used (${state.why}); nothing is removed`);
    return 0;
  }
  const { files, kept = [], ...rest } = state.manifest;
  const gone: CheckpointFile[] = [
    ...files.filter((file) => file.to <= to),
    ...kept.filter((file) => file.to <= to || file.until <= to),
  ];
  if (!gone.length) return 0;
  const isGone = new Set(gone.map(({ name }) => name));
  const staysKept = kept.filter(({ name }) => !isGone.has(name));
  const stays = files.filter(({ name }) => !isGone.has(name));
  writeManifest(directory, { ...rest, files: stays, ...(staysKept.length && { kept: staysKept }) });
  for (const { name } of gone) removeFile(join(directory, name));
  return gone.length;
}

/** Removes directories that were only kept for the archive. @returns the number of their files. */
function dropKept(root: string, to: number): number {
  let dropped = 0;
  for (const { path } of partitionDirectories(root)) {
    const state = readManifest(path);
    if (state.kind === 'damaged' || (state.manifest.keptUntil ?? Number.POSITIVE_INFINITY) > to) continue;
    dropped += state.manifest.files.length + (state.manifest.kept?.length ?? 0);
    removeDirectory(root, path);
  }
  return dropped;
}
