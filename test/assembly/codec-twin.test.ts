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
});

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

describe('profileBins', () => {
  it('equals its scalar twin', () => {
    const r = new Random(3);
    const values = [0, -0, 1, -1, 100, 0.1, -1e300, Infinity, -Infinity];
    for (let round = 0; round < 400; round++) {
      const n = counts[round % counts.length] ?? 1;
      const few = r.int(2) === 0 ? 3 : 1 + r.int(values.length);
      const steps = r.int(3) === 0;
      const plain = r.int(2) === 0;
      let before = 0;
      for (let i = 0; i < n; i++) {
        if (!steps || r.int(4) === 0) before = plain || r.int(3) === 0 ? (values[r.int(few)] ?? 0) : r.normal();
        m.f64[source / 8 + i] = round % 5 === 4 && r.int(9) === 0 ? Number.NaN : before;
      }
      m.x.profile(source, n, 0, one);
      m.x.profile(source, n, 1, other);
      expectWords(words(one, n + 5), words(other, n + 5), 'profile');
    }
  });
});

/** The plan of assembly/codec/plan.ts as its steps are described there: bytes, width, frame, patches, bytes of one. */
function plainPlan(items: bigint[]): [number, number, bigint, number, number] | undefined {
  const n = items.length;
  const lanes = (width: number) => 2 * ((half(n) * width + 7) >> 3);
  const bitsOf = (v: bigint) => v.toString(2).length * +(v !== 0n);
  const zigzag = (v: bigint) => BigInt.asUintN(64, (v << 1n) ^ (v >> 63n));
  const sample = Array.from({ length: 7 }, (_, s) => items[Math.floor(((2 * s + 1) * n) / 14)] ?? 0n);
  const centre = sample.sort((a, b) => (a < b ? -1 : +(a > b)))[3] ?? 0n;
  const distances = items.map((v) => BigInt.asIntN(64, v - centre));
  const lengths = distances.map((z) => bitsOf(zigzag(z)));
  const longest = Math.max(...lengths);
  let threshold = -1;
  let best = Number.POSITIVE_INFINITY;
  for (let t = longest; t >= 0; t--) {
    const outside = lengths.filter((l) => l > t).length;
    const bytes = lanes(t) + outside * (1 + Math.max(1, (longest - t + 7) >> 3));
    if (outside > 61 || t > 58 || bytes >= best) continue;
    best = bytes;
    threshold = t;
  }
  if (threshold < 0) return undefined;
  const inside = distances.filter((_, i) => (lengths[i] ?? 0) <= threshold);
  inside.sort((a, b) => (a < b ? -1 : +(a > b)));
  const low = inside[0] ?? 0n;
  const high = inside[inside.length - 1] ?? 0n;
  const width = bitsOf(high - low);
  if (width > 57) return undefined;
  const first = BigInt.asIntN(64, low + centre);
  const last = BigInt.asIntN(64, high + centre);
  const shift = BigInt(Math.max(0, width - 8));
  const short = first >> shift;
  let [frame, frameBytes] = [first, 8];
  if (first >= 0n && last >= 0n && last < 1n << BigInt(width)) [frame, frameBytes] = [0n, 0];
  else if (short === BigInt.asIntN(16, short) && last - (short << shift) < 1n << BigInt(width)) {
    [frame, frameBytes] = [short << shift, 2];
  }
  const uppers = items.map((v) => BigInt.asIntN(64, v - frame) >> BigInt(width));
  let patches = 0;
  let before = 0;
  let spread = 0n;
  uppers.forEach((upper, i) => {
    if (upper === 0n) return;
    patches += 1 + Math.floor(Math.max(0, i - before - 1) / 255);
    before = i;
    spread |= upper < 0n ? ~upper : upper;
  });
  if (patches > 63) return undefined;
  const patchBytes = patches ? Math.max(1, (bitsOf(zigzag(spread)) + 7) >> 3) : 1;
  return [lanes(width) + frameBytes + patches * (1 + patchBytes), width, frame, patches, patchBytes];
}

describe('planIntegers', () => {
  it('equals a plain one', () => {
    const r = new Random(5);
    const seen = new Set<string>();
    for (let round = 0; round < 1500; round++) {
      const n = counts[r.int(counts.length)] ?? 1;
      const width = r.int(65);
      const tail = r.int(4) === 0 ? 0 : r.int(65);
      const often = 2 + r.int(60);
      const offset = r.int(2) ? r.bits() >> BigInt(r.int(64)) : 0n;
      const items = Array.from({ length: n }, () => {
        const bits = BigInt.asIntN(r.int(often) === 0 ? Math.max(1, tail) : Math.max(1, width), r.bits());
        return BigInt.asIntN(64, bits + offset);
      });
      new BigInt64Array(m.x.memory.buffer).set(items, source / 8);
      const plan = m.x.plan.value;
      const bytes = m.x.planIntegers(source, n, plan);
      const plain = plainPlan(items);
      seen.add(plain ? (plain[3] ? 'patches' : 'none') : 'impossible');
      const found = [bytes, m.x.planWidth(plan), m.x.planFrame(plan), m.x.planPatches(plan), m.x.planPatchBytes(plan)];
      if (plain) expect(found).toEqual(plain);
      else expect(found.slice(0, 2)).toEqual([1 << 20, -1]);
    }
    expect(seen.size).toBe(3);
  });
});
