/** Comparing and hashing runs of bytes. */
import { siphash13 } from './siphash';

/** Whether n bytes are the same. Reads no byte outside [a, a+n) and [b, b+n). */
export function bytesEqual(a: usize, b: usize, n: i32): bool {
  let i: usize = 0;
  const len = <usize>n;
  for (; i + 16 <= len; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  for (; i < len; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/** Keyed hash of the bytes, mixed with a seed such as the parent's address: whoever chooses the names can't choose collisions. */
export function hashBytes(seed: u32, p: usize, n: i32): u32 {
  const h = siphash13(p, n) + <u64>seed * 0x9e3779b97f4a7c15;
  return <u32>((h ^ (h >> 29)) * 0xbf58476d1ce4e5b9 >> 32);
}
