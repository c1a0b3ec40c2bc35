import { beforeAll, describe, expect, it } from 'vitest';
import { codecNames } from '../../src/wasm/tables/codec-names.js';
import { gapPatterns, hardCases, loadClasses, Random, withGaps } from './codec-data.js';
import { type CodecModule, expectWords, loadCodecModule } from './codec-module.js';

const GUARD = 0xa5;
const makers = [...loadClasses, ...hardCases];

let m: CodecModule;
let input: number;
let block: number;
let decoded: number;
beforeAll(async () => {
  m = await loadCodecModule();
  input = m.base;
  block = m.base + 8192;
  decoded = m.base + 32768;
});

/** A block of every codec and many kinds of values, as bytes. */
function sampleBlocks(n: number, r: Random): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (const { make } of makers) {
    for (const { missing } of gapPatterns) {
      m.f64.set(withGaps(make(n, r), missing(n, r), r), input / 8);
      for (let codec = 0; codec < codecNames.length; codec++) {
        const size = m.x.encodeWith(codec, input, n, block);
        if (size > 0) blocks.push(m.u8.slice(block, block + size));
      }
    }
  }
  return blocks;
}

/** Decodes and adds a block that passed the check; nothing beyond its bins may change. */
function expectInBounds(bytes: Uint8Array): void {
  const n = m.x.blockCount(block);
  m.u8.fill(GUARD, decoded - 4096, decoded + 8192);
  m.x.decodeBlock(block, decoded);
  m.x.addBlock(block, decoded);
  const before = m.u8.subarray(decoded - 4096, decoded);
  const behind = m.u8.subarray(decoded + 8 * n, decoded + 8192);
  expect(before.every((b) => b === GUARD)).toBe(true);
  expect(behind.every((b) => b === GUARD)).toBe(true);
  expectWords(m.u8.subarray(block, block + bytes.length), bytes, 'the block itself');
}

describe('blockIsSound', () => {
  it('refuses every truncation', () => {
    for (const bytes of sampleBlocks(40, new Random(1))) {
      m.u8.fill(0, block, block + 8192);
      m.u8.set(bytes, block);
      for (let available = 0; available < bytes.length; available++) {
        if (m.x.blockIsSound(block, available)) throw new Error(`sound with ${available} of ${bytes.length} bytes`);
      }
      expect(m.x.blockIsSound(block, bytes.length)).toBe(1);
      expect(m.x.blockIsSound(block, bytes.length + 100)).toBe(1);
    }
  });

  it('refuses or survives flipped bits', () => {
    const r = new Random(2);
    let passed = 0;
    let refused = 0;
    for (const n of [5, 40, 128, 512]) {
      for (const bytes of sampleBlocks(n, r)) {
        for (let flip = 0; flip < 4; flip++) {
          const broken = bytes.slice();
          // Headers and lists are where bounds come from, so most flips go there.
          const at = r.int(3) ? r.int(Math.min(40, bytes.length)) : r.int(bytes.length);
          broken[at] = (broken[at] ?? 0) ^ (1 << r.int(8));
          m.u8.fill(0xff, block, block + 8192);
          m.u8.set(broken, block);
          if (m.x.blockIsSound(block, bytes.length)) {
            passed++;
            expectInBounds(broken);
          } else {
            refused++;
          }
        }
      }
    }
    expect(passed).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it('refuses or survives random bytes behind a plausible header', () => {
    const r = new Random(3);
    let passed = 0;
    for (let round = 0; round < 20000; round++) {
      const size = 8 * (1 + r.int(40));
      const bytes = Uint8Array.from({ length: size }, () => (r.int(3) ? r.int(4) : r.u32()));
      const count = 1 + r.int(64);
      const view = new DataView(bytes.buffer);
      view.setUint8(0, r.int(9));
      view.setUint32(4, count | ((r.int(4) ? 0 : r.int(count + 1)) << 10) | ((size / 8) << 20), true);
      m.u8.fill(0xff, block, block + 8192);
      m.u8.set(bytes, block);
      if (!m.x.blockIsSound(block, size)) continue;
      passed++;
      expectInBounds(bytes);
    }
    expect(passed).toBeGreaterThan(20);
  });

  it('keeps a block at the very end of memory inside it', () => {
    const r = new Random(4);
    for (const n of [1, 7, 64, 512]) {
      for (const bytes of sampleBlocks(n, r)) {
        const last = m.u8.length - bytes.length;
        m.u8.set(bytes, last);
        expect(m.x.blockIsSound(last, bytes.length)).toBe(1);
        m.x.decodeBlock(last, decoded);
        m.x.addBlock(last, decoded);
      }
    }
  });

  it('refuses a zeroed header and an unknown codec', () => {
    m.u8.fill(0, block, block + 64);
    expect(m.x.blockIsSound(block, 64)).toBe(0);
    m.f64.set(new Float64Array(8).fill(3), input / 8);
    const size = m.x.encodeBlock(input, 8, block);
    m.u8[block] = codecNames.length;
    expect(m.x.blockIsSound(block, size)).toBe(0);
  });

  it('refuses a gap section that does not hold the gaps that the header counts', () => {
    const r = new Random(5);
    for (const { missing } of gapPatterns.slice(1, -1)) {
      for (const { make } of makers) {
        m.f64.set(withGaps(make(64, r), missing(64, r), r), input / 8);
        const size = m.x.encodeBlock(input, 64, block);
        if (codecNames[m.x.blockCodec(block)] === 'raw') continue;
        const header = new DataView(m.u8.buffer, block + 4, 4);
        header.setUint32(0, header.getUint32(0, true) + (1 << 10), true);
        expect(m.x.blockIsSound(block, size)).toBe(0);
      }
    }
  });
});
