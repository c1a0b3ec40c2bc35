/** Main thread. Writes on their way to their partitions, and how many bytes of them there may be. */
import type { Written } from './client.js';
import type { Placement } from './placement.js';
import { type HostRouter, joinOutcomes, type Part } from './routing.js';
import { type Precision, StoreError, type WriteOutcome } from './store.js';

/** Bytes of bodies that may be on their way at once, or two of the largest allowed. */
const MAX_IN_FLIGHT = 128 << 20;
const UNITS_PER_SECOND: Record<Precision, number> = { auto: 0, s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

export class Writes {
  readonly #router: HostRouter;
  readonly #limit: number;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  /** @param maxBodySize bytes of the largest body that is allowed. */
  constructor(router: HostRouter, maxBodySize: number) {
    this.#router = router;
    this.#limit = Math.max(MAX_IN_FLIGHT, 2 * maxBodySize);
  }

  /** @throws StoreError OVERLOADED when so many bytes more are too many. The body is the caller's then. */
  assertRoom(bytes: number): void {
    if (this.#inFlight + bytes <= this.#limit) return;
    throw new StoreError(
      'OVERLOADED',
      `${this.#inFlight} bytes of writes are in flight already; nothing of this one was stored`,
    );
  }

  /** Stores a body; see `Store.write`. */
  async store(
    placement: Placement,
    body: ArrayBuffer,
    length: number,
    cluster: string,
    precision: Precision,
  ): Promise<WriteOutcome> {
    const perSecond = UNITS_PER_SECOND[precision];
    const write = ({ partition, body: lines, length: bytes }: Part): Promise<Written> =>
      placement.clientOf(partition).write({ partition, body: lines, length: bytes, cluster, perSecond });
    this.#inFlight += length;
    try {
      const parts = this.#router.split(body, length, cluster);
      const written = await Promise.all(parts.map(write));
      const strays = this.#cutStrays(written, length);
      if (strays.length) {
        parts.push(...strays);
        written.push(...(await Promise.all(strays.map(write))));
      }
      return joinOutcomes(parts, written);
    } finally {
      this.#inFlight -= length;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** What a whole body held for other partitions, as parts. */
  #cutStrays(written: Written[], length: number): Part[] {
    return written.flatMap(({ batch, body }) =>
      batch?.strays.length ? this.#router.cut(body, length, batch.strays) : [],
    );
  }

  /** Resolves once nothing is in flight. */
  async finished(): Promise<void> {
    if (!this.#inFlight) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }
}
