/**
 * `memory-cap`: when the store's memory passes it, the oldest data of all hosts is freed until it is below again. Writes
 * never fail for it.
 *
 *  1. roll-ups that are kept for the next query go first, and that may be enough
 *  2. the bytes of blocks are counted by their age, in all partitions
 *  3. what is oldest goes, up to the time that gives back enough, everywhere alike. Blocks are freed whole; open ones, and
 *     those of clocks that are ahead, are the newest and go last.
 */

import { type Logger, limited } from '../base/log.js';
import type { Config } from '../config/config.js';
import { PARTITION_LIMIT } from '../config/topology.js';
import { every } from './schedule.js';

const CHECK_SECONDS = 5;
/** What is left of a limit that was passed: what one warning costs, and how long until the next. */
const KEEP = 31 / 32;
/** Writers go on while data is freed: what they add is left to the next check. */
const MAX_ROUNDS = 4;
/** Before every time that a sample can have. */
const BEGIN_OF_TIME = Number.MIN_SAFE_INTEGER;
const LOG_SECONDS = 60;
/** `Date` holds no later time, seconds. */
const LAST_DATE = 8.64e12;

const NOBODY: ReadonlyMap<string, ReadonlySet<string>> = new Map();

export interface CappedStore {
  readonly state: string;
  /** Bytes in use, one figure a partition. */
  memoryByPartition(): Promise<number[]>;
  /**
   * Until when (unix seconds) all blocks must go to give back so many bytes in all, and in each partition; undefined: there
   * is no block.
   */
  timeToFree(bytes: number, bytesOf: number[], now: number): Promise<number | undefined>;
  /** Unix seconds of the oldest sample; undefined: there is none. */
  oldestTime(): Promise<number | undefined>;
  /** Frees blocks that end before `to` (unix seconds) except below the given hosts, and all kept roll-ups. Resolves to the number of blocks. */
  retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number>;
}

export interface MemoryCap {
  /** Ends the checks; resolves when one that is under way has ended. */
  stop(): Promise<void>;
}

export interface CapOptions {
  /** Hosts are not spread evenly, so a partition may fill up before the whole store does. */
  partitionLimit?: number;
  /** Unix seconds. */
  now?: () => number;
  /** Retention spares hosts with running jobs; the cap can't, and the warning says so. */
  hasBackend?: boolean;
}

interface Usage {
  byPartition: number[];
  total: number;
  tooMuch: boolean;
}

async function usageOf(store: CappedStore, cap: number, partitionLimit: number): Promise<Usage> {
  const byPartition = await store.memoryByPartition();
  const total = byPartition.reduce((a, b) => a + b, 0);
  return { byPartition, total, tooMuch: total > cap || byPartition.some((bytes) => bytes > partitionLimit) };
}

/**
 * Frees the oldest data until the store is below `cap` bytes, and each partition below its limit, or nothing is left.
 * Logs one warning if it freed anything or could not. Rejects if the store fails.
 * @returns blocks freed.
 */
export async function enforceMemoryCap(
  store: CappedStore,
  cap: number,
  log: Pick<Logger, 'warn'>,
  { partitionLimit = PARTITION_LIMIT, now = () => Date.now() / 1000, hasBackend = false }: CapOptions = {},
): Promise<number> {
  const before = await usageOf(store, cap, partitionLimit);
  if (!before.tooMuch) return 0;
  // Frees no block, but all kept roll-ups.
  await store.retain(BEGIN_OF_TIME, NOBODY);
  let usage = await usageOf(store, cap, partitionLimit);
  if (!usage.tooMuch) return 0;
  const first = await store.oldestTime();
  let freed = 0;
  let until: number | undefined;
  for (let round = 0; usage.tooMuch && round < MAX_ROUNDS; round++) {
    const ofPartition = usage.byPartition.map((bytes) => excess(bytes, partitionLimit));
    const to = await store.timeToFree(excess(usage.total, cap), ofPartition, Math.floor(now()));
    if (to === undefined) break;
    until = Math.max(until ?? to, to);
    freed += await store.retain(to, NOBODY);
    usage = await usageOf(store, cap, partitionLimit);
  }
  const span = first === undefined || until === undefined ? '' : `from ${dateOf(first)} to ${dateOf(until)} `;
  log.warn(
    `${reasonOf(before, cap, partitionLimit)}: ${freed} blocks (${Math.max(0, before.total - usage.total)} bytes) ` +
      `${span}were freed${hasBackend ? ', running jobs not spared' : ''}; ${usage.total} bytes are in use, ${rest(await store.oldestTime())}`,
  );
  return freed;
}

/** Bytes to give back, so that this is not needed again at once; none below the limit. */
function excess(used: number, limit: number): number {
  return used > limit ? used - KEEP * limit : 0;
}

function reasonOf({ total }: Usage, cap: number, partitionLimit: number): string {
  if (total > cap) return `memory-cap of ${cap} bytes passed (${total} in use)`;
  return `a partition has passed ${partitionLimit} bytes of its 4 GiB (${total} in use, memory-cap ${cap})`;
}

function rest(oldest: number | undefined): string {
  return oldest === undefined ? 'no sample is left' : `what is left begins at ${dateOf(oldest)}`;
}

function dateOf(seconds: number): string {
  return Math.abs(seconds) > LAST_DATE ? `${seconds} s` : new Date(seconds * 1000).toISOString();
}

/** Looks every few seconds, if a cap is configured. @param onFreed told how many blocks a check freed. */
export function startMemoryCap(
  store: CappedStore,
  config: Config,
  log: Logger,
  onFreed: (blocks: number) => void,
): MemoryCap {
  const cap = config.store.memoryCapBytes;
  if (cap === 0) return { stop: async () => {} };
  const seldom = limited(log, LOG_SECONDS);
  return every(CHECK_SECONDS, async () => {
    if (store.state !== 'ready') return;
    try {
      const freed = await enforceMemoryCap(store, cap, seldom, { hasBackend: config.main.backendUrl !== undefined });
      if (freed) onFreed(freed);
    } catch (error) {
      seldom.err('the memory cap could not be enforced', error);
    }
  });
}
