/** An instance of the module, and views of its linear memory. */
import { instantiateSync } from '@assemblyscript/loader';
import type { Exports } from './exports.js';

/** A view of linear memory. */
export type MemoryView = Uint8Array<ArrayBuffer>;

export class WasmInstance {
  readonly exports: Exports;
  readonly #memory: WebAssembly.Memory;
  #view: MemoryView;
  #data: DataView<ArrayBuffer>;

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

  /** After growth the old views are detached. */
  #refresh(): void {
    this.#view = new Uint8Array(this.#memory.buffer);
    this.#data = new DataView(this.#memory.buffer);
  }
}
