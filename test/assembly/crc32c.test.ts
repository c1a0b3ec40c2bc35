import { beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { compileModule, FREE, type WasmMemory } from './compile.js';

type Checksum = (crc: number, p: number, n: number) => number;

let wasm: { crc32c: Checksum; crc32cScalar: Checksum; memory: WasmMemory };
beforeAll(async () => {
  wasm = await compileModule('kernels');
});

/** The checksum of `bytes`, placed `offset` bytes from an aligned address. */
function sum(bytes: Uint8Array, offset = 0, crc = 0, routine: 'crc32c' | 'crc32cScalar' = 'crc32c'): number {
  new Uint8Array(wasm.memory.buffer).set(bytes, FREE + offset);
  return wasm[routine](crc, FREE + offset, bytes.length) >>> 0;
}

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  it.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 increasing bytes', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['32 decreasing bytes', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('gives the published value of %s', (_name, bytes, expected) => {
    expect(sum(bytes)).toBe(expected);
  });

  it('agrees with the bit-by-bit routine at every length and alignment', () => {
    const next = seeded(11);
    for (let n = 0; n < 200; n++) {
      const bytes = Uint8Array.from({ length: n }, () => next() * 256);
      expect(sum(bytes, n % 16)).toBe(sum(bytes, 0, 0, 'crc32cScalar'));
    }
  });

  it('agrees with it for runs that are folded, at every length around whole rows', () => {
    const next = seeded(13);
    for (const rows of [4, 5, 6, 33]) {
      for (let n = 128 * rows - 20; n <= 128 * rows + 20; n++) {
        const bytes = Uint8Array.from({ length: n }, () => next() * 256);
        const crc = Math.floor(next() * 2 ** 32);
        expect(sum(bytes, n % 16, crc)).toBe(sum(bytes, 0, crc, 'crc32cScalar'));
      }
    }
  });

  it('tells each bit of a row from the others', () => {
    const sums = new Set<number>();
    for (let bit = 0; bit < 8 * 640; bit++) {
      const bytes = new Uint8Array(640);
      bytes[bit >> 3] = 1 << (bit & 7);
      expect(sum(bytes)).toBe(sum(bytes, 0, 0, 'crc32cScalar'));
      sums.add(sum(bytes));
    }
    expect(sums.size).toBe(8 * 640);
  });

  it('goes on from the checksum of what came before', () => {
    const next = seeded(12);
    const bytes = Uint8Array.from({ length: 5000 }, () => next() * 256);
    const whole = sum(bytes);
    for (const cut of [0, 1, 15, 16, 17, 2500, 4999, 5000]) {
      expect(sum(bytes.subarray(cut), 3, sum(bytes.subarray(0, cut)))).toBe(whole);
    }
  });

  it('reads nothing for a negative length', () => {
    expect(wasm.crc32c(77, FREE, -1)).toBe(77);
  });
});
