/** Preloaded: the main thread kills the process instead of making the CRASH_RENAME-th rename, of whichever kind. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

let left = Number(process.env.CRASH_RENAME);

function counted(original) {
  return (...args) => {
    if (--left === 0) {
      process.kill(process.pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return original(...args);
  };
}

if (isMainThread) {
  fs.renameSync = counted(fs.renameSync);
  fs.promises.rename = counted(fs.promises.rename);
  syncBuiltinESMExports();
}
