/**
 * An instance of the module, views of its linear memory, and one staging buffer, through which bytes get in. The clients
 * of this folder (writes.ts, reads.ts, ...) share one: each call of the core ends before the next begins.
 */
import { instantiateSync } from '@assemblyscript/loader';
import { StoreError } from '../base/store-error.js';
import type { Exports } from './exports.js';
import { OutputField } from './tables/layouts.js';

/** A view of linear memory. */
export type MemoryView = Uint8Array<ArrayBuffer>;

/** A step's output. */
export interface Output {
  /** Valid until the next call. */
  bytes: MemoryView;
  /** Nothing follows. */
  done: boolean;
}

/** Staging is given back when one large body has grown it beyond this, bytes. */
const STAGING_KEEP = 4 << 20;
const STAGING_FIRST = 256 << 10;
/** Of WebAssembly, and how many an instance begins with (asconfig.json). */
const PAGE = 64 << 10;
const FIRST_PAGES = 32;

export class Instance {
  readonly exports: Exports;
  readonly #memory: WebAssembly.Memory;
  #view: MemoryView;
  #data: DataView<ArrayBuffer>;
  #staging = 0;
  #stagingSize = 0;

  constructor(module: WebAssembly.Module) {
    const { exports } = instantiateSync<Exports>(module, {
      env: {
        abort(_message: number, _file: number, line: number, column: number): never {
          throw new Error(`BUG: the core stopped at ${line}:${column}`);
        },
      },
    });
    this.exports = exports;
    this.#memory = exports.memory;
    this.#view = new Uint8Array(this.#memory.buffer);
    this.#data = new DataView(this.#memory.buffer);
  }

  /** Linear memory; valid until the next call of the core. */
  get bytes(): MemoryView {
    if (this.#view.buffer !== this.#memory.buffer) this.#refresh();
    return this.#view;
  }

  /** The same, to read numbers from. */
  get words(): DataView<ArrayBuffer> {
    if (this.#data.buffer !== this.#memory.buffer) this.#refresh();
    return this.#data;
  }

  /** A number at an address; a field of a record is at the record's, an exported global, plus its offset (layouts.ts). */
  u32(at: number): number {
    return this.words.getUint32(at, true);
  }
  f64(at: number): number {
    return this.words.getFloat64(at, true);
  }

  /** After growth the old views are detached. */
  #refresh(): void {
    this.#view = new Uint8Array(this.#memory.buffer);
    this.#data = new DataView(this.#memory.buffer);
  }

  /** Address of staging with room for n bytes; its old content is lost when it grows. @throws StoreError OUT_OF_MEMORY. */
  reserve(n: number): number {
    if (this.#stagingSize < n) {
      this.exports.bufferFree(this.#staging);
      this.#stagingSize = 0;
      const size = Math.max(STAGING_FIRST, n);
      this.#staging = this.exports.bufferAlloc(size) >>> 0;
      if (!this.#staging) throw outOfMemory();
      this.#stagingSize = size;
    }
    return this.#staging;
  }

  /** Copies bytes into staging. @param more bytes of room after them. @returns their address. */
  stage(bytes: Uint8Array, more = 0): number {
    const p = this.reserve(bytes.length + more);
    this.bytes.set(bytes, p);
    return p;
  }

  /** Copies two names into staging. @returns the address of the first; the second follows it. */
  stageTwo(a: Uint8Array, b: Uint8Array): number {
    const p = this.stage(a, b.length);
    this.bytes.set(b, p + a.length);
    return p;
  }

  /** Gives back staging that one large input has grown. */
  releaseStaging(): void {
    if (this.#stagingSize <= STAGING_KEEP) return;
    this.exports.bufferFree(this.#staging);
    this.#staging = 0;
    this.#stagingSize = 0;
  }

  /** All that the instance is: a copy of its memory, without staging. Nothing of it may be in use. */
  image(): Uint8Array<ArrayBuffer> {
    this.exports.bufferFree(this.#staging);
    this.#staging = 0;
    this.#stagingSize = 0;
    const image = new Uint8Array(this.bytes.length);
    copyPages(this.bytes, image);
    return image;
  }

  /**
   * Becomes another instance of the module, which must be larger than this one, fresh as it is. The module has no state beside
   * its memory: its only mutable global is the stack's end, which is the same between all calls.
   */
  become(image: Uint8Array): void {
    const pages = image.length / PAGE;
    this.#memory.grow(pages - this.#memory.buffer.byteLength / PAGE);
    copyPages(image, this.bytes);
  }

  /** Copies bytes into memory of their own, to be freed by the core or with `bufferFree`. @throws StoreError OUT_OF_MEMORY. */
  copy(bytes: Uint8Array): number {
    const p = this.exports.bufferAlloc(bytes.length) >>> 0;
    if (!p) throw outOfMemory();
    this.bytes.set(bytes, p);
    return p;
  }

  /** What the core has written into its output buffer, a view. */
  output(): MemoryView {
    const out = this.exports.out.value;
    return this.bytes.subarray(this.u32(out + OutputField.At), this.u32(out + OutputField.End));
  }

  /** Name of a node of the tree. */
  nodeName(node: number): string {
    const at = this.exports.nameOf(node) >>> 0;
    return decoder.decode(this.bytes.subarray(at, at + this.exports.nameLengthOf(node)));
  }

  /** @param metric its address. */
  metricName(metric: number): string {
    const at = this.exports.metricNameOf(metric) >>> 0;
    return decoder.decode(this.bytes.subarray(at, at + this.exports.metricNameLengthOf(metric)));
  }
}

/** Copies whole pages to where there are zeros. Pages of zeros are left untouched: they take no memory. */
function copyPages(from: Uint8Array, to: Uint8Array): void {
  const words = new BigUint64Array(from.buffer, from.byteOffset, from.byteLength / 8);
  for (let at = 0; at < from.length; at += PAGE) {
    const end = (at + PAGE) / 8;
    let word = at / 8;
    while (word < end && words[word] === 0n) word++;
    // The first pages of an instance are not zero.
    if (word < end || at < FIRST_PAGES * PAGE) to.set(from.subarray(at, at + PAGE), at);
  }
}

const decoder = new TextDecoder();

/** The error of a partition whose linear memory is used up. */
export function outOfMemory(): StoreError {
  return new StoreError(
    'OUT_OF_MEMORY',
    'a partition has used up its 4 GiB of linear memory: set metric-store.memory-cap, or raise it so that more partitions are made',
  );
}
