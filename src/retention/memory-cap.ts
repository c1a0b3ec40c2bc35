/**
 * `memory-cap`: when the store's memory passes it, the oldest data of all hosts is freed until it is below again. Writes
 * never fail for it.
 *
 *  1. roll-ups that are kept for the next query go first, and that may be enough
 *  2. the span between the oldest sample and now is cut into steps; what ends before the first border goes, everywhere alike
 *  3. blocks are freed whole, so a step may free nothing: the next one is twice as long then
 *  4. the newest data, open blocks included, goes when everything older was not enough.
 */
import type { Config } from '../config/config.js';
import { PARTITION_LIMIT } from '../config/topology.js';
import { type Logger, limited } from '../log.js';
import { every } from './schedule.js';

const CHECK_SECONDS = 5;
/** The span that is held is given up in about so many steps: what one warning costs, and how long until the next. */
const STEPS = 32;
const MIN_STEP_SECONDS = 60;
/** Beyond every time that a sample can have. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const LOG_SECONDS = 60;
/** `Date` holds no later time, seconds. */
const LAST_DATE = 8.64e12;

const NOBODY: ReadonlyMap<string, ReadonlySet<string>> = new Map();

export interface CappedStore {
  readonly state: string;
  /** Bytes in use, one figure a partition. */
  memoryByPartition(): Promise<number[]>;
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
  total: number;
  tooMuch: boolean;
}

async function usageOf(store: CappedStore, cap: number, partitionLimit: number): Promise<Usage> {
  const used = await store.memoryByPartition();
  const total = used.reduce((a, b) => a + b, 0);
  return { total, tooMuch: total > cap || used.some((bytes) => bytes > partitionLimit) };
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
  const first = await store.oldestTime();
  let usage = before;
  let freed = 0;
  if (first !== undefined) {
    // Nothing ends before the first sample, so this frees no block.
    await store.retain(Math.floor(first), NOBODY);
    usage = await usageOf(store, cap, partitionLimit);
    if (!usage.tooMuch) return 0;
    let step = Math.max(MIN_STEP_SECONDS, (now() - first) / STEPS);
    let to = first;
    while (usage.tooMuch && to < END_OF_TIME) {
      to += step;
      const blocks = await store.retain(Math.floor(to), NOBODY);
      freed += blocks;
      // Writers may go on while the newest data is freed: from there on every step has to lead to an end.
      if (blocks === 0 || to >= now()) step *= 2;
      usage = await usageOf(store, cap, partitionLimit);
    }
  }
  log.warn(
    `${reasonOf(before, cap, partitionLimit)}: ${freed} blocks (${Math.max(0, before.total - usage.total)} bytes) ` +
      `${first === undefined ? '' : `from ${dateOf(first)} on `}were freed${hasBackend ? ', running jobs not spared' : ''}; ${usage.total} bytes are in use, ${rest(await store.oldestTime())}`,
  );
  return freed;
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
