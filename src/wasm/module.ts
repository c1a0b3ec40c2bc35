/** The compiled core, for commands and jobs that run beside the server. */
import { readFileSync } from 'node:fs';

/** Compiles dist/core.wasm, which lies beside the bundle that this is part of (scripts/bundle.js). @throws Error when the program was not built. */
export function compileCore(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('./core.wasm', import.meta.url)));
}
