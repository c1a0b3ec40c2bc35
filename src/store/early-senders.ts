/** Hosts whose lines were kept while the store loads: no partition can be asked for them yet. */
import type { ActiveHosts } from '../partition/host-clocks.js';
import type { Run } from '../wasm/runs.js';

/** The first name of a line's host; only compared, so escapes stay as they are. */
const HOST = /^[^ \n]*?,host(?:name)?=([^, \n]+)/gm;
/** Names come from outside: there may be any number. */
const MAX_HOSTS = 4096;

export class EarlySenders implements ActiveHosts {
  /** Unix seconds of the last good line, by host. */
  readonly #seen = new Map<string, number>();

  /** @param runs of good lines. @param now unix seconds. */
  note(text: Uint8Array, runs: readonly Run[], now: number): void {
    for (const { offset, length } of runs) {
      const lines = Buffer.from(text.buffer, text.byteOffset + offset, length).toString();
      for (const [, host] of lines.matchAll(HOST)) {
        if (host !== undefined && (this.#seen.size < MAX_HOSTS || this.#seen.has(host))) this.#seen.set(host, now);
      }
    }
  }

  activeHosts(since: number): number {
    let hosts = 0;
    for (const at of this.#seen.values()) if (at > since) hosts++;
    return hosts;
  }

  isActive(_cluster: string, host: string, since: number): boolean {
    return (this.#seen.get(host) ?? Number.NEGATIVE_INFINITY) > since;
  }
}
