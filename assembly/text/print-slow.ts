/**
 * Integers from 2^64 up to the largest double, exactly: limbs of nine decimal digits, lowest first, doubled until the value is
 * there. Nothing but a broken sensor sends such values, so this need not be fast.
 */
import { printNine, printU64 } from './print-integer';

const LIMB: u64 = 1000000000;
/** 309 digits. */
const LIMBS_MAX = 35;
/** Bits a pass can shift by: a limb of 30 bits and the carry stay within 63. */
const SHIFT_MAX = 32;

const limbs: usize = memory.data(LIMBS_MAX * 4, 16);

/** Writes m * 2^shift, m not 0; returns the address behind the text. */
export function printBigInteger(dst: usize, m: u64, shift: i32): usize {
  let count = 0;
  for (; m != 0; m /= LIMB) store<u32>(limbs + (usize(count++) << 2), u32(m % LIMB));
  while (shift > 0) {
    const step = min(shift, SHIFT_MAX);
    shift -= step;
    let carry: u64 = 0;
    for (let i = 0; i < count; i++) {
      const at = limbs + (usize(i) << 2);
      const product = (u64(load<u32>(at)) << u64(step)) + carry;
      store<u32>(at, u32(product % LIMB));
      carry = product / LIMB;
    }
    for (; carry != 0; carry /= LIMB) store<u32>(limbs + (usize(count++) << 2), u32(carry % LIMB));
  }
  dst = printU64(dst, load<u32>(limbs + (usize(count - 1) << 2)));
  for (let i = count - 2; i >= 0; i--) dst = printNine(dst, load<u32>(limbs + (usize(i) << 2)));
  return dst;
}
