import { beforeAll, describe, expect, it } from 'vitest';
import { formatSample } from '../../src/promql/print/numbers.js';
import { seeded } from '../support/random.js';
import { anyDouble, compileNumberModule, decompose, type NumberModule } from './number-module.js';

const BATCH = 20_000;

let core: NumberModule;
let src: number;
let dst: number;

beforeAll(async () => {
  core = await compileNumberModule();
  src = core.reserve(BATCH * 8);
  dst = core.reserve(BATCH * (core.FIXED_MAX_BYTES.value + 1));
});

function text(from: number, to: number): string {
  return Buffer.from(core.memory.buffer, from, to - from).toString('utf8');
}

/** x with at most `decimals` decimals from its exact value, ties to even, in exact arithmetic. */
function fixed(x: number, decimals: number): string {
  if (!Number.isFinite(x)) return 'null';
  const scale = 10n ** BigInt(decimals);
  const [signed, exponent] = decompose(x);
  const mantissa = signed < 0n ? -signed : signed;
  let units: bigint;
  if (exponent >= 0) {
    units = (mantissa << BigInt(exponent)) * scale;
  } else {
    const shift = BigInt(-exponent);
    const product = mantissa * scale;
    units = product >> shift;
    const cut = product - (units << shift);
    const half = 1n << (shift - 1n);
    if (cut > half || (cut === half && units & 1n)) units++;
  }
  const fraction = String(units % scale)
    .padStart(decimals, '0')
    .replace(/0+$/, '');
  const sign = signed < 0n && units > 0n ? '-' : '';
  return sign + units / scale + (fraction === '' ? '' : `.${fraction}`);
}

/** Prints the values in batches, and each alone, with both precisions; compares all with exact arithmetic. */
function expectExact(values: number[]): void {
  for (let at = 0; at < values.length; at += BATCH) {
    const some = values.slice(at, at + BATCH);
    new Float64Array(core.memory.buffer, src, some.length).set(some);
    const printed = text(dst, core.printFixed3s(dst, src, some.length)).split(',');
    expect(printed.length).toBe(some.length);
    for (let i = 0; i < some.length; i++) {
      const x = some[i] ?? 0;
      if (printed[i] !== fixed(x, 3)) throw new Error(`${x} gave ${printed[i]}, expected ${fixed(x, 3)}`);
      if (i % 4 !== 0) continue;
      const two = text(dst, core.printFixed2(dst, x));
      if (two !== fixed(x, 2)) throw new Error(`${x} with two decimals gave ${two}, expected ${fixed(x, 2)}`);
    }
  }
}

