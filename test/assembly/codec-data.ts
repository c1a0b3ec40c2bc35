/** Values for the codec tests: the classes of the load generator, and hard cases. All from a fixed seed. */

/** A seeded generator (sfc32). */
export class Random {
  private state: [number, number, number, number];
  constructor(seed: number) {
    this.state = [seed, seed ^ 0x9e3779b9, 0x243f6a88, 1];
    for (let i = 0; i < 16; i++) this.u32();
  }
  u32(): number {
    let [a, b, c, d] = this.state;
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    this.state = [a, b, c | 0, d];
    return t >>> 0;
  }
  /** In [0, 1) with 53 random bits. */
  float(): number {
    return ((this.u32() >>> 5) * 67108864 + (this.u32() >>> 6)) / 9007199254740992;
  }
  /** In [0, n). */
  int(n: number): number {
    return Math.floor(this.float() * n);
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }
  bits(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
}

function walk(n: number, r: Random, next: (v: number) => [state: number, out: number]): Float64Array {
  let v = 20 + 1000 * r.float();
  return Float64Array.from({ length: n }, () => {
    const [state, out] = next(v);
    v = state;
    return out;
  });
}

const same = (v: number): [number, number] => [v, v];

/** The value classes of a 72-thread node as the load generator makes them, and how many series of 743 each has. */
export const loadClasses: readonly { name: string; series: number; make: (n: number, r: Random) => Float64Array }[] = [
  {
    name: 'percentage',
    series: 216,
    make: (n, r) => walk(n, r, (v) => same(Math.min(100, Math.max(0, v + r.normal())))),
  },
  {
    name: 'rate',
    series: 294,
    make: (n, r) =>
      walk(n, r, (v) => {
        const next = v * (1 + 0.05 * r.normal());
        return [next, Math.abs(next)];
      }),
  },
  {
    name: 'counter',
    series: 7,
    make: (n, r) =>
      walk(n, r, (v) => {
        const next = v + r.int(100000);
        return [next, Math.round(next)];
      }),
  },
  {
    name: 'integer gauge',
    series: 3,
    make: (n, r) => walk(n, r, (v) => same(Math.max(0, Math.round(v) + r.int(2001) - 1000))),
  },
  {
    name: 'mostly zero',
    series: 149,
    make: (n, r) => walk(n, r, (v) => [v, r.int(50) === 0 ? r.int(5) : 0]),
  },
  { name: 'constant', series: 1, make: (n) => new Float64Array(n).fill(24684084) },
  {
    name: 'two decimals',
    series: 73,
    make: (n, r) =>
      walk(n, r, (v) => {
        const next = Math.max(0, v + r.normal() * 0.3);
        return [next, Math.round(next * 100) / 100];
      }),
  },
];

const floatOf = (bits: bigint): number => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
};

