/** Counts and sizes of a partition. */

import { type Instance, outOfMemory } from './instance.js';
import { encodeSelector } from './names.js';
import { codecNames } from './tables/codec-names.js';
import { AgeHistogram, LAST_LINE_ERROR, LOOSE_BLOCKS, MemoryKind } from './tables/codes.js';
import { CountedField } from './tables/layouts.js';
import { readUnconfigured, type UnconfiguredMetrics } from './unconfigured.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes allocated in linear memory, exactly, by kind; `total` of all kinds. */
export interface MemoryUse {
  index: number;
  openBlocks: number;
  sealedBlocks: number;
  rollups: number;
  total: number;
}

export interface Counts {
  series: number;
  samples: number;
  bytes: number;
  /** Sealed blocks by codec name. */
  blocks: Record<string, number>;
}

/** What series have in common. */
export interface SeriesKind {
  cluster: string;
  metric: string;
  /** Empty: the node itself; else the type, as `hwthread`, with a sub-level's behind it: `socket/memoryDomain`. */
  level: string;
}

export class Figures {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Starts counting bytes by age; go on with `ageStep` from 0. @param now unix seconds that ages count from. */
  ageBegin(now: number): void {
    this.#instance.exports.ageBegin(now);
  }

  /** Counts n series from number `from` on. @returns where to go on; -1: `ages` is complete. */
  ageStep(from: number, n: number): number {
    return this.#instance.exports.ageStep(from, n);
  }

  /** Bytes by age, counted since `ageBegin`; a copy. See assembly/series/age-histogram.ts. */
  get ages(): Uint32Array<ArrayBuffer> {
    const { exports, bytes } = this.#instance;
    return new Uint32Array(bytes.buffer, exports.ageBuckets.value, 2 * AgeHistogram.Half).slice();
  }

  /** Starts counting; go on with `countStep` from 0. */
  countBegin(): void {
    this.#instance.exports.countBegin();
  }

  /** Counts n series from number `from` on. @returns where to go on; -1: `counted` is complete. */
  countStep(from: number, n: number): number {
    return this.#instance.exports.countStep(from, n, false);
  }

  /** The same, up to a series of another kind. @returns as well the kind that was counted; undefined: there were no series. */
  countAlikeStep(from: number, n: number): { next: number; kind: SeriesKind | undefined } {
    const { exports } = this.#instance;
    const next = exports.countStep(from, n, true);
    const node = exports.countedNode() >>> 0;
    if (node === 0) return { next, kind: undefined };
    const metric = this.#instance.metricName(exports.countedMetric() >>> 0);
    return { next, kind: { ...this.#placeOf(node), metric } };
  }

  #placeOf(node: number): { cluster: string; level: string } {
    const names: string[] = [];
    const { exports } = this.#instance;
    // The root is above itself.
    for (let at = node, up = 0; ; at = up) {
      up = exports.parentOf(at) >>> 0;
      if (up === at) break;
      names.unshift(this.#instance.nodeName(at));
    }
    const [cluster = '', , ...levels] = names;
    return { cluster, level: levels.map((name) => /^\D*/.exec(name)?.[0] ?? '').join('/') };
  }

  get counted(): Counts {
    const at = this.#instance.exports.counted.value;
    const countOf = (codec: number): number => this.#instance.u32(at + CountedField.Blocks + 4 * codec);
    const blocks: Record<string, number> = {};
    codecNames.forEach((name, codec) => {
      if (countOf(codec)) blocks[name] = countOf(codec);
    });
    if (countOf(LOOSE_BLOCKS)) blocks.loose = countOf(LOOSE_BLOCKS);
    return {
      series: this.#instance.u32(at + CountedField.Series),
      samples: this.#instance.f64(at + CountedField.Samples),
      bytes: this.#instance.f64(at + CountedField.Bytes),
      blocks,
    };
  }

  /** The unit that lines have brought of a metric; empty: none. @throws StoreError OUT_OF_MEMORY. */
  unitOf(metric: string): string {
    const { exports } = this.#instance;
    const name = encoder.encode(metric);
    const at = this.#instance.stage(name);
    exports.outReset();
    if (!exports.writeUnit(at, name.length)) throw outOfMemory();
    return decoder.decode(this.#instance.output());
  }

  /** Clusters of this partition: name, node, hosts. */
  clusters(): { name: string; node: number; hosts: number }[] {
    const { exports } = this.#instance;
    const list: { name: string; node: number; hosts: number }[] = [];
    for (let n = exports.firstChild(0) >>> 0; n; n = exports.nextSibling(n) >>> 0) {
      list.push({ name: this.#instance.nodeName(n), node: n, hosts: exports.childCount(n) });
    }
    return list;
  }

  /** Hosts that have sent something since the start, the newest of it of (since, until], unix seconds. */
  activeHosts(since: number, until: number): number {
    return this.#instance.exports.activeHosts(since, until) >>> 0;
  }

  /** Whether a host is one of these. */
  isActive(cluster: string, host: string, since: number, until: number): boolean {
    const { exports } = this.#instance;
    const node = exports.findNode(this.#instance.stage(encodeSelector([cluster, host])), 2) >>> 0;
    return node !== 0 && exports.hostIsActive(node, since, until) !== 0;
  }

  /** Lines since start. */
  get totals(): { stored: number; skipped: number; leftOut: number; refusedByReason: number[] } {
    const { exports } = this.#instance;
    const refusedByReason = Array.from({ length: LAST_LINE_ERROR + 1 }, (_, reason) => exports.linesRefused(reason));
    return {
      stored: exports.linesStored(),
      skipped: exports.linesSkipped(),
      leftOut: exports.fieldsLeftOut(),
      refusedByReason,
    };
  }

  /** Metrics that arrive without being configured, since start. */
  get unconfigured(): UnconfiguredMetrics {
    return readUnconfigured(this.#instance);
  }

  /** Bytes in use, exactly, by kind. */
  get memory(): MemoryUse & { scratch: number } {
    const of = (kind: MemoryKind): number => this.#instance.exports.memoryUsed(kind) >>> 0;
    const index = of(MemoryKind.Index);
    const openBlocks = of(MemoryKind.OpenBlocks);
    const sealedBlocks = of(MemoryKind.SealedBlocks);
    const scratch = of(MemoryKind.Scratch);
    const rollups = of(MemoryKind.Rollups);
    return {
      index,
      openBlocks,
      sealedBlocks,
      scratch,
      rollups,
      total: index + openBlocks + sealedBlocks + scratch + rollups,
    };
  }

  /** Size of the linear memory, without what is set aside and untouched. */
  get linearMemory(): number {
    const reserved = this.#instance.exports.memoryReserved() >>> 0;
    return this.#instance.bytes.byteLength - reserved;
  }

  /** Number of series. */
  get series(): number {
    return this.#instance.exports.seriesCount() >>> 0;
  }

  /** Number of hosts. */
  get hosts(): number {
    return this.#instance.exports.hostCount() >>> 0;
  }

  /** Unix seconds of the oldest block; undefined: there is none. */
  oldestTime(): number | undefined {
    const t = this.#instance.exports.oldestTime();
    return t === Number.MAX_VALUE ? undefined : t;
  }
}
