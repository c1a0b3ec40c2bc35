import { errorText, type Logger } from '../base/log.js';
import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import { BackendRefusal, DEFAULT_LIMITS, fetchUsedNodes, type UsedNodes, type UsedNodesLimits } from './used-nodes.js';

/** What a round works with. */
export interface RoundOptions {
  store: Pick<Store, 'state' | 'retain'>;
  config: Config;
  log: Logger;
  /** Told how many blocks a round freed. */
  onFreed?: (blocks: number) => void;
  /** Unix milliseconds. */
  now?: () => number;
  fetch?: typeof fetch;
  limits?: UsedNodesLimits;
}

/** Rounds in a row without an answer of the backend after which data is freed as if no job ran. */
const MAX_FAILURES = 3;
const NOBODY: UsedNodes = new Map();

/**
 * Makes the function that is one round: it asks the backend which hosts are in use, and frees everything else that
 * ends before the cutoff. While the backend refuses (no token, a wrong one, an answer that can't be read) nothing is freed,
 * however often: that is a mistake of the configuration, and jobs may run. A backend that is away is asked again, and
 * after three rounds in a row counts as one without jobs.
 *
 * It resolves to false if the backend was of no help, which it has logged then; it rejects if the store fails. A round
 * that waits for the backend when `stop` is aborted frees nothing.
 */
export function retentionRounds(options: RoundOptions, stop?: AbortSignal): () => Promise<boolean> {
  const { store, config, log, now = Date.now, onFreed } = options;
  const { backendUrl, backendToken } = config.main;
  const backend = backendUrl === undefined ? undefined : { url: backendUrl, token: backendToken };
  let failures = 0;

  return async () => {
    if (store.state !== 'ready') return true;
    const cutoff = Math.floor(now() / 1000 - config.store.retentionSeconds);
    let used = NOBODY;
    let failed = false;
    if (backend !== undefined) {
      try {
        used = await fetchUsedNodes(backend, cutoff, options.fetch ?? fetch, options.limits ?? DEFAULT_LIMITS, stop);
        failures = 0;
      } catch (error) {
        if (stop?.aborted) return true;
        failed = true;
        if (error instanceof BackendRefusal) {
          failures = 0;
          log.warn(
            `the backend does not say which hosts run jobs: ${errorText(error)}; ` +
              'nothing is freed until it does, except by the memory cap',
          );
          return false;
        }
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
