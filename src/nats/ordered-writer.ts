/**
 * Gives the messages of a stream to the store in their order: one write at a time, and what the store does not take now is
 * tried until it does. Messages that come meanwhile are gathered, so load makes writes bigger.
 */

import { errorText, type Logger } from '../base/log.js';
import type { NatsSubscription } from '../config/config.js';
import type { Store } from '../store/store.js';
import type { Position } from '../store/stream-positions.js';
import { endsInString, withNewline } from './message-text.js';
import type { NatsState } from './state.js';

const BATCH_BYTES = 256 << 10;
/** Bytes that wait: more are not asked for before some of them are stored. */
const WAITING_BYTES = 8 << 20;
const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 5_000;

/** Messages that are one write. */
interface Batch {
  parts: Uint8Array[];
  bytes: number;
  /** Unix seconds at which the stream took them: the time of lines without one, in every store that follows. */
  now: number;
  /** Of the last message. */
  position: Position;
  /** A quoted text of its last line is open: nothing may follow. */
  isClosed: boolean;
}

export interface OrderedWriterOptions {
  subscription: NatsSubscription;
  store: Pick<Store, 'takeBuffer' | 'write'>;
  state: NatsState;
  badLines: Logger;
  refused: Logger;
  /** Told after each write: everything up to here is in the log. */
  stored(position: Position): void;
}

export class OrderedWriter {
  readonly #options: OrderedWriterOptions;
  readonly #batches: Batch[] = [];
  #waiting = 0;
  #writing = false;
  #stopping = false;
  #backoff: { timer: NodeJS.Timeout; end(): void } | undefined;
  #room: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(options: OrderedWriterOptions) {
    this.#options = options;
  }

  /** Takes a copy of a message. @param now unix seconds at which the stream took it. */
  push(data: Uint8Array, now: number, position: Position): void {
    const { state } = this.#options;
    state.messages++;
    state.bytes += data.length;
    const text = withNewline(data);
    let batch = this.#batches.at(-1);
    if (!batch || batch.isClosed || batch.now !== now || (batch.bytes && batch.bytes + text.length > BATCH_BYTES)) {
      batch = { parts: [], bytes: 0, now, position, isClosed: false };
      this.#batches.push(batch);
    }
    batch.parts.push(text);
    batch.bytes += text.length;
    batch.position = position;
    batch.isClosed = endsInString(data);
    this.#waiting += text.length;
    state.bufferedBytes += text.length;
    if (!this.#writing) void this.#run();
  }

  /** Resolves at once, or when so much is stored that more may come. */
  async room(): Promise<void> {
    if (this.#waiting < WAITING_BYTES || this.#stopping) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }

  async #run(): Promise<void> {
    this.#writing = true;
    for (let batch = this.#batches.shift(); batch && !this.#stopping; batch = this.#batches.shift()) {
      if (await this.#write(batch)) this.#options.stored(batch.position);
      this.#waiting -= batch.bytes;
      this.#options.state.bufferedBytes -= batch.bytes;
      if (this.#waiting < WAITING_BYTES) this.#room?.();
    }
    this.#writing = false;
    this.#idle?.();
  }

  /** @returns false: the store has not taken it before the end. */
  async #write({ parts, bytes, now }: Batch): Promise<boolean> {
    const { subscription, store, state, badLines, refused } = this.#options;
    const { subject, clusterTag, fields } = subscription;
    for (let failures = 0; !this.#stopping; failures++) {
      try {
        const body = store.takeBuffer(bytes);
        let at = 0;
        for (const part of parts) {
          new Uint8Array(body).set(part, at);
          at += part.length;
        }
        const outcome = await store.write(body, bytes, clusterTag, 'auto', { now, ...(fields && { fields }) });
        state.batches++;
        state.stored += outcome.stored;
        state.skipped += outcome.skipped;
        state.badLines += outcome.refused;
        const first = outcome.refusals[0];
        if (first) badLines.warn(`${outcome.refused} bad line(s) on subject "${subject}", the first: ${first.reason}`);
        return true;
      } catch (error) {
        state.retries++;
        state.lastError = errorText(error);
        refused.warn(`the store refused messages of subject "${subject}", will try again: ${state.lastError}`);
        await this.#wait(Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10)));
      }
    }
    return false;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#backoff = { timer: setTimeout(resolve, ms), end: resolve };
    });
  }

  /** Resolves when all that was pushed is stored, or at `deadline` (ms since epoch). The rest is read again at the next start. */
  async drain(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      });
    }
    clearTimeout(timer);
    this.#stopping = true;
    clearTimeout(this.#backoff?.timer);
    this.#backoff?.end();
    this.#room?.();
  }
}
