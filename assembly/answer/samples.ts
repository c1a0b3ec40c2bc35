/** Rows of PromQL as the JSON of Prometheus's API: `,[1700000000,"0.25"],[1700000060.500,"1"]`. */
import { out } from '../memory/out';
import { middleGroup } from '../text/print-table';
import { printI64 } from '../text/print';
import { SHORTEST_MAX_BYTES, printShortest } from '../text/print-shortest';

/** What stands around a value, with a time of any length. */
const AROUND: u32 = 40;

/**
 * Writes the samples of n steps into the output, a comma before each. @param values a double a step; @param bits a bit a step, the lowest first:
 * whether it has a sample. @param start the first step's unix milliseconds; @param step milliseconds, both whole. False: memory is exhausted.
 */
export function printSamples(values: usize, bits: usize, n: i32, start: f64, step: f64): bool {
  if (!out.ensure(<u32>n * (AROUND + <u32>SHORTEST_MAX_BYTES))) return out.fail();
  let p = out.end;
  for (let i = 0; i < n; i++) {
    if (!((load<u8>(bits + (<usize>i >> 3)) >> <u8>(i & 7)) & 1)) continue;
    store<u16>(p, 0x5b2c); // ,[
    p = printTime(p + 2, <i64>(start + <f64>i * step));
    store<u16>(p, 0x222c); // ,"
    p = printShortest(p + 2, load<f64>(values + (<usize>i << 3)));
    store<u16>(p, 0x5d22); // "]
    p += 2;
  }
  out.end = p;
  return true;
}

/** Writes unix milliseconds as seconds: whole, or with exactly three decimals. */
function printTime(dst: usize, milliseconds: i64): usize {
  const size = <u64>abs(milliseconds);
  const seconds = size / 1000;
  const rest = <u32>(size - seconds * 1000);
  store<u8>(dst, 0x2d); // -
  dst = printI64(dst + usize(milliseconds < 0), <i64>seconds);
  if (!rest) return dst;
  store<u8>(dst, 0x2e); // .
  store<u32>(dst + 1, middleGroup(rest));
  return dst + 4;
}
