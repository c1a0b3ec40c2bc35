/**
 * The tree keeps type and id of a level as one name (`hwthread7`). Where the type ends is decided by a rule, so that labels are
 * the same after a restart and for files of others; src/promql/store/level-name.ts has the same one.
 */

/** Known types, each after its length: the first that a name begins with is its type, if something follows. */
const TYPES: string = 'memoryDomain accelerator hwthread socket core cpu die llc';

/** Bytes of the type in the name of a level. @param listed whether known types come first: of levels, not of sub-levels. */
export function typeLength(name: usize, length: i32, listed: bool): i32 {
  if (listed) {
    let start = 0;
    for (let i = 0; i <= TYPES.length; i++) {
      if (i < TYPES.length && TYPES.charCodeAt(i) != 0x20 /* space */) continue;
      const n = i - start;
      if (length > n && beginsWith(name, start, n)) return n;
      start = i + 1;
    }
  }
  for (let i = 0; i < length; i++) {
    const c = load<u8>(name + i);
    if (c >= 0x30 /* 0 */ && c <= 0x39 /* 9 */) return i ? i : length;
  }
  return length;
}

function beginsWith(name: usize, start: i32, n: i32): bool {
  for (let i = 0; i < n; i++) {
    if (<i32>load<u8>(name + i) != TYPES.charCodeAt(start + i)) return false;
  }
  return true;
}
