/** The streams of the cluster while this store runs: those that were lost are made anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager, KV } from 'nats';
import { errorText, type Logger } from '../base/log.js';
import type { ClusterConfig } from '../config/config.js';
import { ensureStreams, type Layout } from './streams.js';

/** From one look at all streams to the next, at least. */
const LOOK_MS = 1_000;

export interface StreamUpkeepOptions {
  cluster: ClusterConfig;
  log: Logger;
  /** Told what the layout is after a look. */
  laidOut(layout: Layout): void;
}

export class StreamUpkeep {
  readonly #options: StreamUpkeepOptions;
  #nats: { manager: JetStreamManager; bucket: KV } | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StreamUpkeepOptions) {
    this.#options = options;
  }

  /** @param nats where the streams are from now on; undefined: out of reach. */
  connect(nats: { manager: JetStreamManager; bucket: KV } | undefined): void {
    this.#nats = nats;
  }

  /** Makes streams anew that were lost. @returns whether it looked at all of them: not within a second after a look. Never rejects. */
  async look(): Promise<boolean> {
    const now = performance.now();
    if (!this.#nats || now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    const { cluster, log, laidOut } = this.#options;
    try {
      laidOut(await ensureStreams(this.#nats.manager, this.#nats.bucket, cluster, log));
      return true;
    } catch (error) {
      log.debug(`the streams can't be looked at: ${errorText(error)}`);
      return false;
    }
  }

  /** Looks until all of them were there to be looked at, or `isOver`. Never rejects. */
  async lookAtAll(isOver: () => boolean): Promise<void> {
    while (!isOver() && !(await this.look())) await sleep(LOOK_MS);
  }
}
