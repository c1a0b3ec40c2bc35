/**
 * Integers as decimal text: groups of three digits by table, the first without leading zeros.
 */
import { groupLength, leadingGroup, middleGroup } from './print-table';

const MINUS: u8 = 0x2d; // -

/** Writes v; needs 24 bytes of room. Returns the address behind the text. */
export function printI64(dst: usize, v: i64): usize {
  store<u8>(dst, MINUS);
  return printU64(dst + usize(v < 0), u64(v < 0 ? 0 - v : v));
}

/** Writes v; needs 24 bytes of room. Returns the address behind the text. */
export function printU64(dst: usize, v: u64): usize {
  if (v < 1000) return printLeading(dst, u32(v));
  if (v < 1000000) {
    const n = u32(v);
    return printMiddle(printLeading(dst, n / 1000), n % 1000);
  }
  if (v < 1000000000) {
    const n = u32(v);
    const thousands = n / 1000;
    return printMiddle(printMiddle(printLeading(dst, thousands / 1000), thousands % 1000), n % 1000);
  }
  const upper = v / 1000000000;
  return printNine(printU64(dst, upper), u32(v - upper * 1000000000));
}

/** Writes n (below 10^9) as nine digits; needs 10 bytes of room. */
export function printNine(dst: usize, n: u32): usize {
  const thousands = n / 1000;
  return printMiddle(printMiddle(printMiddle(dst, thousands / 1000), thousands % 1000), n % 1000);
}

function printLeading(dst: usize, n: u32): usize {
  const text = leadingGroup(n);
  store<u32>(dst, text);
  return dst + groupLength(text);
}

function printMiddle(dst: usize, n: u32): usize {
  store<u32>(dst, middleGroup(n));
  return dst + 3;
}
