/** Preloaded into a server (`NODE_OPTIONS=--import=...`): while the file SLOW is there, whatever is stored takes a worker so long. */
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const MS = 150;

if (!isMainThread) {
  const { Instance } = WebAssembly;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  WebAssembly.Instance = class extends Instance {
    #exports;

    get exports() {
      const { ingest } = super.exports;
      this.#exports ??= {
        ...super.exports,
        ingest: (...args) => {
          if (existsSync(process.env.SLOW)) Atomics.wait(nothing, 0, 0, MS);
          return ingest(...args);
        },
      };
      return this.#exports;
    }
  };
}
