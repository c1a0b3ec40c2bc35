import { beforeAll, describe, expect, it } from 'vitest';
import { LineError } from '../../src/wasm/tables/codes.js';
import { seeded } from '../support/random.js';
import { anyDouble, compileNumberModule, decompose, type NumberModule } from './number-module.js';

const TEXT_BYTES = 32 << 20;
const OUT_BYTES = 1 << 20;
/** What may stand behind the end of the text; none of it may matter. */
const GARBAGE = ['', '5', '.5', 'e5', 'i', '"', '-', 'x', ' ', '9'.repeat(40), '\n'];

let core: NumberModule;
let free: number;
let out: number;

beforeAll(async () => {
  core = await compileNumberModule();
  free = core.reserve(TEXT_BYTES + OUT_BYTES);
  out = free + TEXT_BYTES;
});

/** Writes the text and what follows it to the start of free memory. */
function write(text: string, garbage = ''): number {
  const bytes = Buffer.from(text + garbage.padEnd(64, '7'), 'latin1');
  new Uint8Array(core.memory.buffer, free).set(bytes);
  return free + text.length;
}

/** Parses the text as a whole value; gives the value or the error's name. */
function parse(text: string, garbage = '', rest = ''): number | string {
  const end = write(text + rest, garbage);
  const next = core.parseValue(free, end);
  const after = Buffer.from(core.memory.buffer, free, text.length + rest.length + garbage.length).toString('latin1');
  expect(after, 'text and what follows it are left as they were').toBe(text + rest + garbage);
  if (next === 0) return LineError[core.parseError()] ?? 'unknown code';
  expect(next - free, `end of ${text}`).toBe(text.length);
  return core.parsedValue();
}

/** The text gives the same result at the end of the text, before garbage, and before each byte that ends a value. */
function expectValue(text: string, expected: number | string): void {
  for (const garbage of GARBAGE) expect(parse(text, garbage), JSON.stringify(text + garbage)).toBe(expected);
  for (const rest of [' 1700000000', ',other=1', '\n', '\r\n', ' ']) expect(parse(text, '', rest), text).toBe(expected);
}

/** Every text must parse to what JavaScript reads. */
function expectAsNumber(texts: string[]): void {
  const size = 20_000;
  for (let at = 0; at < texts.length; at += size) {
    const some = texts.slice(at, at + size);
    const end = write(`${some.join(' ')} `);
    const n = core.parseValues(free, end, out);
    if (n !== some.length) throw new Error(`refused ${some[-1 - n]}`);
    const values = new Float64Array(core.memory.buffer, out, n);
    for (let i = 0; i < n; i++) {
      if (!Object.is(values[i], Number(some[i]))) throw new Error(`${some[i]} gave ${values[i]}`);
    }
  }
}

