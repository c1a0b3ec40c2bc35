import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from './codec-data.js';
import { type CodecModule, expectWords, loadCodecModule } from './codec-module.js';

let m: CodecModule;
let source: number;
let packed: number;
let one: number;
let other: number;
beforeAll(async () => {
  m = await loadCodecModule();
  source = m.base;
  packed = m.base + 8192;
  one = m.base + 16384;
  other = m.base + 32768;
}, 60000);

const counts = [1, 2, 15, 16, 17, 18, 100, 128, 131, 511, 512];
const half = (n: number) => (n + 1) >> 1;
const words = (at: number, n: number) => m.u64.slice(at / 8, at / 8 + n);

describe('unpackLanes', () => {
  it.each(Array.from({ length: 57 }, (_, i) => i + 1))('equals its scalar twin and the source at width %i', (width) => {
    const r = new Random(width);
    for (const n of counts) {
      const items = BigUint64Array.from({ length: n }, () => BigInt.asUintN(width, r.bits()));
      const frame = r.bits() >> 1n;
      m.u64.set(
        items.map((v) => BigInt.asUintN(64, v + frame)),
        source / 8,
      );
      const end = m.x.packLanes(source, n, width, frame, packed);
      expect(end - packed).toBe(2 * Math.ceil((half(n) * width) / 8));
      m.x.unpackLanes(packed, n, width, one);
      m.x.unpackLanesScalar(packed, n, width, other);
      expectWords(words(one, 2 * half(n)), words(other, 2 * half(n)), 'lanes');
      for (let i = 0; i < n; i++) {
        const pair = i < half(n) ? 2 * i : 2 * (i - half(n)) + 1;
        if (m.u64[one / 8 + pair] !== items[i]) expect([i, m.u64[one / 8 + pair]]).toEqual([i, items[i]]);
      }
    }
  });

  it('yields zeros at width 0', () => {
    m.u64.fill(1n, one / 8, one / 8 + 512);
    m.x.unpackLanes(packed, 512, 0, one);
    expectWords(words(one, 512), new BigUint64Array(512), 'lanes');
  });
});

describe('the sink', () => {
  const converts = [0, 1, 2, 3, 4];
  it.each(converts)('equals its scalar twin, conversion %i', (convert) => {
    const r = new Random(convert);
    for (const n of counts) {
      for (const delta of [false, true]) {
        for (const add of [false, true]) {
          const small = r.int(2) === 0;
          const items = BigInt64Array.from({ length: 2 * half(n) }, () => BigInt(r.int(small ? 1000 : 2 ** 41)) - 500n);
          new BigInt64Array(m.x.memory.buffer).set(items, m.x.lanes() / 8);
          const reference = BigInt(r.int(2 ** 50)) - 2n ** 49n;
          const frame = BigInt(r.int(1000)) - 500n;
          const scale = convert === 3 ? 1000 : 0.001;
          const lower = convert === 4 ? 1e-11 : 0;
          const acc = Float64Array.from({ length: n + 8 }, () => r.normal());
          m.f64.set(acc, one / 8);
          m.f64.set(acc, other / 8);
          if (delta) m.x[add ? 'addDelta' : 'writeDelta'](convert, n, reference, frame, scale, lower, one);
          else m.x[add ? 'addFrame' : 'writeFrame'](convert, n, reference + frame, scale, lower, one);
          m.x.sinkScalar(
            +delta,
            convert,
            +add,
            n,
            delta ? reference : 0n,
            delta ? frame : reference + frame,
            scale,
            lower,
            other,
          );
          expectWords(words(one, n + 8), words(other, n + 8), 'bins');
        }
      }
    }
  });
});
