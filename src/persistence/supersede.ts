/**
 * What other layouts and the Go server left is superseded once every partition holds it in files of its own. Our own old
 * layouts are removed; the Go server's files are moved to `superseded/`, where an admin may delete them, or take them back.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Logger } from '../log.js';
import { syncDirectory } from './files.js';
import { scanReferenceDirectory } from './reference/directory.js';

export const SUPERSEDED = 'superseded';

/** Moves the Go server's files out of the way, host by host. */
export async function setAsideReference(root: string, log: Logger): Promise<void> {
  const hosts = await scanReferenceDirectory(root);
  if (!hosts.length) return;
  for (const host of hosts) {
    for (const file of host.files) {
      const name = relative(root, file.path);
      let target = join(root, SUPERSEDED, name);
      for (let n = 1; existsSync(target); n++) target = join(root, SUPERSEDED, `${name}.${n}`);
      mkdirSync(join(target, '..'), { recursive: true });
      renameSync(file.path, target);
    }
  }
  syncDirectory(root);
  log.warn(
    `${root}: the files of ${hosts.length} hosts that the Go server wrote are ours now; they were moved to ${SUPERSEDED}/`,
  );
}
