/** The checkpoint directory becomes this server's, and the store begins to read it. */

import { logger } from './base/log.js';
import type { Cluster } from './cluster/cluster.js';
import type { Config } from './config/config.js';
import { acquireLock, type Lock } from './ops/lock.js';
import { dropPrivileges, lookUpIdentity, makeOwnedDirectory } from './ops/privileges.js';
import { keepJsonWindowSeconds } from './persistence/json/json-windows.js';
import { returnMisplaced } from './persistence/misplaced.js';
import type { Pool } from './store/pool.js';

export interface OpenStore {
  lock: Lock;
  /** Resolves once the store answers. Rejects when that is impossible; nobody need listen yet. */
  ready: Promise<void>;
}

/** Whether the process is to become another user, which must wait until root's files are read and the port is bound. */
export function becomesOther({ main }: Config): boolean {
  return main.user !== undefined || main.group !== undefined;
}

/**
 * Becomes the configured user, if there is one, and opens the store as that.
 * @param pool not started yet. @param cluster that the store is of; it joins it. @throws Error that says why the directory can't be had.
 */
export function openStore(config: Config, pool: Pool, cluster?: Pick<Cluster, 'start'>): OpenStore {
  const { checkpoints, cleanup } = config.store;
  const identity = lookUpIdentity(config.main.user, config.main.group);
  makeOwnedDirectory(checkpoints.directory, identity);
  if (cleanup.mode === 'archive') makeOwnedDirectory(cleanup.directory, identity);
  dropPrivileges(identity);
  const lock = acquireLock(checkpoints.directory);
  keepJsonWindowSeconds(config.store);
  returnMisplaced(() => pool.checker(), checkpoints.directory, logger('store'));
  const ready = pool.start(async () => {
    if (cluster) return cluster.start();
    const { supersede } = await import('./persistence/supersede.js');
    await supersede(config, logger('store'));
  });
  ready.catch(() => {});
  return { lock, ready };
}
