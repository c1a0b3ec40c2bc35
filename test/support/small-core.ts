import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryDirectory } from './directories.js';

const CORE = resolve(import.meta.dirname, '../../dist/core.wasm');
const MEMORY_SECTION = 5;
/** Pages of 64 KiB that the product's core may have: 4 GiB. */
const MAX_PAGES = 65536;

/** An unsigned LEB128 number as WebAssembly writes it. */
function readNumber(code: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = code[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, end: at };
  }
}

/**
 * A copy of the built core whose linear memory ends at `pages` of 64 KiB instead of 4 GiB: full within a moment.
 * @returns its path, in a directory that is removed when the test process ends.
 */
export function smallCore(pages: number): string {
  const code = readFileSync(CORE);
  let at = 8;
  while (code[at] !== MEMORY_SECTION) {
    const size = readNumber(code, at + 1);
    at = size.end + size.value;
    if (at >= code.length) throw new Error(`${CORE} has no memory section`);
  }
  // Section: id, size, number of memories, flags, initial pages, maximal pages.
  const initial = readNumber(code, readNumber(code, at + 1).end + 2);
  const maximum = readNumber(code, initial.end);
  if (maximum.value !== MAX_PAGES) throw new Error(`${CORE}: found ${maximum.value} pages, expected ${MAX_PAGES}`);
  code.set([(pages & 127) | 128, ((pages >> 7) & 127) | 128, pages >> 14], initial.end);
  const path = join(temporaryDirectory(), 'core.wasm');
  writeFileSync(path, code);
  return path;
}
