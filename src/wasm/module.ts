/** The compiled core, for commands and jobs that run beside the server. */
import { readFileSync } from 'node:fs';

/** Compiles dist/core.wasm. @throws Error when the program was not built. */
export function compileCore(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('../core.wasm', import.meta.url)));
}
