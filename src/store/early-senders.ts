/** Hosts whose lines were kept while the store loads: no partition can be asked for them yet. */
import type { ActiveHosts } from '../partition/host-clocks.js';
import type { Run } from '../wasm/runs.js';

/** A line's measurement and tags, and of these its host and its cluster; only compared, so escapes stay as they are. */
const SERIES = /^[^ \n]+/gm;
const HOST = /,host(?:name)?=([^,]+)/;
const CLUSTER = /,cluster=([^,]+)/;
/** Names come from outside: there may be any number. */
const MAX_HOSTS = 4096;

export class EarlySenders implements ActiveHosts {
  /** Unix seconds of the last good line, by cluster and host. */
  readonly #seen = new Map<string, number>();

  /** @param runs of good lines. @param cluster of lines that name none. @param now unix seconds. */
  note(text: Uint8Array, runs: readonly Run[], cluster: string, now: number): void {
    for (const { offset, length } of runs) {
      const lines = Buffer.from(text.buffer, text.byteOffset + offset, length).toString();
      for (const [series] of lines.matchAll(SERIES)) {
        const host = HOST.exec(series)?.[1];
        if (host === undefined) continue;
        const key = keyOf(CLUSTER.exec(series)?.[1] ?? cluster, host);
        if (this.#seen.size < MAX_HOSTS || this.#seen.has(key)) this.#seen.set(key, now);
      }
    }
  }

  activeHosts(since: number): number {
    let hosts = 0;
    for (const at of this.#seen.values()) if (at > since) hosts++;
    return hosts;
  }

  isActive(cluster: string, host: string, since: number): boolean {
    return (this.#seen.get(keyOf(cluster, host)) ?? Number.NEGATIVE_INFINITY) > since;
  }
}

function keyOf(cluster: string, host: string): string {
  return `${cluster}\0${host}`;
}
