import { compress, decompress, init } from '@bokuweb/zstd-wasm';

export interface Zstd {
  compress(input: Uint8Array): Uint8Array;
  /** @param outputLength bytes that the result has. */
  decompress(input: Uint8Array, outputLength: number): Uint8Array;
}

/** zstd's own default: 6 takes twice the time for 7% fewer bytes. */
const LEVEL = 3;

let loading: Promise<void> | undefined;

/** The compressor as WebAssembly: Node has none of its own before version 22.15. */
export async function loadZstd(): Promise<Zstd> {
  loading ??= init();
  await loading;
  return {
    compress: (input) => compress(input, LEVEL),
    decompress: (input, outputLength) => decompress(input, { defaultHeapSize: outputLength }),
  };
}
