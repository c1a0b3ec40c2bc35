/** Preloaded into the server: each file that its workers open to read takes SLOW_MS milliseconds. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { openSync } = fs;
const still = new Int32Array(new SharedArrayBuffer(4));

if (!isMainThread) {
  fs.openSync = (path, ...more) => {
    if (/\.(log|blocks)$/.test(String(path)) && more[0] === 'r') {
      Atomics.wait(still, 0, 0, Number(process.env.SLOW_MS));
    }
    return openSync(path, ...more);
  };
  syncBuiltinESMExports();
}
