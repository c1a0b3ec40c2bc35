import { errorText } from '../log.js';
import type { RetentionOptions } from './retention.js';
import { DEFAULT_LIMITS, fetchUsedNodes, type UsedNodes } from './used-nodes.js';

/** Failed calls of the backend in a row after which data is freed as if no job ran. */
const MAX_FAILURES = 3;
const NOBODY: UsedNodes = new Map();

/**
 * Makes the function that is one round: it asks the backend which hosts are in use, and frees everything else that
 * ends before the cutoff. It resolves to false if the backend failed, which it has logged then, and counts such
 * failures from round to round; it rejects if the store fails. A round that waits for the backend when `stop` is
 * aborted frees nothing.
 */
export function retentionRounds(options: RetentionOptions, stop?: AbortSignal): () => Promise<boolean> {
  const { store, config, log, now = Date.now, onFreed } = options;
  const { backendUrl } = config.main;
  let failures = 0;

  return async () => {
    if (store.state !== 'ready') return true;
    const cutoff = Math.floor(now() / 1000 - config.store.retentionSeconds);
    let used = NOBODY;
    let failed = false;
    if (backendUrl !== undefined) {
      try {
        used = await fetchUsedNodes(backendUrl, cutoff, options.fetch ?? fetch, options.limits ?? DEFAULT_LIMITS, stop);
        failures = 0;
      } catch (error) {
        if (stop?.aborted) return true;
        failed = true;
        failures++;
        const what = `cannot ask the backend which hosts run jobs (failure ${failures} in a row): ${errorText(error)}`;
        if (failures < MAX_FAILURES) {
          log.warn(`${what}; nothing is freed this round`);
          return false;
        }
        log.warn(`${what}; freeing as if no job ran`);
      }
    }
    const blocks = await store.retain(cutoff, used);
    onFreed?.(blocks);
    const kept = [...used.values()].reduce((total, hosts) => total + hosts.size, 0);
    log.info(`retention: freed ${blocks} block(s) that ended before ${cutoff}, kept ${kept} host(s) with jobs`);
    return !failed;
  };
}