function collect(count: number, make: (i: number) => number): number[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

describe('printFixed', () => {
  it.each([
    [0, '0', '0'],
    [-0, '0', '0'],
    [1, '1', '1'],
    [-1.5, '-1.5', '-1.5'],
    [97.97712345, '97.977', '97.98'],
    [1234.5678, '1234.568', '1234.57'],
    [0.0005, '0.001', '0'],
    [-0.0004, '0', '0'],
    [-0.0049, '-0.005', '0'],
    [0.9995, '1', '1'],
    [999999.9996, '1000000', '1000000'],
    [0.0625, '0.062', '0.06'],
    [0.1875, '0.188', '0.19'],
    [0.125, '0.125', '0.12'],
    [0.375, '0.375', '0.38'],
    [1e-300, '0', '0'],
    [5e-324, '0', '0'],
    [1000000, '1000000', '1000000'],
    [4294967296.25, '4294967296.25', '4294967296.25'],
    [2 ** 53, '9007199254740992', '9007199254740992'],
    [-(2 ** 63), '-9223372036854775808', '-9223372036854775808'],
    [2 ** 64, '18446744073709551616', '18446744073709551616'],
    [Number.NaN, 'null', 'null'],
    [Number.POSITIVE_INFINITY, 'null', 'null'],
    [Number.NEGATIVE_INFINITY, 'null', 'null'],
  ])('prints %d', (x, three, two) => {
    expect(text(dst, core.printFixed3(dst, x))).toBe(three);
    expect(text(dst, core.printFixed2(dst, x))).toBe(two);
  });

  it('keeps the bound on its bytes', () => {
    for (const x of [-Number.MAX_VALUE, -1e15 / 3, -(2 ** 52) + 0.5]) {
      const room = new Uint8Array(core.memory.buffer, dst, core.FIXED_MAX_BYTES.value + 16).fill(0xaa);
      core.printFixed3(dst, x);
      expect(room.subarray(core.FIXED_MAX_BYTES.value).every((each) => each === 0xaa)).toBe(true);
    }
  });

  it('rounds random values exactly', () => {
    const random = seeded(1);
    expectExact(collect(400_000, () => (random() - 0.2) * 10 ** Math.floor(random() * 18 - 4)));
    expectExact(collect(200_000, () => Math.round(random() * 1e7) / 10 ** Math.floor(random() * 7)));
    expectExact(collect(100_000, () => Math.fround(random() * 10000)));
    expectExact(collect(100_000, () => Math.round((random() - 0.5) * 2 ** Math.floor(random() * 70))));
  });

  it('rounds exact ties to even, and what is next to them by value', () => {
    const random = seeded(2);
    const near = (x: number): number[] => [x, -x, x * (1 + Number.EPSILON), x * (1 - Number.EPSILON / 2)];
    const dyadic = collect(60_000, () => {
      const bits = Math.floor(random() * 20);
      return Math.floor(random() * 2 ** (bits + Math.floor(random() * 30))) / 2 ** bits;
    });
    // k + n/16 is a tie at three decimals for odd n, k + n/8 at two.
    const ties = collect(30_000, (i) => Math.floor(random() * 10 ** (i % 12)) + Math.floor(random() * 16) / 16);
    const halves = collect(30_000, (i) => (Math.floor(random() * 10 ** (i % 12)) + 0.5) / 1000);
    expectExact([...dyadic, ...ties, ...halves].flatMap(near));
  });

  it('prints doubles of any bits', () => {
    const random = seeded(3);
    expectExact(collect(60_000, () => anyDouble(random)));
    expectExact(collect(100_000, () => (random() - 0.5) * 2 ** Math.floor(random() * 140 - 70)));
    expectExact(collect(20_000, () => random() * 2 ** Math.floor(random() * -1060)));
    const powers = collect(2098, (i) => 2 ** (i - 1074));
    expectExact(powers.flatMap((x) => [x, -x, x - 2 ** -11, x * (1 - Number.EPSILON / 2)]));
  });

  it('prints batches of none, one and many with null for gaps', () => {
    new Float64Array(core.memory.buffer, src, 4).set([1.5, Number.NaN, -2, 0.001]);
    expect([0, 1, 2, 4].map((n) => text(dst, core.printFixed3s(dst, src, n)))).toEqual([
      '',
      '1.5',
      '1.5,null',
      '1.5,null,-2,0.001',
    ]);
  });
});

describe('printI64', () => {
  it('prints integers of every length', () => {
    const random = seeded(4);
    const values = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (let digits = 0n; digits <= 18n; digits++) values.push(10n ** digits, 10n ** digits - 1n, -(10n ** digits));
    for (let i = 0; i < 20_000; i++) {
      values.push(
        BigInt.asIntN(64, BigInt(Math.floor(random() * 2 ** 53)) * BigInt(Math.floor(random() * 2 ** (i % 53)))),
      );
    }
    for (const v of values) expect(text(dst, core.printI64(dst, v))).toBe(String(v));
  });
});

describe('printString', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** As the host would decode and print the same bytes; SIMD and scalar alike. */
  function expectString(bytes: Uint8Array): void {
    new Uint8Array(core.memory.buffer, src, bytes.length + 1).set([...bytes, 0x22]);
    const expected = JSON.stringify(decoder.decode(bytes));
    expect(text(dst, core.printString(dst, src, bytes.length))).toBe(expected);
    expect(text(dst, core.printStringScalar(dst, src, bytes.length))).toBe(expected);
  }

  it.each([
    '',
    'a',
    'cpu_load',
    'a "quoted" \\ name',
    'a much longer name than sixteen bytes, with "one" quote',
    'Käse, 東京, 🚀 and so on',
    '\ufeff',
  ])('prints %j', (value) => expectString(Buffer.from(value)));

  it('escapes every ASCII character as JSON.stringify does, at every place', () => {
    for (let c = 0; c < 128; c++) {
      for (const place of [0, 7, 15, 16, 30]) {
        const bytes = Buffer.alloc(33, 'x');
        bytes[place] = c;
        expectString(bytes);
      }
    }
  });

  it('replaces ill-formed UTF-8 as the host does', () => {
    for (let lead = 0x80; lead < 256; lead++) {
      for (const second of [0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]) {
        for (const rest of [[], [0x80], [0x80, 0x80], [0xbf, 0x41], [0x80, 0x80, 0x80]]) {
          expectString(Uint8Array.from([0x61, lead, second, ...rest]));
          expectString(Uint8Array.from([...Array(13).fill(0x61), lead, second, ...rest, ...Array(20).fill(0x62)]));
        }
      }
      expectString(Uint8Array.from([lead]));
    }
  });

  it('prints random bytes within its room', () => {
    const random = seeded(5);
    const alphabet = [
      0x00, 0x0a, 0x1f, 0x22, 0x41, 0x5c, 0x7f, 0x80, 0xa0, 0xbf, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xff,
    ];
    for (let i = 0; i < 20_000; i++) {
      const any = random() < 0.5;
      const plain = random();
      const pick = (): number =>
        any ? Math.floor(random() * 256) : (alphabet[Math.floor(random() * alphabet.length)] ?? 0);
      const bytes = Uint8Array.from({ length: Math.floor(random() * 60) }, () => (random() < plain ? 0x61 : pick()));
      const bound = 6 * bytes.length + 2;
      const behind = new Uint8Array(core.memory.buffer, dst + bound, 8).fill(0xaa);
      expectString(bytes);
      expect(behind.every((each) => each === 0xaa)).toBe(true);
    }
  });
});

