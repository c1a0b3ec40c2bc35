/**
 * Preloaded into the server (`NODE_OPTIONS=--import=...`): kills the process at the n-th call by which its workers change
 * or sync files, so that every step of a start, a write, a checkpoint and a stop can be its last.
 *
 *   CRASH_AT     number of the call, counted over the process' life; the process dies before it is carried out
 *   CRASH_HALF   1: of a write, half the bytes are written before
 *   CRASH_TRACE  file that gets a line for each call
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const NAMES = [
  'openSync',
  'writeSync',
  'ftruncateSync',
  'fsyncSync',
  'fdatasyncSync',
  'fdatasync',
  'closeSync',
  'close',
  'renameSync',
  'copyFileSync',
  'mkdirSync',
  'rmSync',
];
const { CRASH_AT, CRASH_HALF, CRASH_TRACE } = process.env;
const { appendFileSync, writeSync } = fs;
const crashAt = Number(CRASH_AT);
let calls = 0;

function die() {
  process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

if (!isMainThread) {
  for (const name of NAMES) {
    const original = fs[name];
    fs[name] = (...args) => {
      // Not the log on stderr.
      if (typeof args[0] === 'number' && args[0] <= 2) return original(...args);
      calls++;
      if (CRASH_TRACE) {
        const what = typeof args[0] === 'string' ? basename(args[0]) : '';
        appendFileSync(CRASH_TRACE, `${calls} ${name} ${what}\n`);
      }
      if (calls === crashAt) {
        if (CRASH_HALF === '1' && name === 'writeSync') writeSync(args[0], args[1], args[2], args[3] >> 1);
        die();
      }
      return original(...args);
    };
  }
  syncBuiltinESMExports();
}
