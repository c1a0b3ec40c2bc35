/**
 * Preloaded into a server by gate.ts: while the file CCMS_GATE is there, its workers wait before they open a log or block
 * file to read whose path matches the pattern that the gate holds.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { openSync } = fs;
const still = new Int32Array(new SharedArrayBuffer(4));

/** The pattern that the gate holds; undefined: the gate is open. */
function pattern() {
  try {
    return fs.readFileSync(process.env.CCMS_GATE, 'utf8');
  } catch {
    return undefined;
  }
}

function isHeld(path) {
  const held = pattern();
  return held !== undefined && new RegExp(held).test(path);
}

if (!isMainThread) {
  fs.openSync = (path, ...more) => {
    if (/\.(log|blocks)$/.test(String(path)) && more[0] === 'r') {
      while (isHeld(String(path))) Atomics.wait(still, 0, 0, 20);
    }
    return openSync(path, ...more);
  };
  syncBuiltinESMExports();
}
