/**
 * `memory-cap`: when the store's memory passes it, the oldest data is freed step by step until it is below. Writes never
 * fail for it.
 */
import type { Config } from '../config/config.js';
import type { Logger } from '../log.js';
import { every } from './schedule.js';

const CHECK_SECONDS = 5;
/** The span that is held is given up in so many steps at most. */
const STEPS = 32;

export interface CappedStore {
  readonly state: string;
  memoryUsed(): Promise<number>;
  /** Unix seconds. */
  oldestTime(): Promise<number | undefined>;
  retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number>;
}

export interface MemoryCap {
  stop(): Promise<void>;
}

/** Frees the oldest data until the store is below `cap` bytes. @returns blocks freed. */
export async function enforceMemoryCap(store: CappedStore, cap: number, log: Logger, now = Date.now): Promise<number> {
  let used = await store.memoryUsed();
  if (used <= cap) return 0;
  const before = used;
  const first = await store.oldestTime();
  if (first === undefined) return 0;
  const step = Math.max(60, (now() / 1000 - first) / STEPS);
  let freed = 0;
  let to = first;
  while (used > cap && to < now() / 1000) {
    to = ((await store.oldestTime()) ?? Number.POSITIVE_INFINITY) + step;
    if (!Number.isFinite(to)) break;
    freed += await store.retain(to, new Map());
    used = await store.memoryUsed();
  }
  const oldest = await store.oldestTime();
  const since =
    oldest === undefined ? 'nothing is left' : `what is left begins at ${new Date(oldest * 1000).toISOString()}`;
  log.warn(
    `memory-cap of ${cap} bytes passed (${before} in use): ${freed} blocks from ${new Date(first * 1000).toISOString()} on were freed, ${used} bytes are in use, ${since}`,
  );
  return freed;
}

/** Looks every few seconds. */
export function startMemoryCap(
  store: CappedStore,
  config: Config,
  log: Logger,
  onFreed: (blocks: number) => void,
): MemoryCap {
  const cap = config.store.memoryCapBytes;
  if (cap === 0) return { stop: async () => {} };
  return every(CHECK_SECONDS, async () => {
    if (store.state !== 'ready') return;
    try {
      const freed = await enforceMemoryCap(store, cap, log);
      if (freed) onFreed(freed);
    } catch (error) {
      log.err('the memory cap could not be enforced', error);
    }
  });
}