describe('shortest digits', () => {
  /** As JavaScript has them, in Prometheus's form. */
  function expectShortest(x: number): void {
    const printed = text(dst, core.printShortest(dst, x));
    if (printed !== formatSample(x)) throw new Error(`${x} gave ${printed}, expected ${formatSample(x)}`);
  }

  it('are those of JavaScript for doubles of any bits, and of any size', () => {
    const random = seeded(7);
    for (let i = 0; i < 200_000; i++) expectShortest(anyDouble(random));
    for (let i = 0; i < 200_000; i++) expectShortest((random() - 0.5) * 10 ** Math.floor(random() * 40 - 15));
  });

  it('are those of JavaScript at the edges of sizes and forms', () => {
    const least = Number.MIN_VALUE;
    for (const x of [0, -0, Number.NaN, 1 / 0, -1 / 0, least, 2 * least, 3 * least, Number.MAX_VALUE])
      expectShortest(x);
    const neighbours = new BigUint64Array(1);
    const double = new Float64Array(neighbours.buffer);
    const around = (x: number): void => {
      double[0] = x;
      const bits = neighbours[0] ?? 0n;
      for (let by = -2n; by <= 2n; by++) {
        neighbours[0] = bits + by;
        if (Number.isFinite(double[0])) expectShortest(double[0] ?? 0);
      }
    };
    for (let power = -1073; power < 1024; power++) around(2 ** power);
    for (let power = -323; power < 309; power++) for (const digit of [1, 5, 9.5]) around(Number(`${digit}e${power}`));
  });

  it('are right for thousandths up to where these are no longer all different', () => {
    const random = seeded(8);
    for (let i = 0; i < 100_000; i++) {
      const thousandths = Math.round((random() - 0.5) * 10 ** Math.floor(random() * 18));
      expectShortest(thousandths / 1000);
    }
    for (let i = 0; i < 2000; i++) for (const whole of [0, 1, 999, 1e9, 1e12, 1e15]) expectShortest(whole + i / 1000);
  });
});
