/**
 * An instance of the module on its linear memory, which another thread's instance may share: they take turns (turns.ts).
 * Whoever reads `exports` has a turn until the code that runs now ends, so that nobody else has to know of them.
 */
import { instantiateSync } from '@assemblyscript/loader';
import type { Exports } from './exports.js';
import { newTurns, type Role, type SharedCore, Turns } from './turns.js';

/** Bytes of a page of linear memory. */
const PAGE = 64 << 10;

/** A view of linear memory. */
export type MemoryView = Uint8Array<SharedArrayBuffer>;

/** What the threads of a partition share: an empty memory of the size that the module asks for. */
export function newSharedCore(module: WebAssembly.Module): SharedCore {
  const [section] = WebAssembly.Module.customSections(module, 'memory');
  const [initial, maximum] = new Uint32Array(section ?? new ArrayBuffer(0));
  if (initial === undefined || maximum === undefined)
    throw new Error('the module does not say how much memory it needs');
  return { memory: new WebAssembly.Memory({ initial, maximum, shared: true }), turns: newTurns() };
}

/**
 * The same memory, emptied, for a core that comes after another, of which nothing may be used any more. Shared memory does not
 * count for V8: those of cores that are done with would pile up, for it sees no reason to collect garbage.
 */
export function reusedCore({ memory }: SharedCore): SharedCore {
  new Uint8Array(memory.buffer).fill(0);
  return { memory, turns: newTurns() };
}

export class WasmInstance {
  readonly #exports: Exports;
  readonly #memory: WebAssembly.Memory;
  #view: MemoryView;
  #data: DataView<SharedArrayBuffer>;
  readonly #turns: Turns;
  /** It is this thread's turn. */
  #inTurn = false;
  readonly #endTurn = (): void => {
    this.#inTurn = false;
    this.#turns.end();
  };

  /**
   * @param shared to instantiate a module initialises its memory, so that the guest has to be made before the owner, which
   * comes with the first turn.
   */
  constructor(module: WebAssembly.Module, { memory, turns }: SharedCore, role: Role) {
    const { exports } = instantiateSync<Exports>(module, {
      env: {
        memory,
        abort(_message: number, _file: number, line: number, column: number): never {
          throw new Error(`BUG: the core stopped at ${line}:${column}`);
        },
      },
    });
    this.#exports = exports;
    this.#memory = memory;
    this.#view = new Uint8Array(memory.buffer);
    this.#data = new DataView(memory.buffer);
    this.#turns = new Turns(turns, role, exports);
    if (role === 'guest') return;
    this.#inTurn = true;
    queueMicrotask(this.#endTurn);
    this.#turns.keepGlobalsAt(exports.bufferAlloc(exports.globalsSize.value));
  }

  /** The owner's exports. Waits for the guest's turn to end if need be, which is short. */
  get exports(): Exports {
    if (!this.#inTurn) {
      this.#turns.begin();
      this.#turnBegun();
      queueMicrotask(this.#endTurn);
    }
    return this.#exports;
  }

  /** Runs a guest's calls in one turn. @returns what they return, undefined when the owner is at work. */
  asGuest<T>(calls: () => T): T | undefined {
    if (!this.#turns.tryBegin()) return undefined;
    this.#turnBegun();
    try {
      return calls();
    } finally {
      this.#endTurn();
    }
  }

  #turnBegun(): void {
    this.#inTurn = true;
    if (this.#exports.memoryPages.value * PAGE <= this.#view.byteLength) return;
    // It has grown since the view was made. If the other thread did it, V8 tells this one soon; to grow it by nothing does so now.
    this.#memory.grow(0);
    this.#refresh();
  }

  /** Linear memory; valid until the next call of the core. */
  get bytes(): MemoryView {
    if (this.#view.buffer !== this.#memory.buffer) this.#refresh();
    return this.#view;
  }

  /** The same, to read numbers from. */
  get words(): DataView<SharedArrayBuffer> {
    if (this.#data.buffer !== this.#memory.buffer) this.#refresh();
    return this.#data;
  }

  /** After growth: the old views see the old size. */
  #refresh(): void {
    this.#view = new Uint8Array(this.#memory.buffer);
    this.#data = new DataView(this.#memory.buffer);
  }
}
