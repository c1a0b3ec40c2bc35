/**
 * Digit groups as text, filled in at start-up (four bytes each, 1000 entries a table).
 *
 *   LEADING_GROUPS   "0" "7" "42" "999"      digits without leading zeros
 *   MIDDLE_GROUPS    "000" "007" "042"       three digits
 *   FRACTIONS        "" ".1" ".25" ".007"    point and three digits without trailing zeros
 *
 * Bytes behind the text are 0, so groupLength needs no table.
 */

const GROUP_SHIFT = 2;
const TABLE_SIZE = 1000 << GROUP_SHIFT;

const LEADING_GROUPS: usize = memory.data(TABLE_SIZE, 16);
const MIDDLE_GROUPS: usize = memory.data(TABLE_SIZE, 16);
const FRACTIONS: usize = memory.data(TABLE_SIZE, 16);

/** Text of n (0..999) without leading zeros. */
export function leadingGroup(n: u32): u32 {
  return load<u32>(LEADING_GROUPS + (usize(n) << GROUP_SHIFT));
}

/** Text of n (0..999) as three digits. */
export function middleGroup(n: u32): u32 {
  return load<u32>(MIDDLE_GROUPS + (usize(n) << GROUP_SHIFT));
}

/** Text of n thousandths (0..999) behind an integer: nothing, or a point and 1 to 3 digits. */
export function fractionGroup(n: u32): u32 {
  return load<u32>(FRACTIONS + (usize(n) << GROUP_SHIFT));
}

/** Bytes of text in a group: 0..4. */
export function groupLength(group: u32): usize {
  return 4 - (usize(clz(group)) >> 3);
}

function fill(): void {
  for (let n: u32 = 0; n < 1000; n++) {
    const a = n / 100;
    const b = (n / 10) % 10;
    const c = n % 10;
    const digits = 0x303030 | a | (b << 8) | (c << 16);
    const at = usize(n) << GROUP_SHIFT;
    store<u32>(MIDDLE_GROUPS + at, digits);
    store<u32>(LEADING_GROUPS + at, digits >> (n < 10 ? 16 : n < 100 ? 8 : 0));
    const kept: u32 = c != 0 ? 0xffffffff : b != 0 ? 0xffffff : a != 0 ? 0xffff : 0;
    store<u32>(FRACTIONS + at, ((digits << 8) | 0x2e) & kept);
  }
}

fill();
