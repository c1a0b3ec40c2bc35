/**
 * Room for what is loaded at start. Files may hold more than fits: what the memory cap has freed stays in them until they
 * are joined, and a partition may have been full. When there is too much, the newest is kept.
 */

import type { Logger } from '../base/log.js';
import { StoreError } from '../base/store-error.js';
import { PARTITION_LIMIT } from '../config/topology.js';
import type { Room } from '../persistence/load.js';
import type { Core } from '../wasm/core.js';
import { Ages } from './age-histogram.js';

/** Hosts are not spread evenly: a partition may take so much more than its share of the cap until the cap itself is applied. */
const UNEVEN = 1.1;
/** What is given up at once, so that this is not done at every frame. */
const KEEP = 0.9;
/** The same once memory was full: what is free is in pieces then, and answers and checkpoints need some of it in one. */
const KEEP_OF_FULL = 0.75;

/** Bytes that one of `partitions` may load. @param cap of all together; 0: none. */
export function loadLimit(cap: number, partitions: number): number {
  return cap === 0 ? PARTITION_LIMIT : Math.min(PARTITION_LIMIT, (UNEVEN * cap) / partitions);
}

export class LoadRoom implements Room {
  readonly #core: Core;
  #limit: number;
  readonly #configured: number;
  #since: number;

  /** @param since unix seconds: older blocks are left out. @param limit bytes in use beyond which the oldest goes. */
  constructor(core: Core, since: number, limit: number) {
    this.#core = core;
    this.#since = since;
    this.#configured = since;
    this.#limit = limit;
  }

  /** What ends before, unix seconds, is not to be loaded: too old, or there was no room for it. */
  get since(): number {
    return this.#since;
  }

  /** A time from which on samples are loaded, later if there was no room for them. */
  from(since: number): number {
    return this.#since === this.#configured ? since : Math.max(since, this.#since);
  }

  /** Frees the oldest if too much is in use. Must not be called while a log segment is replayed: its series must stay. */
  keepBelow(): void {
    if (this.#core.figures.memory.total > this.#limit) this.#giveUp(KEEP * this.#limit);
  }

  /**
   * Runs a load, and repeats it with less until memory suffices. @throws its error when nothing is left to give up, or when
   * it is another one.
   */
  retry<T>(load: () => T): T {
    while (true) {
      try {
        return load();
      } catch (error) {
        if (!(error instanceof StoreError && error.code === 'OUT_OF_MEMORY')) throw error;
        this.#limit = Math.min(this.#limit, KEEP_OF_FULL * this.#core.figures.memory.total);
        if (!this.#giveUp(KEEP * this.#limit)) throw error;
      }
    }
  }

  /** Says so if not all could be loaded. */
  report(directory: string, log: Logger): void {
    if (this.#since === this.#configured) return;
    log.warn(
      `${directory}: more than fits into memory (${Math.round(this.#limit)} bytes for this partition): ` +
        `samples before ${new Date(this.#since * 1000).toISOString()} were left out`,
    );
  }

  /** @returns whether anything was freed. */
  #giveUp(target: number): boolean {
    const now = Math.floor(Date.now() / 1000);
    this.#core.figures.ageBegin(now);
    this.#core.figures.ageStep(0, this.#core.series.end);
    const to = new Ages(now, [this.#core.figures.ages]).timeFor(this.#core.figures.memory.total - target);
    if (to === undefined) return false;
    this.#since = Math.max(this.#since, to);
    return this.#core.writes.retainStep(0, this.#core.series.end, to).freed > 0;
  }
}
