/** Main thread. Writes on their way to their partitions, and how many bytes of them there may be. */
import type { Written } from './client.js';
import type { Placement } from './placement.js';
import { type HostRouter, joinOutcomes, type Part } from './routing.js';
import { type FieldMode, type Precision, StoreError, type WriteOutcome } from './store.js';

/** Bytes of bodies that may be on their way at once, or two of the largest allowed; and as many may wait for that. */
const MAX_IN_FLIGHT = 128 << 20;
/** How long. cc-metric-collector gives up after 5 s, and never sends again what was answered 503. */
const WAIT_MS = 4000;

/** Units of timestamps in a second; 0: what the digits of each say. */
export const UNITS_PER_SECOND: Record<Precision, number> = { auto: 0, s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

/** A body of line protocol. */
export interface Lines {
  /** The text is its first `length` bytes. */
  body: ArrayBuffer;
  length: number;
  /** Of lines that name none. */
  cluster: string;
  /** Units of the timestamps a second; 0: by magnitude. */
  perSecond: number;
  fields: FieldMode;
  /** Unix seconds, of lines without a time. Absent: when they are stored. */
  now?: number;
  /** Bins that have a sample keep it. */
  onlyMissing?: boolean;
}

interface Waiting {
  bytes: number;
  admit(): void;
}

export class Writes {
  readonly #router: HostRouter;
  readonly #limit: number;
  #inFlight = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  #waitingBytes = 0;
  #idle: (() => void) | undefined;
  /** Partitions whose last write was not taken by the log. */
  readonly #withoutLog = new Set<number>();

  /** @param maxBodySize bytes of the largest body that is allowed. */
  constructor(router: HostRouter, maxBodySize: number) {
    this.#router = router;
    this.#limit = Math.max(MAX_IN_FLIGHT, 2 * maxBodySize);
  }

  /** Whether so many bytes more may be on their way now; they count then, until `release`. */
  tryEnter(bytes: number): boolean {
    if (this.#waiting.size || this.#inFlight + bytes > this.#limit) return false;
    this.#inFlight += bytes;
    return true;
  }

  /**
   * The same, once earlier ones have left. @throws StoreError OVERLOADED when that takes too long, or when too many wait; the
   * body is the caller's then.
   */
  enter(bytes: number): Promise<void> {
    if (this.#waitingBytes + bytes > this.#limit) return Promise.reject(this.#overloaded());
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        this.#waitingBytes -= bytes;
      };
      const waiting: Waiting = {
        bytes,
        admit: () => {
          leave();
          this.#inFlight += bytes;
          resolve();
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.#overloaded());
        this.#admit();
      }, WAIT_MS);
      this.#waiting.add(waiting);
      this.#waitingBytes += bytes;
    });
  }

  #overloaded(): StoreError {
    const text = `${this.#inFlight} bytes of writes are on their way, ${this.#waitingBytes} wait; nothing of this one was stored`;
    return new StoreError('OVERLOADED', text);
  }

  /** So many bytes are no longer on their way. */
  release(bytes: number): void {
    this.#inFlight -= bytes;
    this.#admit();
    if (this.#inFlight === 0) this.#idle?.();
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (this.#inFlight + waiting.bytes > this.#limit) return;
      waiting.admit();
    }
  }

  /** Partitions whose log could not be written the last time, in order; none: all is well. */
  get withoutLog(): number[] {
    return [...this.#withoutLog].sort((a, b) => a - b);
  }

  /** Stores lines that have entered; see `Store.write`. */
  async store(placement: Placement, { body, length, ...rest }: Lines): Promise<WriteOutcome> {
    const write = async ({ partition, body: lines, length: bytes }: Part): Promise<Written> => {
      const written = await placement.clientOf(partition).write({ partition, body: lines, length: bytes, ...rest });
      if (written.failure?.code === 'LOG_FAILED') this.#withoutLog.add(partition);
      else if (!written.failure && this.#withoutLog.size) this.#withoutLog.delete(partition);
      return written;
    };
    const parts = this.#router.split(body, length, rest.cluster);
    const written = await Promise.all(parts.map(write));
    const strays = this.#cutStrays(written, length);
    if (strays.length) {
      parts.push(...strays);
      written.push(...(await Promise.all(strays.map(write))));
    }
    return joinOutcomes(parts, written);
  }

  /** What a whole body held for other partitions, as parts. */
  #cutStrays(written: Written[], length: number): Part[] {
    return written.flatMap(({ batch, body }) =>
      batch?.strays.length ? this.#router.cut(body, length, batch.strays) : [],
    );
  }

  /** Resolves once nothing is on its way. */
  async finished(): Promise<void> {
    if (!this.#inFlight) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }
}
