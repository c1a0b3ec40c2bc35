// SipHash-1-3: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012), with one round a word and three at the end.
//
// The series table is keyed by bytes that clients choose. With a secret key nobody can pick names that collide, and one word of eight
// bytes still costs a single round.

/** The 128-bit key: its first eight bytes and the rest, little-endian. */
@unmanaged
class HashKey {
  k0: u64;
  k1: u64;
}

const key = changetype<HashKey>(memory.data(offsetof<HashKey>(), 8));

/** Sets the key. Hashes made before are worth nothing afterwards. */
export function setHashKey(k0: u64, k1: u64): void {
  key.k0 = k0;
  key.k1 = k1;
}

/** The hash of `n` bytes at `p`, under the key that was set. Reads no byte beyond them; no alignment needed. */
export function siphash13(p: usize, n: i32): u64 {
  // The state stays in locals, and the round is written out twice: globals or an inlined helper would send it through memory.
  let v0 = key.k0 ^ 0x736f6d6570736575;
  let v1 = key.k1 ^ 0x646f72616e646f6d;
  let v2 = key.k0 ^ 0x6c7967656e657261;
  let v3 = key.k1 ^ 0x7465646279746573;
  const length = <usize>max(n, 0);
  const end = p + length;
  const wordsEnd = end - (length & 7);
  for (; p < wordsEnd; p += 8) {
    const word = load<u64>(p);
    v3 ^= word;
    v0 += v1;
    v2 += v3;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 = rotl<u64>(v0, 32) + v3;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 = rotl<u64>(v2, 32);
    v0 ^= word;
  }
  // The last word: what is left of the bytes, and the length in its highest byte.
  let word = <u64>length << 56;
  for (let shift: u64 = 0; p < end; p++, shift += 8) word |= <u64>load<u8>(p) << shift;
  v3 ^= word;
  // One round for it, then three to finish.
  for (let rounds = 0; rounds < 4; rounds++) {
    if (rounds == 1) {
      v0 ^= word;
      v2 ^= 0xff;
    }
    v0 += v1;
    v2 += v3;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 = rotl<u64>(v0, 32) + v3;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 = rotl<u64>(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