/** Hard values: name and maker, any n. */
export const hardCases: readonly { name: string; make: (n: number, r: Random) => Float64Array }[] = [
  { name: 'random bits', make: (n, r) => Float64Array.from({ length: n }, () => floatOf(r.bits())) },
  { name: 'negative zeros', make: (n, r) => Float64Array.from({ length: n }, () => (r.int(3) ? 0 : -0)) },
  { name: 'only negative zero', make: (n) => new Float64Array(n).fill(-0) },
  { name: 'subnormals', make: (n, r) => Float64Array.from({ length: n }, () => r.int(1000) * 5e-324) },
  { name: 'huge', make: (n, r) => Float64Array.from({ length: n }, () => (r.float() - 0.5) * 1.7e308) },
  {
    name: 'infinities',
    make: (n, r) => Float64Array.from({ length: n }, () => [1, Infinity, -Infinity, 2.5][r.int(4)] ?? 0),
  },
  {
    name: 'one infinity',
    make: (n, r) => Float64Array.from({ length: n }, (_, i) => (i === n >> 1 ? Infinity : r.int(9))),
  },
  {
    name: 'least is -infinity',
    make: (n, r) => Float64Array.from({ length: n }, (_, i) => (i ? r.int(9) : -Infinity)),
  },
  {
    name: 'counter near 2^53',
    make: (n, r) => Float64Array.from({ length: n }, (_, i) => 2 ** 53 - 20000 + i * 40 + r.int(9)),
  },
  { name: 'integers above 2^53', make: (n, r) => Float64Array.from({ length: n }, () => 2 ** 53 + 2 * r.int(1e6)) },
  { name: 'negative counter', make: (n, r) => Float64Array.from({ length: n }, (_, i) => -1e9 - i * 1000 - r.int(30)) },
  { name: 'negative doubles', make: (n, r) => Float64Array.from({ length: n }, () => -40 - r.normal()) },
  { name: 'both signs', make: (n, r) => Float64Array.from({ length: n }, () => r.normal()) },
  { name: 'page multiples', make: (n, r) => Float64Array.from({ length: n }, () => 4096 * (1e5 + r.int(5000))) },
  {
    name: 'multiples of 3 with gaps of 2^40',
    make: (n, r) => Float64Array.from({ length: n }, () => 3 * r.int(2 ** 40)),
  },
  { name: 'products', make: (n, r) => Float64Array.from({ length: n }, () => r.int(5000) * 1e-4) },
  { name: 'ten decimals', make: (n, r) => Float64Array.from({ length: n }, () => r.int(1e6) / 1e10) },
  {
    name: 'decimals with misfits',
    make: (n, r) => Float64Array.from({ length: n }, () => (r.int(60) ? r.int(900) / 10 : r.float())),
  },
  {
    name: 'late misfit',
    make: (n, r) => Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? Math.PI : r.int(900) / 10)),
  },
  {
    name: 'integers with outliers',
    make: (n, r) => Float64Array.from({ length: n }, () => (r.int(40) ? r.int(16) : (r.int(2) - 0.5) * 2 ** 50)),
  },
  {
    name: 'late outlier',
    make: (n, r) => Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? 1e12 : r.int(16))),
  },
  { name: 'two runs', make: (n) => Float64Array.from({ length: n }, (_, i) => (i < n / 3 ? 0.1 : 7)) },
  {
    name: 'long runs of doubles',
    make: (n) => Float64Array.from({ length: n }, (_, i) => Math.sqrt(2 + Math.floor(i / 30))),
  },
  { name: 'late exception', make: (n) => Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? Math.E : Math.PI)) },
  { name: 'alternating', make: (n, r) => Float64Array.from({ length: n }, (_, i) => (i & 1 ? r.float() : 0)) },
  {
    name: 'quotients of a few counts',
    make: (n, r) => Float64Array.from({ length: n }, () => (r.int(6) / (5 + r.float() * 1e-3)) * 100),
  },
];

/** Ways of missing bins: given n, whether bin i is missing. */
export const gapPatterns: readonly { name: string; missing: (n: number, r: Random) => (i: number) => boolean }[] = [
  { name: 'none', missing: () => () => false },
  { name: 'start', missing: (n) => (i) => i < n / 3 },
  { name: 'end', missing: (n) => (i) => i >= n / 2 },
  { name: 'alternating', missing: () => (i) => (i & 1) === 0 },
  { name: 'isolated', missing: (n) => (i) => i === n >> 1 || i === n - 1 },
  { name: 'random', missing: (_, r) => () => r.int(4) === 0 },
  { name: 'all', missing: () => () => true },
];

/** A copy of `values` with NaNs of any bit pattern where bins are missing. */
export function withGaps(values: Float64Array, missing: (i: number) => boolean, r: Random): Float64Array {
  const out = values.slice();
  const bits = new BigUint64Array(out.buffer);
  for (let i = 0; i < out.length; i++) {
    if (missing(i)) bits[i] = (r.bits() & 0x800fffffffffffffn) | 0x7ff0000000000001n;
  }
  return out;
}