function collect(count: number, make: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** count random digits, the first not 0. */
function digits(random: () => number, count: number): string {
  let text = String(1 + Math.floor(random() * 9));
  while (text.length < count) text += String(Math.floor(random() * 1e9)).padStart(9, '0');
  return text.slice(0, count);
}

/** mantissa * 2^exponent, not negative, with all its decimals. */
function exactDecimal(mantissa: bigint, exponent: number): string {
  if (exponent >= 0) return String(mantissa << BigInt(exponent));
  const text = String(mantissa * 5n ** BigInt(-exponent)).padStart(1 - exponent, '0');
  return `${text.slice(0, exponent)}.${text.slice(exponent)}`;
}

/** The decimal halfway between |x| and the next double. */
function halfway(x: number): string {
  const [mantissa, exponent] = decompose(Math.abs(x));
  return exactDecimal(2n * mantissa + 1n, exponent - 1);
}

describe('parseValue', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['3', 3],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['5.', 5],
    ['-5.e1', -50],
    ['007.50', 7.5],
    ['6e3', 6000],
    ['-7.25E-2', -0.0725],
    ['2.4259244e+07', 24259244],
    ['0.5997346772588338', 0.5997346772588338],
    ['1234567.891234567', 1234567.891234567],
    ['24684084', 24684084],
    ['12345678.12345678', 12345678.12345678],
    ['123456789012345678', 123456789012345680],
    ['1e-320', 1e-320],
    ['5e-324', 5e-324],
    ['2.4703282292062327e-324', 0],
    ['2.4703282292062328e-324', 5e-324],
    ['2.2250738585072011e-308', 2.225073858507201e-308],
    ['1e-400', 0],
    ['-1e-99999999999999999999', -0],
    ['0e99999999999999999999', 0],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['1.7976931348623158e308', Number.MAX_VALUE],
    [`0.${'0'.repeat(400)}1e401`, 1],
    [`1${'0'.repeat(400)}e-400`, 1],
  ])('reads the float %s', (text, value) => expectValue(text, value));

  it.each([
    ['0i', 0],
    ['-0i', 0],
    ['3193i', 3193],
    ['-3i', -3],
    ['9007199254740993i', 9007199254740992],
    ['9223372036854775807i', 2 ** 63],
    ['-9223372036854775808i', -(2 ** 63)],
    ['00000000000000000000000000012i', 12],
    ['4u', 4],
    ['9223372036854775808u', 2 ** 63],
    ['18446744073709551615u', 2 ** 64],
    ['18446744073709549568u', 2 ** 64 - 2048],
  ])('reads the integer %s', (text, value) => expectValue(text, value));

  it.each([
    '',
    '-',
    '.',
    '-.',
    '+1',
    '--1',
    'e5',
    '.e5',
    '1e',
    '1e+',
    '1e-',
    '1ee5',
    '1e5.',
    '1e5e5',
    '1.2.3',
    '1..2',
    '1-2',
    '0x10',
    '1f',
    '1_000',
    '1\t',
    '1=2',
    'i',
    'u',
    '-i',
    '.i',
    '1.i',
    '1.5i',
    '1e3i',
    '1ii',
    '1iu',
    '-4u',
    '-0u',
    '-18446744073709551616u',
    '-184467440737095516160u',
    '1.0u',
    'NaN',
    'nan',
    '-nan',
    'inf',
    'Inf',
    '-inf',
    'Infinity',
    'tr',
    'truE',
    'fALSE',
    'FALSe',
    'trueX',
    'falsey',
    '-true',
    '-"a"',
    '123456789012345678901234567890x',
    '123456789012345678901234567890e',
    '123456789012345678901234567890ix',
    '0.123456789012345678901234567890.1',
  ])('refuses %j as no value', (text) => expectValue(text, 'BadValue'));

  it.each([
    '1e400',
    '-1e400',
    '1e309',
    '1.7976931348623159e308',
    `1${'0'.repeat(309)}`,
    `-${'9'.repeat(400)}`,
    '1e99999999999999999999',
    '9223372036854775808i',
    '-9223372036854775809i',
    '99999999999999999999i',
    '100000000000000000000000i',
    '18446744073709551616u',
    '18446744073709551620u',
    '184467440737095516150u',
  ])('refuses %s as out of range', (text) => expectValue(text, 'OutOfRange'));

  it.each(['t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE'])(
    'refuses the boolean %s as of a type that is not supported',
    (text) => expectValue(text, 'UnsupportedType'),
  );

  it.each(['"str"', '""', '"with space, comma"', '"open'])(
    'refuses the string %s as of a type that is not supported',
    (text) => expectValue(text, 'UnsupportedType'),
  );

  it('reads what doubles print as', () => {
    const random = seeded(1);
    expectAsNumber(collect(500_000, () => String(anyDouble(random))));
    expectAsNumber(collect(300_000, () => String(random() * 10 ** Math.floor(random() * 20 - 6))));
    expectAsNumber(collect(100_000, () => anyDouble(random).toExponential()));
    expectAsNumber(
      collect(100_000, () => (random() * 10 ** Math.floor(random() * 20)).toFixed(Math.floor(random() * 21))),
    );
    expectAsNumber(collect(100_000, () => String(Math.fround(random() * 10 ** Math.floor(random() * 12 - 4)))));
  });

  it('reads any precision from 1 to 25 digits', () => {
    const random = seeded(2);
    expectAsNumber(
      collect(500_000, (i) => anyDouble(random).toPrecision(1 + (i % 25))).filter((text) =>
        Number.isFinite(Number(text)),
      ),
    );
    expectAsNumber(
      collect(200_000, (i) => (random() * 10 ** Math.floor(random() * 30 - 10)).toPrecision(1 + (i % 25))),
    );
  });

  it('reads random digits with a random point and exponents around +-330', () => {
    const random = seeded(3);
    const make = (): string => {
      const text =
        '0'.repeat(Math.max(0, Math.floor(random() * 8) - 4)) + digits(random, 1 + Math.floor(random() * 40));
      const point = Math.floor(random() * (text.length + 1));
      const number = random() < 0.3 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
      const exponent = Math.floor(random() * 680) - 340 - text.length;
      const sign = random() < 0.2 ? '-' : '';
      return random() < 0.3 ? sign + number : `${sign + number}e${exponent}`;
    };
    expectAsNumber(collect(400_000, make).filter((text) => Number.isFinite(Number(text))));
  });

  it('reads any count of digits and zeros in front of the point and behind it', () => {
    const random = seeded(9);
    const texts: string[] = [];
    for (let whole = 0; whole <= 36; whole++) {
      for (let fraction = whole === 0 ? 1 : 0; fraction <= 36; fraction++) {
        const a = digits(random, 36).slice(0, whole);
        const b = digits(random, 36).slice(0, fraction);
        const zeros = '0'.repeat(Math.floor(random() * (fraction + 1)));
        texts.push(`${a}.${b}`, `${'0'.repeat(whole)}.${b}`, `${a}.${zeros}${b.slice(zeros.length)}`, `-${a}.${b}e-7`);
        if (whole > 0) texts.push(`${'0'.repeat(fraction)}${a}`, `-${a}.${'0'.repeat(fraction)}`);
      }
    }
    expectAsNumber(texts);
  });

  it('rounds halfway cases of up to 19 digits to even', () => {
    const random = seeded(4);
    const make = (): string => {
      const odd = 2n * BigInt(2 ** 52 + Math.floor(random() * 2 ** 52)) + 1n;
      return exactDecimal(odd, Math.floor(random() * 14) - 5);
    };
    const texts = collect(50_000, make);
    expectAsNumber(texts);
    const short = (text: string): string => String(BigInt(text.replace('.', '')));
    expectAsNumber(
      texts.map((text) => `${short(text)}e-${text.includes('.') ? text.length - text.indexOf('.') - 1 : 0}`),
    );
    // Mantissas that a power of five fits beside.
    expectAsNumber(
      collect(50_000, (i) => {
        const power = i % 24;
        const mantissa = (1n << 54n) / 5n ** BigInt(power);
        return `${(mantissa + BigInt(Math.floor(random() * 1000))) | 1n}e${power}`;
      }),
    );
  });

  it('decides halfway points and their neighbours exactly', () => {
    const random = seeded(5);
    const around = (point: string): string[] => {
      const whole = point.includes('.') ? point : `${point}.`;
      const below = whole.replace(/([1-9])([.0]*)$/, (_, digit: string, rest: string) => Number(digit) - 1 + rest);
      const sticky = '0'.repeat(Math.floor(random() * 900));
      return [whole, `${below}9`, `${whole}${sticky}1`, `${whole}1`, `-${whole}${sticky}`];
    };
    const moderate = collect(3000, () => halfway((random() + 0.1) * 2 ** Math.floor(random() * 160 - 90)));
    const extreme = collect(600, () => halfway(anyDouble(random)));
    const subnormal = collect(300, () => halfway(Math.floor(random() * 2 ** Math.floor(random() * 53)) * 5e-324));
    expectAsNumber([...moderate, ...extreme, ...subnormal].flatMap(around));
    expectAsNumber([0, 5e-324, 1e-323, 2.225073858507201e-308, 2.2250738585072014e-308].map(halfway).flatMap(around));
    const largest = around(halfway(Number.MAX_VALUE));
    expectAsNumber(largest.filter((text) => Number.isFinite(Number(text))));
    for (const text of largest.filter((each) => !Number.isFinite(Number(each)))) expectValue(text, 'OutOfRange');
  });

  it('reads digit strings of up to 800 digits, and of many more', () => {
    const random = seeded(6);
    const make = (): string => {
      const text = digits(random, 1 + Math.floor(random() * 800));
      const point = Math.floor(random() * (text.length + 1));
      const exponent = Math.floor(random() * 600 - 300) - point;
      return `${text.slice(0, point)}.${text.slice(point)}e${exponent}`;
    };
    expectAsNumber(collect(20_000, make));
    const point = halfway(1.1e-300);
    expectAsNumber(['', '1', '0'].map((last) => point + '0'.repeat(100_000) + last));
  });
});

