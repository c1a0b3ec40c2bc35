/** Where lines of line protocol, their blanks and the strings in them end: bytes only, no grammar of names and values. */

export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0x0d;
}

/** Skips blanks (space, tab, carriage return). */
export function skipBlanks(p: usize, end: usize): usize {
  while (p < end && isBlank(load<u8>(p))) p++;
  return p;
}

/**
 * Where the line at p ends: its newline, or `end`. Newlines inside of a quoted field value do not count. Quotes elsewhere
 * (tags, comments, behind the fields) are characters like others, and a quote that is never closed does not hide the rest
 * of the body.
 */
export function lineEnd(p: usize, end: usize): usize {
  const plain = plainEnd(p, end);
  return plain ? plain : quotedEnd(p, end, IN_PREFIX);
}

/** As `lineEnd`, for a p at the blank in front of the line's fields. */
export function fieldsEnd(p: usize, end: usize): usize {
  const plain = plainEnd(p, end);
  return plain ? plain : quotedEnd(p, end, BEFORE_FIELDS);
}

/** Fast path: the newline or `end`; 0 when a quote comes first. */
function plainEnd(p: usize, end: usize): usize {
  const newline = i8x16.splat(0x0a);
  const quote = i8x16.splat(0x22);
  while (p < end) {
    const v = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(v, newline), i8x16.eq(v, quote)));
    if (hits) {
      p += ctz(hits);
      if (p >= end) break;
      return load<u8>(p) == 0x0a ? p : 0;
    }
    p += 16;
  }
  return end;
}

const IN_PREFIX: i32 = 0;
const BEFORE_FIELDS: i32 = 1;
const IN_FIELDS: i32 = 2;

/** Slow path: the line holds a quote, so where it stands decides. */
function quotedEnd(p: usize, end: usize, state: i32): usize {
  if (state == IN_PREFIX) {
    p = skipBlanks(p, end);
    if (p < end && load<u8>(p) == 0x23) return scanNewline(p, end);
  }
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x0a) return p;
    if (c == 0x5c && p + 1 < end && load<u8>(p + 1) != 0x0a) p++;
    else if (state == IN_PREFIX) {
      if (c == 0x20) state = BEFORE_FIELDS;
    } else if (isBlank(c)) {
      // Behind the fields there are no strings.
      if (state == IN_FIELDS) return scanNewline(p, end);
    } else {
      state = IN_FIELDS;
      if (c == 0x22 && load<u8>(p - 1) == 0x3d) {
        const closed = quoteEnd(p + 1, end);
        if (!closed) return scanNewline(p, end);
        p = closed - 1;
      }
    }
  }
  return end;
}

/** Address behind the closing quote of a string whose text begins at p; 0: there is none. */
export function quoteEnd(p: usize, end: usize): usize {
  while (p < end) {
    const c = load<u8>(p);
    if (c == 0x5c) p++;
    else if (c == 0x22) return p + 1;
    p++;
  }
  return 0;
}

function scanNewline(p: usize, end: usize): usize {
  while (p < end && load<u8>(p) != 0x0a) p++;
  return p;
}
