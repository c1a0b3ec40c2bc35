import { compileModule, type WasmGlobal, type WasmMemory } from './compile.js';

/** Exports of assembly/test-exports/codec.ts. Addresses and sizes are in bytes. */
export interface CodecExports {
  memory: WasmMemory;
  blockBound(n: number): number;
  forcedBound(n: number): number;
  encodeBlock(values: number, n: number, out: number): number;
  encodeWith(codec: number, values: number, n: number, out: number): number;
  decodeBlock(block: number, dst: number): void;
  addBlock(block: number, acc: number): void;
  blockSize(block: number): number;
  blockCodec(block: number): number;
  blockCount(block: number): number;
  blockGaps(block: number): number;
  blockSum(block: number): number;
  blockMin(block: number): number;
  blockMax(block: number): number;
  blockIsSound(block: number, available: number): number;
  packLanes(source: number, count: number, width: number, frame: bigint, out: number): number;
  unpackLanes(lanes: number, count: number, width: number, dst: number): void;
  unpackLanesScalar(lanes: number, count: number, width: number, dst: number): void;
  writeFrame(convert: number, count: number, frame: bigint, scale: number, lower: number, dst: number): void;
  addFrame(convert: number, count: number, frame: bigint, scale: number, lower: number, dst: number): void;
  writeDelta(
    convert: number,
    count: number,
    reference: bigint,
    frame: bigint,
    scale: number,
    lower: number,
    dst: number,
  ): void;
  addDelta(
    convert: number,
    count: number,
    reference: bigint,
    frame: bigint,
    scale: number,
    lower: number,
    dst: number,
  ): void;
  sinkScalar(
    delta: number,
    convert: number,
    add: number,
    count: number,
    reference: bigint,
    frame: bigint,
    scale: number,
    lower: number,
    dst: number,
  ): void;
  plan: WasmGlobal;
  planIntegers(source: number, count: number, plan: number): number;
  planWidth(plan: number): number;
  planFrame(plan: number): bigint;
  planPatches(plan: number): number;
  planPatchBytes(plan: number): number;
  profile(values: number, n: number, scalar: number, out: number): void;
  lanes(): number;
  heapBase(): number;
}

export interface CodecModule {
  x: CodecExports;
  /** First address that tests may use, a multiple of 64; there are megabytes behind it. */
  base: number;
  f64: Float64Array;
  u64: BigUint64Array;
  u8: Uint8Array;
}

/** Compiles and instantiates the codecs. */
export async function loadCodecModule(): Promise<CodecModule> {
  const x = await compileModule<CodecExports>('codec');
  const base = (x.heapBase() + 63) & ~63;
  const buffer = x.memory.buffer;
  return { x, base, f64: new Float64Array(buffer), u64: new BigUint64Array(buffer), u8: new Uint8Array(buffer) };
}

type Words = Uint8Array | BigUint64Array;

/** Throws at the first word that differs. (Vitest's toEqual takes a second for what these tests compare in all.) */
export function expectWords(actual: Words, expected: Words, what: string): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} words, expected ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] === expected[i]) continue;
    throw new Error(`${what}: word ${i} is ${actual[i]?.toString(16)}, expected ${expected[i]?.toString(16)}`);
  }
}

/** The bit patterns of doubles. */
export function wordsOf(values: Float64Array): BigUint64Array {
  return new BigUint64Array(values.slice().buffer);
}
