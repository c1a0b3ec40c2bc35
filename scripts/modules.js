// Each module of src/ as JavaScript of its own, for scripts and tests that import single ones: Node 20 reads no TypeScript.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from 'rolldown/utils';

const SOURCES = resolve(import.meta.dirname, '../src');

/** Writes them into a directory, beside the core of dist/. @param {string} directory @throws Error that names a file that can't be read. */
export function writeModules(directory) {
  for (const path of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.d.ts')) continue;
    const { code, errors } = transformSync(path, readFileSync(join(SOURCES, path), 'utf8'));
    if (errors.length) throw new Error(`src/${path}: ${errors[0].message}`);
    const file = join(directory, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  cpSync(resolve(SOURCES, '../dist/core.wasm'), join(directory, 'core.wasm'));
}
