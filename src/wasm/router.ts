/** Finds out which partition hosts and lines belong to; stores nothing. */

import { Instance, outOfMemory } from './instance.js';
import { NameBytes } from './names.js';
import { type Run, readRuns } from './runs.js';
import { STAGING_SLACK } from './tables/codes.js';

const encoder = new TextEncoder();

export class Router {
  readonly #instance: Instance;
  readonly #cluster = new NameBytes();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** A router with an instance of its own. @param module of dist/core.wasm. */
  static of(module: WebAssembly.Module): Router {
    return new Router(new Instance(module));
  }

  /** Where the lines of the text belong. @param text whole lines; copied. @throws StoreError OUT_OF_MEMORY. */
  route(text: Uint8Array, cluster: string, partitions: number): Run[] {
    const { exports } = this.#instance;
    const name = this.#cluster.of(cluster);
    const p = this.#instance.stage(text, STAGING_SLACK + name.length);
    const at = p + text.length + STAGING_SLACK;
    this.#instance.bytes.set(name, at);
    if (exports.route(p, text.length, at, name.length, partitions) < 0) throw outOfMemory();
    return readRuns(this.#instance);
  }

  /** The partition of a host. */
  partitionOf(cluster: string, host: string, partitions: number): number {
    const a = this.#cluster.of(cluster);
    const b = encoder.encode(host);
    const p = this.#instance.stageTwo(a, b);
    return this.#instance.exports.partitionOf(p, a.length, p + a.length, b.length, partitions) >>> 0;
  }

  /** Gives back memory that one large text has taken. */
  releaseStaging(): void {
    this.#instance.releaseStaging();
  }
}
