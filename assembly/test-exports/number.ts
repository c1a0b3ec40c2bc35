/** Test module of number*.ts and print*.ts: the routines, and loops over many values in one call. */
import { digits16, digits16Scalar, nonDigits32, nonDigits32Scalar } from '../text/number-digits';
import { POWERS_OF_FIVE } from '../text/number-table';
import { parsed, parseUnsigned, parseValue } from '../text/number';
import { FIXED_MAX_BYTES, printFixed2, printFixed3, printFixed3s, printI64, printString } from '../text/print';
import { printShortest } from '../text/print-shortest';
import { printStringScalar } from '../text/print-string';

export { FIXED_MAX_BYTES, printFixed2, printFixed3, printFixed3s, printI64, printShortest, printString, printStringScalar };
export { parseUnsigned, parseValue };

export function parsedValue(): f64 {
  return parsed.value;
}
export function parsedInteger(): u64 {
  return parsed.integer;
}
export function parseError(): i32 {
  return parsed.error;
}

/** Parses the values of a text, each followed by one byte; writes each as f64 to out. Returns their count, or -1 less the index of a bad one. */
export function parseValues(p: usize, end: usize, out: usize): i32 {
  let n = 0;
  for (; p < end; p++, n++) {
    p = parseValue(p, end);
    if (p == 0) return -1 - n;
    store<f64>(out + (usize(n) << 3), parsed.value);
  }
  return n;
}

/** Whether SIMD and scalar read the same digits at p. */
export function digitsAgree(p: usize): bool {
  const others = nonDigits32(p);
  const n = min(i32(ctz(others)), 16);
  return others == nonDigits32Scalar(p) && digits16(p, n) == digits16Scalar(p, n);
}

/** Address of the power-of-five table (see number-table.ts). */
export function powersOfFive(): usize {
  return POWERS_OF_FIVE;
}

/** Grows the memory; returns the address of the fresh part. */
export function reserve(bytes: i32): usize {
  return usize(memory.grow((bytes + 0xffff) >>> 16)) << 16;
}
