import { errorText, type Logger } from '../base/log.js';
import type { NatsSubscription } from '../config/config.js';
import { type Store, StoreError, type StoreErrorCode, type WriteOutcome } from '../store/store.js';
import { endsInString } from './message-text.js';
import type { NatsState } from './state.js';

/**
 * Collectors send a line or a few a message, the store wants big bodies: messages of one subject are joined into
 * batches.
 *
 *   push ──▶ open batch ──full──▶ queue ──▶ in flight (at most WINDOW) ──▶ settled
 *               │                   ▲              │
 *               └── due, window free┴── refused ◀──┘   (back at its place, everything waits for the back-off)
 *
 * A batch leaves when it is full, or when its first message is `lingerMs` old and the window has room; while the store
 * is busy the open batch just grows, so load makes batches bigger and not more. Every batch keeps its own bytes until
 * the store has taken them, because `Store.write` takes its body away even when it refuses it.
 */

/** Batches of one subject that the store works on at a time. */
const WINDOW = 4;
const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 5_000;
/** Full-size buffers kept for reuse, per subject. */
const SPARE_BUFFERS = 2 * WINDOW;
const LF = 10; // '\n'

/** The store says "later", not "never". */
const RETRYABLE: ReadonlySet<StoreErrorCode> = new Set(['OVERLOADED', 'LOADING', 'LOG_FAILED']);

/** A message that its server keeps until it is told what became of it (JetStream). */
export interface Receipt {
  /** The message's samples are in the log. */
  ack(): void;
  /** They are not: deliver it again, but not before `delayMs`. */
  giveBack(delayMs: number): void;
}

/** Bytes that all subjects together may hold; `state.bufferedBytes` counts them. */
export interface BatcherLimits {
  maxBufferedBytes: number;
  batchBytes: number;
  lingerMs: number;
}

interface Batch {
  /** Position in the stream of batches: refused ones go back to their place. */
  readonly number: number;
  bytes: Uint8Array;
  length: number;
  messages: number;
  receipts: Receipt[];
  /** Its messages come again: newer ones may have been stored since. */
  again: boolean;
}

export class Batcher {
  #open: Batch | undefined;
  #queue: Batch[] = [];
  #inFlight = 0;
  #made = 0;
  #due = false;
  #linger: NodeJS.Timeout | undefined;
  #backoff: NodeJS.Timeout | undefined;
  #failures = 0;
  #spare: Uint8Array[] = [];
  #draining = false;
  /** The drain is over: what the store still refuses has nowhere to go. */
  #closed = false;
  #idle: (() => void) | undefined;

  /** @param limited one rate-limited log a cause, so that a flood of one does not hide another. */
  constructor(
    private readonly subscription: Pick<NatsSubscription, 'subject' | 'clusterTag' | 'fields'>,
    private readonly store: Pick<Store, 'takeBuffer' | 'write'>,
    private readonly state: NatsState,
    private readonly limits: BatcherLimits,
    private readonly limited: { dropped: Logger; badLines: Logger; store: Logger },
  ) {}

  /**
   * Takes a copy of a message. Over the limit it is dropped, or given back if it has a receipt; never throws.
   * @param again it comes again, perhaps after newer ones: it only fills bins that are empty.
   */
  push(data: Uint8Array, receipt?: Receipt, again = false): void {
    const { state, limits } = this;
    state.messages++;
    state.bytes += data.length;
    if (data.length === 0) {
      receipt?.ack();
      return;
    }
    const size = data.length + (data[data.length - 1] === LF ? 0 : 1);
    if (state.bufferedBytes + size > limits.maxBufferedBytes) {
      if (receipt !== undefined) this.#giveBack([receipt]);
      else this.#drop(1, data.length, `the buffer of ${limits.maxBufferedBytes} bytes is full`);
      return;
    }
    state.bufferedBytes += size;
    let batch = this.#open;
    if (batch !== undefined && (batch.length + size > batch.bytes.length || batch.again !== again)) {
      this.#seal();
      this.#pump();
      batch = undefined;
    }
    batch ??= this.#newBatch(size, again);
    batch.bytes.set(data, batch.length);
    batch.length += size;
    if (size > data.length) batch.bytes[batch.length - 1] = LF;
    batch.messages++;
    if (receipt !== undefined) batch.receipts.push(receipt);
    if (endsInString(data)) {
      // Newlines count inside strings: the messages behind this one must not become part of it.
      this.#seal();
      this.#pump();
    }
  }

