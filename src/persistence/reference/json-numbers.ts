import type { ByteSource } from './byte-source.js';

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Decimal digits that a double always holds exactly as an integer. */
const EXACT_DIGITS = 15;
/** Sign, a digit too many, point, comma. */
const MAX_EXACT_NUMBER = EXACT_DIGITS + 4;

const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Fast path, nearly always: takes numbers of few digits that are followed by a comma at once, as long as they are well
 * within the window. Stops before anything else: null, an exponent, many digits, white space, the end.
 * @returns the new count.
 */
export function takeNumbers(source: ByteSource, into: Float64Array, from: number, size: number): number {
  const { bytes } = source;
  const end = source.end - MAX_EXACT_NUMBER;
  let count = from;
  let at = source.at;
  // One value is left to the caller, which so always has a token to take.
  for (const last = size - 1; count < last && at < end; ) {
    const first = bytes[at] === MINUS ? at + 1 : at;
    let next = first;
    let mantissa = 0;
    let digit = (bytes[next] as number) - ZERO;
    for (; digit >= 0 && digit <= 9; digit = (bytes[next] as number) - ZERO) {
      mantissa = mantissa * 10 + digit;
      if (++next - first > EXACT_DIGITS) break;
    }
    const whole = next - first;
    let decimals = 0;
    if (bytes[next] === DOT) {
      next++;
      digit = (bytes[next] as number) - ZERO;
      for (; digit >= 0 && digit <= 9; digit = (bytes[next] as number) - ZERO) {
        mantissa = mantissa * 10 + digit;
        next++;
        if (whole + ++decimals > EXACT_DIGITS) break;
      }
      if (decimals === 0) break;
    }
    if (bytes[next] !== COMMA || whole === 0 || whole + decimals > EXACT_DIGITS) break;
    if (whole > 1 && bytes[first] === ZERO) break;
    // An exact integer divided by an exact power of ten is rounded once, as the language's own parser does.
    const value = mantissa / (POWERS_OF_TEN[decimals] as number);
    into[count++] = first > at ? -value : value;
    at = next + 1;
  }
  source.at = at;
  return count;
}

/** Where the number that begins at `from` ends: after the last byte that can be part of one. */
export function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isNumberByte(bytes[at] as number)) at++;
  return at;
}

/** A number by JSON's grammar; NaN if the text is none or is out of a double's range. */
export function parseNumber(text: string): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

function isNumberByte(byte: number): boolean {
  const isDigit = byte >= ZERO && byte <= 0x39;
  return isDigit || byte === DOT || byte === MINUS || byte === 0x2b || byte === 0x65 || byte === 0x45;
}
