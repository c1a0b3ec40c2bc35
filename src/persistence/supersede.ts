/**
 * Tidies up after a start that has read files of another layout, once every partition holds their samples in files of its
 * own. Directories of another number of partitions are removed. The Go server's files are moved to `superseded/`, where an
 * admin may delete them, or take them back.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Logger } from '../base/log.js';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import { readArchivedTo } from './archive/job/state.js';
import { readManifest, writeManifest } from './checkpoint/manifest.js';
import { syncDirectory } from './files.js';
import { isJsonWindow, jsonWindowSeconds } from './json/json-windows.js';
import { SUPERSEDED } from './layout.js';
import { foreignDirectories, removeDirectory, removeRemains } from './partition-directories.js';
import { scanReferenceDirectory } from './reference/directory.js';

/** To be called once all partitions are loaded, and have made a checkpoint of what was not in their own files. */
export async function supersede(config: Config, log: Logger): Promise<void> {
  const { checkpoints, retentionSeconds, cleanup } = config.store;
  const root = checkpoints.directory;
  await setAsideReference(root, jsonWindowSeconds(config.store), log);
  removeForeign(
    root,
    partitionCount(config.store),
    cleanup.mode === 'archive',
    Date.now() / 1000 - retentionSeconds,
    log,
  );
}

/**
 * Moves the files that are not our own out of the way, host by host.
 * @param windowSeconds width of our own JSON windows, which stay; undefined: there are none.
 */
async function setAsideReference(root: string, windowSeconds: number | undefined, log: Logger): Promise<void> {
  let files = 0;
  const touched = new Set<string>();
  for (const host of await scanReferenceDirectory(root)) {
    for (const file of host.files) {
      if (windowSeconds !== undefined && (await isJsonWindow(file, windowSeconds))) continue;
      const name = relative(root, file.path);
      let target = join(root, SUPERSEDED, name);
      for (let n = 1; existsSync(target); n++) target = join(root, SUPERSEDED, `${name}.${n}`);
      mkdirSync(dirname(target), { recursive: true });
      renameSync(file.path, target);
      for (const directory of [dirname(file.path), dirname(target)]) touched.add(directory);
      files++;
    }
  }
  if (!files) return;
  for (const directory of touched) syncDirectory(directory);
  syncDirectory(root);
  log.warn(
    `${root}: ${files} files in the layout of the Go server are in our own files now; they were moved to ${SUPERSEDED}/`,
  );
}

/**
 * Removes the directories of other numbers of partitions. Where data is archived and one has samples that were not loaded,
 * because they are older than `since` (unix seconds), it stays for the archive, and for it alone.
 */
function removeForeign(root: string, count: number, archives: boolean, since: number, log: Logger): void {
  removeRemains(root);
  const archivedTo = archives ? (readArchivedTo(root) ?? Number.NEGATIVE_INFINITY) : Number.POSITIVE_INFINITY;
  for (const directory of foreignDirectories(root, count)) {
    const state = readManifest(directory);
    const manifest = state.kind === 'read' ? state.manifest : undefined;
    const waits = [...(manifest?.files ?? []), ...(manifest?.kept ?? [])].some(
      (file) => file.from < since && file.to > archivedTo,
    );
    if (manifest && waits) writeManifest(directory, { ...manifest, keptUntil: Math.floor(since) });
    else removeDirectory(root, directory);
    log.info(
      `${directory}: ${waits ? 'kept until its old samples are archived' : 'removed'}, its samples are in our files`,
    );
  }
}
