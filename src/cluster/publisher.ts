/**
 * Puts what changes a partition into its stream. What comes while messages are on their way is gathered, so load makes messages
 * larger; nothing waits for more to come.
 *
 * A message that is not acknowledged is published again, so it may be in the stream twice: the copies store the same values
 * in the same bins again. Whoever waits for it has not been answered, and so has written nothing newer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PubAck } from 'nats';
import { errorText } from '../base/log.js';
import { StoreError } from '../store/store.js';
import { apiCode, apiText } from './streams.js';

/** A message that has gathered so much goes out although others are on their way. */
const FULL_BYTES = 64 << 10;
/** Most bytes of a message, or one line that is longer. NATS takes 1 MB. */
const MOST_BYTES = 256 << 10;
const MOST_IN_FLIGHT = 4;
/** How long after it came a write may still be acknowledged; the election of a stream's leader takes 4 to 9 s. */
const GIVE_UP_MS = 12_000;
const RETRY_MS = 250;
const NO_ROOM = "can't grow, for NATS has no room left";
/** JetStream's codes for a stream, an account, a server and a disk that are full, and what is said then: to try again at once is of no use. */
const FULL: ReadonlyMap<number | undefined, string> = new Map([
  [10077, 'is full'],
  [10002, NO_ROOM],
  [10023, NO_ROOM],
  [10047, NO_ROOM],
]);
const NEWLINE = 0x0a;

/** A way to NATS; rejects when a message was not acknowledged in time. */
export type Publish = (subject: string, data: Uint8Array, timeoutMs: number) => Promise<Pick<PubAck, 'seq'>>;

interface Waiting {
  resolve(seq: number): void;
  reject(error: Error): void;
}

interface Message {
  head: string;
  parts: Uint8Array[];
  bytes: number;
  /** When the oldest of those that wait came, milliseconds of performance.now. */
  since: number;
  waiting: Waiting[];
}

export interface PublisherOptions {
  subject: string;
  /** For errors. */
  stream: string;
  publish: Publish;
  /** Told of each acknowledgement. */
  acknowledged(seq: number, seconds: number): void;
  /** Told of each try that failed. */
  failed(error: unknown): void;
}

/** Of one partition. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #queue: Message[] = [];
  #inFlight = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes lines, in several messages if they are many. @param head of the message, with its newline; lines of equal heads
   * share a message. @param lines whole ones, of which the last may lack its newline; they stay as they are until this settles.
   * @returns the number of the last message that holds some of them. Rejects UNAVAILABLE.
   */
  async lines(head: string, lines: readonly Uint8Array[]): Promise<number> {
    const acknowledged: Promise<number>[] = [];
    for (const text of lines) {
      for (let at = 0; at < text.length; ) {
        const end = endOfPart(text, at, MOST_BYTES);
        acknowledged.push(this.#add(head, text.subarray(at, end)));
        at = end;
      }
    }
    this.#send();
    return Math.max(0, ...(await all(acknowledged)));
  }

  /** Publishes a message of its own. @returns its number. Rejects UNAVAILABLE. */
  command(head: string): Promise<number> {
    const message = this.#begin(head);
    this.#queue.push(message);
    const number = new Promise<number>((resolve, reject) => message.waiting.push({ resolve, reject }));
    this.#send();
    return number;
  }

  #begin(head: string): Message {
    return { head, parts: [], bytes: 0, since: performance.now(), waiting: [] };
  }

  #add(head: string, text: Uint8Array): Promise<number> {
    let message = this.#queue.at(-1);
    if (!message || message.head !== head || message.bytes + text.length + 1 > MOST_BYTES) {
      message = this.#begin(head);
      this.#queue.push(message);
    }
    const part = text.at(-1) === NEWLINE ? text : withNewline(text);
    message.parts.push(part);
    message.bytes += part.length;
    const { waiting } = message;
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  }

  #send(): void {
    while (this.#inFlight < MOST_IN_FLIGHT) {
      const [next, more] = this.#queue;
      if (!next || (this.#inFlight > 0 && next.bytes < FULL_BYTES && !more)) return;
      this.#queue.shift();
      this.#inFlight++;
      void this.#deliver(next).finally(() => {
        this.#inFlight--;
        this.#send();
      });
    }
  }

  /** Publishes a message until it is acknowledged, or it is too late. Never rejects. */
  async #deliver({ head, parts, since, waiting }: Message): Promise<void> {
    const { subject, publish, acknowledged, failed } = this.#options;
    const data = Buffer.concat([Buffer.from(head), ...parts]);
    for (;;) {
      const left = since + GIVE_UP_MS - performance.now();
      const begin = performance.now();
      try {
        const { seq } = await publish(subject, data, Math.max(1, left));
        acknowledged(seq, (performance.now() - begin) / 1000);
        for (const { resolve } of waiting) resolve(seq);
        return;
      } catch (error) {
        failed(error);
        const full = FULL.get(apiCode(error));
        if (full !== undefined || since + GIVE_UP_MS - performance.now() < RETRY_MS) {
          const why = this.#refusal(error, full ?? `did not acknowledge within ${GIVE_UP_MS / 1000} s`);
          for (const { reject } of waiting) reject(why);
          return;
        }
        await sleep(RETRY_MS);
      }
    }
  }

  /** @param what the stream is or did. */
  #refusal(error: unknown, what: string): StoreError {
    const { stream } = this.#options;
    const text = `stream ${stream} ${what}: ${apiText(error) ?? errorText(error)}; write again later`;
    return new StoreError('UNAVAILABLE', text, { cause: error });
  }
}

/** All values, once all have settled: a write must not be answered while a part of it is on its way. */
async function all(promises: readonly Promise<number>[]): Promise<number[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

function withNewline(text: Uint8Array): Uint8Array {
  const line = new Uint8Array(text.length + 1);
  line.set(text);
  line[text.length] = NEWLINE;
  return line;
}

/** Where a part of at most `most` bytes ends: after a newline, and after the first one if that line is longer. */
function endOfPart(text: Uint8Array, at: number, most: number): number {
  if (text.length - at < most) return text.length;
  const last = text.lastIndexOf(NEWLINE, at + most - 2);
  if (last >= at) return last + 1;
  const next = text.indexOf(NEWLINE, at);
  return next < 0 ? text.length : next + 1;
}