  /** Resolves when all that was pushed is settled; what is left at `deadline` (ms since epoch) is dropped and counted. */
  async drain(deadline: number): Promise<void> {
    this.#draining = true;
    this.#due = true;
    this.#pump();
    if (!this.#isIdle()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      });
      clearTimeout(timer);
    }
    this.#closed = true;
    clearTimeout(this.#backoff);
    clearTimeout(this.#linger);
    if (this.#open !== undefined) this.#seal();
    for (const batch of this.#queue.splice(0)) this.#abandon(batch, 'the server stops and the store does not take it');
  }

  #newBatch(size: number, again: boolean): Batch {
    const bytes =
      size <= this.limits.batchBytes
        ? (this.#spare.pop() ?? new Uint8Array(this.limits.batchBytes))
        : new Uint8Array(size);
    const batch: Batch = { number: this.#made++, bytes, length: 0, messages: 0, receipts: [], again };
    this.#open = batch;
    this.#linger ??= setTimeout(() => {
      this.#linger = undefined;
      this.#due = true;
      this.#pump();
    }, this.limits.lingerMs);
    return batch;
  }

  #seal(): void {
    if (this.#open === undefined) return;
    this.#queue.push(this.#open);
    this.#open = undefined;
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#due = this.#draining;
  }

  #pump(): void {
    while (this.#inFlight < WINDOW && this.#backoff === undefined) {
      if (this.#queue.length === 0 && this.#due) this.#seal();
      const batch = this.#queue.shift();
      if (batch === undefined) return;
      this.#inFlight++;
      void this.#write(batch);
    }
  }

  async #write(batch: Batch): Promise<void> {
    try {
      const { clusterTag, fields } = this.subscription;
      const body = this.store.takeBuffer(batch.length);
      new Uint8Array(body).set(batch.bytes.subarray(0, batch.length));
      const options = { ...(fields && { fields }), ...(batch.again && { onlyMissing: true }) };
      const outcome = await this.store.write(body, batch.length, clusterTag, 'auto', options);
      this.#failures = 0;
      this.#stored(batch, outcome);
    } catch (error) {
      this.#refused(batch, error);
    } finally {
      this.#inFlight--;
      this.#pump();
      if (this.#isIdle()) this.#idle?.();
    }
  }

  #stored(batch: Batch, outcome: WriteOutcome): void {
    const { state } = this;
    state.batches++;
    state.stored += outcome.stored;
    state.skipped += outcome.skipped;
    state.badLines += outcome.refused;
    for (const receipt of batch.receipts) receipt.ack();
    const first = outcome.refusals[0];
    if (outcome.refused > 0 && first !== undefined) {
      const text = JSON.stringify(lineOf(batch.bytes.subarray(0, batch.length), first.line));
      this.limited.badLines.warn(
        `${outcome.refused} bad line(s) on subject "${this.subscription.subject}", the first: ${first.reason}: ${text}`,
      );
    }
    this.#release(batch);
  }

  #refused(batch: Batch, error: unknown): void {
    const { state } = this;
    state.lastError = errorText(error);
    const retryable = error instanceof StoreError && RETRYABLE.has(error.code);
    const delay = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    if (batch.receipts.length > 0) {
      // The server keeps these messages: hand them back instead of filling the buffer with them.
      this.limited.store.warn(
        `the store refused ${batch.messages} message(s) of subject "${this.subscription.subject}", JetStream will send them again: ${state.lastError}`,
      );
      this.#giveBack(batch.receipts);
      this.#release(batch);
      return;
    }
    if (!retryable || this.#closed) {
      this.#abandon(batch, `the store failed: ${state.lastError}`);
      return;
    }
    state.retries++;
    this.limited.store.warn(
      `the store refused a batch of subject "${this.subscription.subject}", will try again: ${state.lastError}`,
    );
    const next = this.#queue.findIndex((other) => other.number > batch.number);
    this.#queue.splice(next < 0 ? this.#queue.length : next, 0, batch);
    this.#backoff ??= setTimeout(() => {
      this.#backoff = undefined;
      this.#pump();
    }, delay);
  }

  #abandon(batch: Batch, why: string): void {
    if (batch.receipts.length > 0) this.#giveBack(batch.receipts);
    else this.#drop(batch.messages, batch.length, why);
    this.#release(batch);
  }

  #giveBack(receipts: Receipt[]): void {
    this.state.returned += receipts.length;
    const delay = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(Math.max(this.#failures, 4), 10));
    for (const receipt of receipts) receipt.giveBack(delay);
  }

  #drop(messages: number, bytes: number, why: string): void {
    this.state.droppedMessages += messages;
    this.state.droppedBytes += bytes;
    this.limited.dropped.warn(
      `dropped ${messages} message(s), ${bytes} bytes, of subject "${this.subscription.subject}": ${why}; ${this.state.droppedMessages} dropped since start`,
    );
  }

  #release(batch: Batch): void {
    this.state.bufferedBytes -= batch.length;
    if (batch.bytes.length === this.limits.batchBytes && this.#spare.length < SPARE_BUFFERS) {
      this.#spare.push(batch.bytes);
    }
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#queue.length === 0 && this.#open === undefined;
  }
}

/** The text of the 1-based line of a body, cut to what a log line bears; empty if there is none. */
function lineOf(body: Uint8Array, line: number): string {
  let start = 0;
  for (let i = 1; i < line; i++) {
    const end = body.indexOf(LF, start);
    if (end < 0) return '';
    start = end + 1;
  }
  const end = body.indexOf(LF, start);
  return new TextDecoder().decode(body.subarray(start, Math.min(end < 0 ? body.length : end, start + 200)));
}
