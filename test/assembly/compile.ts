import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
 * Compiles a file of `assembly/test-exports/` with the release build's options and starts it. The caller writes from `FREE` on: below lie the
 * module's own tables. `T` is the caller's word for the exports. Throws with the compiler's output if it does not compile.
 */
export async function compileModule<T>(name: string): Promise<T & { memory: WasmMemory }> {
  const dir = mkdtempSync(join(tmpdir(), 'ccms-wasm-'));
  try {
    const outFile = join(dir, `${name}.wasm`);
    // A config that does not exist: otherwise the compiler takes the product's entry from asconfig.json as well.
    const run = spawnSync(
      process.execPath,
      [
        'node_modules/assemblyscript/bin/asc.js',
        `assembly/test-exports/${name}.ts`,
        ...[
          '--config',
          'none.json',
          '--outFile',
          outFile,
          '--runtime',
          'stub',
          '--enable',
          'simd',
          '-O3',
          '--initialMemory',
          '64',
        ],
      ],
      { encoding: 'utf8' },
    );
    if (run.status !== 0)
      throw new Error(`assembly/test-exports/${name}.ts does not compile:\n${run.stderr}${run.stdout}`);
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
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** First address that a test may write: 64 KiB, a multiple of every alignment. */
export const FREE = 65536;

/** Deterministic numbers in [0, 1) (mulberry32), so that a failing case comes back. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
