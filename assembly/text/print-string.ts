/**
 * JSON strings from bytes that should be UTF-8.
 *
 * 1. Sixteen bytes at a time while none is a control character, quote, backslash or above 0x7f: one copy.
 * 2. Else byte by byte: escapes as JSON.stringify makes them, well-formed sequences copied, and each maximal ill-formed
 *    part replaced by one U+FFFD, as the WHATWG decoder does, so that core and host show the same name.
 */

const QUOTE: u8 = 0x22; // "
const BACKSLASH: u8 = 0x5c; // \
/** Bytes of U+FFFD: ef bf bd. */
const REPLACEMENT: u32 = 0xbdbfef;
const UNICODE_ESCAPE: u32 = 0x3030755c; // \u00

/** Letters behind the backslash for control characters 8..13; 0: none. */
const SHORT_ESCAPES: usize = memory.data<u8>([0x62, 0x74, 0x6e, 0, 0x66, 0x72]); // b t n - f r

/** Writes the len bytes at src as a JSON string with its quotes. Needs 6 * len + 2 bytes of room; returns the address behind. */
export function printString(dst: usize, src: usize, len: i32): usize {
  store<u8>(dst++, QUOTE);
  const end = src + len;
  while (src + 16 <= end) {
    const bytes = v128.load(src);
    v128.store(dst, bytes);
    const plain = plainRun(bytes);
    src += plain;
    dst += plain;
    if (plain < 16) {
      const n = lengthAt(src, end);
      dst = printCharacter(dst, src, n);
      src += n;
    }
  }
  dst = printCharacters(dst, src, end);
  store<u8>(dst, QUOTE);
  return dst + 1;
}

/** Scalar twin of printString. */
export function printStringScalar(dst: usize, src: usize, len: i32): usize {
  store<u8>(dst, QUOTE);
  dst = printCharacters(dst + 1, src, src + len);
  store<u8>(dst, QUOTE);
  return dst + 1;
}

/** How many bytes in front can be copied as they are: 0..16. */
function plainRun(bytes: v128): i32 {
  // As signed bytes, 0x80 and above are below the space, too.
  const special = v128.or(
    i8x16.lt_s(bytes, i8x16.splat(0x20)),
    v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
  );
  return ctz(i8x16.bitmask(special) | 0x10000);
}

function printCharacters(dst: usize, src: usize, end: usize): usize {
  while (src < end) {
    const n = lengthAt(src, end);
    dst = printCharacter(dst, src, n);
    src += n;
  }
  return dst;
}

/** Bytes of the character at src, src < end; of an ill-formed one, those that one U+FFFD replaces. */
function lengthAt(src: usize, end: usize): usize {
  return load<u8>(src) < 0x80 ? 1 : wellFormed(src, end);
}

/** Writes the character of n bytes at src; returns the address behind. */
function printCharacter(dst: usize, src: usize, n: usize): usize {
  const c = load<u8>(src);
  if (c >= 0x80) return printMultibyte(dst, src, n);
  if (c >= 0x20) {
    if (c == QUOTE || c == BACKSLASH) store<u8>(dst++, BACKSLASH);
    store<u8>(dst, c);
    return dst + 1;
  }
  const short = u8(c - 8) < 6 ? load<u8>(SHORT_ESCAPES + usize(c - 8)) : 0;
  if (short != 0) {
    store<u8>(dst, BACKSLASH);
    store<u8>(dst, short, 1);
    return dst + 2;
  }
  store<u32>(dst, UNICODE_ESCAPE);
  const low = c & 15;
  store<u8>(dst, 0x30 + (c >> 4), 4);
  store<u8>(dst, low < 10 ? 0x30 + low : 0x57 + low, 5);
  return dst + 6;
}

/** Bytes that a sequence with this first byte has; 1: none begins with it. */
function sequenceLength(lead: u8): usize {
  return lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/**
 * How many bytes at src belong to a well-formed sequence (Unicode 15, table 3-7):
 *
 *   c2..df 80..bf
 *   e0     a0..bf 80..bf          e1..ef 80..bf 80..bf, but ed 80..9f
 *   f0     90..bf 80..bf 80..bf   f1..f3 80..bf 80..bf 80..bf   f4 80..8f 80..bf 80..bf
 */
function wellFormed(src: usize, end: usize): usize {
  const lead = load<u8>(src);
  const length = sequenceLength(lead);
  let low: u8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  let high: u8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  let good: usize = 1;
  while (good < length && src + good < end) {
    const c = load<u8>(src + good);
    if (c < low || c > high) break;
    low = 0x80;
    high = 0xbf;
    good++;
  }
  return good;
}

/** Writes the n well-formed bytes at src if they are a whole sequence, else U+FFFD. */
function printMultibyte(dst: usize, src: usize, n: usize): usize {
  const length = sequenceLength(load<u8>(src));
  if (length == 1 || n < length) {
    store<u16>(dst, u16(REPLACEMENT));
    store<u8>(dst, u8(REPLACEMENT >> 16), 2);
    return dst + 3;
  }
  for (let i: usize = 0; i < n; i++) store<u8>(dst + i, load<u8>(src + i));
  return dst + n;
}
