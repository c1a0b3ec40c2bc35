import { compileModule, type WasmGlobal, type WasmMemory } from './compile.js';

/** Exports of assembly/test-exports/number.ts; addresses are byte offsets into `memory`. */
export interface NumberModule {
  readonly memory: WasmMemory;
  /** Of the last call. */
  parsedValue(): number;
  parseError(): number;
  parsedInteger(): bigint;
  readonly FIXED_MAX_BYTES: WasmGlobal;
  /** Address of so many bytes of fresh memory. */
  reserve(bytes: number): number;
  parseValue(p: number, end: number): number;
  parseUnsigned(p: number, end: number): number;
  parseValues(p: number, end: number, out: number): number;
  digitsAgree(p: number): number;
  powersOfFive(): number;
  printFixed3(dst: number, x: number): number;
  printFixed2(dst: number, x: number): number;
  printFixed3s(dst: number, src: number, n: number): number;
  printShortest(dst: number, x: number): number;
  printI64(dst: number, v: bigint): number;
  printString(dst: number, src: number, len: number): number;
  printStringScalar(dst: number, src: number, len: number): number;
}

/** Compiles and starts the module. */
export function compileNumberModule(): Promise<NumberModule> {
  return compileModule<NumberModule>('number');
}

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** A double of any finite bit pattern. */
export function anyDouble(random: () => number): number {
  do {
    words[0] = random() * 4294967296;
    words[1] = random() * 4294967296;
  } while (!Number.isFinite(double[0]));
  return double[0] ?? 0;
}

/** x, finite, as [signed mantissa, exponent]: x = mantissa * 2^exponent. */
export function decompose(x: number): [bigint, number] {
  double[0] = x;
  const high = words[1] ?? 0;
  const field = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(words[0] ?? 0);
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return [high >>> 31 ? -mantissa : mantissa, Math.max(field, 1) - 1075];
}
