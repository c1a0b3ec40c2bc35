/** Preloaded into a server (`NODE_OPTIONS=--import=...`): a worker whose core is given lines of host `poison` kills the process. */
import { isMainThread } from 'node:worker_threads';

const POISON = Buffer.from('hostname=poison');

if (!isMainThread) {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    #exports;

    get exports() {
      const { ingest, memory } = super.exports;
      this.#exports ??= {
        ...super.exports,
        ingest: (at, length, ...more) => {
          if (Buffer.from(memory.buffer, at >>> 0, length).includes(POISON)) process.kill(process.pid, 'SIGKILL');
          return ingest(at, length, ...more);
        },
      };
      return this.#exports;
    }
  };
}
