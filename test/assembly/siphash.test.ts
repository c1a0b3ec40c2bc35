import { beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { compileModule, FREE, type WasmMemory } from './compile.js';

interface Hash {
  setHashKey(k0: bigint, k1: bigint): void;
  siphash13(p: number, n: number): bigint;
}

let wasm: Hash & { memory: WasmMemory };
beforeAll(async () => {
  wasm = await compileModule<Hash>('kernels');
});

const MASK = (1n << 64n) - 1n;
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;

/** SipHash-c-d after the paper, on big integers. */
function sipHash(c: number, d: number, k0: bigint, k1: bigint, bytes: Uint8Array): bigint {
  let [a, b, e, f] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  const rounds = (n: number): void => {
    for (let i = 0; i < n; i++) {
      a = (a + b) & MASK;
      b = rotate(b, 13n) ^ a;
      a = rotate(a, 32n);
      e = (e + f) & MASK;
      f = rotate(f, 16n) ^ e;
      a = (a + f) & MASK;
      f = rotate(f, 21n) ^ a;
      e = (e + b) & MASK;
      b = rotate(b, 17n) ^ e;
      e = rotate(e, 32n);
    }
  };
  const padded = new Uint8Array(Math.floor(bytes.length / 8) * 8 + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 0xff;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    f ^= word;
    rounds(c);
    a ^= word;
  }
  e ^= 0xffn;
  rounds(d);
  return a ^ b ^ e ^ f;
}

function hash(bytes: Uint8Array, offset = 0): bigint {
  new Uint8Array(wasm.memory.buffer).set(bytes, FREE + offset);
  return BigInt.asUintN(64, wasm.siphash13(FREE + offset, bytes.length));
}

describe('siphash13', () => {
  it('is checked against a twin that gives the paper’s SipHash-2-4 value', () => {
    const bytes = Uint8Array.from({ length: 15 }, (_, i) => i);
    expect(sipHash(2, 4, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, bytes)).toBe(0xa129ca6149be45e5n);
  });

  it('agrees with the twin at every length and alignment, under several keys', () => {
    const next = seeded(13);
    const word = (): bigint => (BigInt(Math.floor(next() * 2 ** 32)) << 32n) | BigInt(Math.floor(next() * 2 ** 32));
    for (const [k0, k1] of [
      [0n, 0n],
      [MASK, MASK],
      [word(), word()],
      [word(), word()],
    ] as const) {
      wasm.setHashKey(k0, k1);
      for (let n = 0; n < 140; n++) {
        const bytes = Uint8Array.from({ length: n }, () => next() * 256);
        expect(hash(bytes, n % 8)).toBe(sipHash(1, 3, k0, k1, bytes));
      }
    }
  });

  it('depends on the key, on every byte and on the length', () => {
    const bytes = new Uint8Array(40);
    const seen = new Set<bigint>();
    for (const key of [1n, 2n]) {
      wasm.setHashKey(key, 0n);
      for (let i = 0; i < 40; i++) {
        const changed = bytes.slice();
        changed[i] = 1;
        seen.add(hash(changed)).add(hash(bytes.subarray(0, i)));
      }
    }
    expect(seen.size).toBe(160);
  });

  it('does not read past the end of memory', () => {
    const end = wasm.memory.buffer.byteLength;
    for (let n = 0; n < 16; n++) expect(() => wasm.siphash13(end - n, n)).not.toThrow();
  });
});