describe('the table of powers of five', () => {
  it('holds what exact arithmetic gives', () => {
    const view = new DataView(core.memory.buffer, core.powersOfFive());
    for (let q = -342; q <= 308; q++) {
      const power = 5n ** BigInt(Math.abs(q));
      const bits = power.toString(2).length;
      let expected: bigint;
      if (q >= 0) expected = bits > 128 ? power >> BigInt(bits - 128) : power << BigInt(128 - bits);
      else if (q >= -27) expected = (1n << BigInt(bits + 127)) / power + 1n;
      else expected = (1n << BigInt(bits + 127)) / power;
      const entry = (q + 342) * 16;
      expect((view.getBigUint64(entry, true) << 64n) | view.getBigUint64(entry + 8, true), `5^${q}`).toBe(expected);
    }
  });
});

describe('parseUnsigned', () => {
  function parseInteger(text: string, garbage = ''): [bigint, string] | undefined {
    const end = write(text, garbage);
    const next = core.parseUnsigned(free, end);
    if (next === 0) return undefined;
    return [BigInt.asUintN(64, core.parsedInteger()), text.slice(next - free)];
  }

  it('reads digits up to whatever follows or the end', () => {
    for (const text of [
      '0',
      '1700000000',
      '1700000000123',
      '1700000000123456',
      '17000000001234567',
      '1700000000123456789',
      '9223372036854775807',
    ]) {
      for (const rest of ['', ' ', '\n', '\r\n', 'x', '-']) {
        for (const garbage of GARBAGE) expect(parseInteger(text + rest, garbage)).toEqual([BigInt(text), rest]);
      }
    }
    expect(parseInteger(`${'0'.repeat(50)}42 `)).toEqual([42n, ' ']);
  });

  it('refuses no digit and integers beyond 2^63 - 1', () => {
    for (const text of [
      '',
      '-1',
      '+1',
      'x',
      ' 1',
      '9223372036854775808',
      '18446744073709551616',
      '99999999999999999999',
      '9'.repeat(100),
    ]) {
      for (const garbage of GARBAGE) expect(parseInteger(text, garbage), text).toBeUndefined();
    }
  });

  it('reads random integers', () => {
    const random = seeded(7);
    for (let i = 0; i < 50_000; i++) {
      const text = digits(random, 1 + (i % 18));
      expect(parseInteger(text, '5')?.[0]).toBe(BigInt(text));
    }
  });
});

describe('SIMD digits', () => {
  it('reads the same as the scalar twin', () => {
    const random = seeded(8);
    const bytes = new Uint8Array(core.memory.buffer, free, 32);
    for (let i = 0; i < 50_000; i++) {
      for (let k = 0; k < 32; k++) bytes[k] = 0x30 + Math.floor(random() * 10);
      for (let k = random() * 4; k > 1; k--) bytes[Math.floor(random() * 32)] = Math.floor(random() * 256);
      if (core.digitsAgree(free) !== 1) throw new Error(`disagree on ${Buffer.from(bytes).toString('hex')}`);
    }
    for (let c = 0; c < 256; c++) {
      bytes.fill(0x35);
      bytes[c % 32] = c;
      expect(core.digitsAgree(free), `byte ${c}`).toBe(1);
    }
  });
});
