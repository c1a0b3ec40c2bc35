/**
 * Preloaded into a server (`NODE_OPTIONS=--import=...`): a worker whose core is given lines of host `poison` kills the process, and
 * lines of host `fault` make the core trap.
 */
import { isMainThread } from 'node:worker_threads';

const POISON = Buffer.from('hostname=poison');
const FAULT = Buffer.from('hostname=fault');

if (!isMainThread) {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    #exports;

    get exports() {
      const { ingest, memory } = super.exports;
      this.#exports ??= {
        ...super.exports,
        ingest: (at, length, ...more) => {
          const body = Buffer.from(memory.buffer, at >>> 0, length);
          if (body.includes(POISON)) process.kill(process.pid, 'SIGKILL');
          if (body.includes(FAULT)) throw new WebAssembly.RuntimeError('unreachable');
          return ingest(at, length, ...more);
        },
      };
      return this.#exports;
    }
  };
}
