/** How far the oldest data must be freed to give back so many bytes: the host's side of assembly/series/age-histogram.ts. */
import { AgeHistogram } from '../wasm/tables/codes.js';

const STEPS = 1 << AgeHistogram.Bits;

/** Bytes by age of a whole store, or of one partition. */
export class Ages {
  readonly #now: number;
  readonly #bytes = new Float64Array(2 * AgeHistogram.Half);

  /** @param now unix seconds that ages count from. @param parts buckets of each partition, as the core has filled them. */
  constructor(now: number, parts: readonly Uint32Array[]) {
    this.#now = now;
    for (const part of parts) for (const [i, bytes] of part.entries()) this.#bytes[i] = (this.#bytes[i] ?? 0) + bytes;
  }

  /**
   * Unix seconds: the blocks that end until then take at least `bytes`, and hardly more (1/128 of their age). The end of
   * the newest block if all of them do not; undefined if there are none, or nothing is to be given back.
   */
  timeFor(bytes: number): number | undefined {
    if (bytes <= 0) return undefined;
    let left = bytes;
    let newest: number | undefined;
    for (const [i, held] of this.#bytes.entries()) {
      if (held === 0) continue;
      newest = i;
      left -= held;
      if (left <= 0) break;
    }
    return newest === undefined ? undefined : this.#endOf(newest);
  }

  /** The latest time that falls into a bucket. */
  #endOf(bucket: number): number {
    if (bucket < AgeHistogram.Half) return this.#now - Math.ceil(least(AgeHistogram.Half - 1 - bucket));
    const next = bucket - AgeHistogram.Half + 1;
    return next === AgeHistogram.Half ? Number.MAX_SAFE_INTEGER : this.#now + Math.ceil(least(next)) - 2;
  }
}

/** The least number of a magnitude: 128 steps a doubling. */
function least(magnitude: number): number {
  return 2 ** Math.floor(magnitude / STEPS) * (1 + (magnitude % STEPS) / STEPS);
}
