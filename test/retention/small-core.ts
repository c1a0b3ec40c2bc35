import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryDirectory } from '../support/server-process.js';

const CORE = resolve(import.meta.dirname, '../../dist/core.wasm');
/** Pages of 64 KiB that the product's core may have: 4 GiB. */
const MAX_PAGES = 65536;
/** How the custom section with the memory's limits begins: its name and the pages at first. */
const LIMITS = Buffer.concat([Buffer.from([6]), Buffer.from('memory'), Buffer.from([32, 0, 0, 0])]);

/**
 * A copy of the built core whose linear memory ends at `pages` of 64 KiB instead of 4 GiB: full within a moment.
 * @returns its path, in a directory that is removed when the test process ends.
 */
export function smallCore(pages: number): string {
  const code = readFileSync(CORE);
  const at = code.indexOf(LIMITS) + LIMITS.length;
  if (at < LIMITS.length) throw new Error(`${CORE} does not say how much memory it needs`);
  const maximum = code.readUInt32LE(at);
  if (maximum !== MAX_PAGES) throw new Error(`${CORE}: found ${maximum} pages, expected ${MAX_PAGES}`);
  code.writeUInt32LE(pages, at);
  const path = join(temporaryDirectory(), 'core.wasm');
  writeFileSync(path, code);
  return path;
}
