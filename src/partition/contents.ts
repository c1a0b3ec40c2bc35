/** What is held of which metric, at which level of which cluster, and what it costs. */
import type { Counts, SeriesKind } from '../wasm/figures.js';

export interface Contents extends SeriesKind, Counts {}

/** Adds the counts of one to those of another. */
export function addCounts(into: Counts, { series, samples, bytes, blocks }: Counts): void {
  into.series += series;
  into.samples += samples;
  into.bytes += bytes;
  for (const [codec, n] of Object.entries(blocks)) into.blocks[codec] = (into.blocks[codec] ?? 0) + n;
}

/** Contents of many parts, each kind once. */
export class ContentsSum {
  readonly #kinds = new Map<string, Contents>();

  add(part: Contents): void {
    // A name of the tree holds no control character.
    const key = [part.metric, part.level, part.cluster].join('\n');
    const known = this.#kinds.get(key);
    if (known === undefined) this.#kinds.set(key, { ...part, blocks: { ...part.blocks } });
    else addCounts(known, part);
  }

  all(): Contents[] {
    return [...this.#kinds.values()];
  }
}
