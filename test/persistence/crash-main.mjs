/** Preloaded into the server: its main thread kills the process instead of making the CRASH_RENAME-th rename. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

let left = Number(process.env.CRASH_RENAME);
const { renameSync } = fs;
if (isMainThread) {
  fs.renameSync = (...args) => {
    if (--left === 0) {
      process.kill(process.pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return renameSync(...args);
  };
  syncBuiltinESMExports();
}
