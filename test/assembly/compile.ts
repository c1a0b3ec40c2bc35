import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/directories.js';

/** Linear memory, as a test sees it: the types of this project have no browser library that would declare it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** An exported global. */
export interface WasmGlobal {
  readonly value: number;
}

interface WasmEngine {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }>;
}

/**
 * Compiles a file of `assembly/test-exports/` with the release build's options and starts it. The caller writes from
 * `FREE` on: below lie the module's own tables. `T` is the caller's word for the exports. Throws with the compiler's output if it does not compile.
 */
export async function compileModule<T>(name: string): Promise<T & { memory: WasmMemory }> {
  const outFile = join(temporaryDirectory(), `${name}.wasm`);
  // A config that does not exist: otherwise the compiler takes the product's entry from asconfig.json as well.
  const options = '--config none.json --runtime stub --enable simd -O3 --initialMemory 64 --outFile'.split(' ');
  const source = `assembly/test-exports/${name}.ts`;
  const run = spawnSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', source, ...options, outFile], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${source} does not compile:\n${run.stderr}${run.stdout}`);
  const imports = {
    env: {
      abort: (_message: number, _file: number, line: number, column: number): never => {
        throw new Error(`wasm abort at ${line}:${column}`);
      },
    },
  };
  const engine = Reflect.get(globalThis, 'WebAssembly') as WasmEngine;
  const { instance } = await engine.instantiate(readFileSync(outFile), imports);
  return instance.exports as T & { memory: WasmMemory };
}

/** First address that a test may write: 64 KiB, a multiple of every alignment. */
export const FREE = 65536;
