/** Rows of PromQL as JSON, printed by the core: a core without series that only prints. */
import { Instance, type MemoryView, outOfMemory } from './instance.js';

/** The steps of a row, unix milliseconds: whole numbers. */
export interface SampleTimes {
  readonly start: number;
  readonly step: number;
}

/** A row: a double a step, and a bit a step, the lowest of the first byte first, that says whether it has a sample. */
export interface SampleRow {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** Steps that are printed at once: about 60 KB of text, and a tenth of a millisecond. */
export const PRINT_STEPS = 2048;

export class SamplePrinter {
  readonly #instance: Instance;

  /** @param module of dist/core.wasm. */
  constructor(module: WebAssembly.Module) {
    this.#instance = new Instance(module);
  }

  /**
   * Samples as `,[1700000000,"0.25"],[1700000060,"1"]`, with the shortest digits. @param from the first step, a multiple of 8; from it on
   * `PRINT_STEPS` at most are printed. @returns a view, valid until the next call. @throws StoreError OUT_OF_MEMORY.
   */
  print({ values, present }: SampleRow, { start, step }: SampleTimes, from: number): MemoryView {
    const instance = this.#instance;
    const count = Math.min(PRINT_STEPS, values.length - from);
    const row = bytesOf(values.subarray(from, from + count));
    const at = instance.stageTwo(row, present.subarray(from >> 3, (from + count + 7) >> 3));
    instance.exports.outReset();
    if (!instance.exports.printSamples(at, at + row.length, count, start + from * step, step)) throw outOfMemory();
    return instance.output();
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
