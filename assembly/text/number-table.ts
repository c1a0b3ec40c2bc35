/**
 * Powers of five, 128 bits each, for the Eisel-Lemire rounding in number-round.ts and for shortest digits (print-shortest.ts).
 *
 *   POWERS_OF_FIVE + 16 * (q - SMALLEST_POWER):
 *   +0  u64  upper half of 5^q, scaled by a power of two so that its top bit is set
 *   +8  u64  lower half
 *
 * q >= 0 is cut off, -27 <= q < 0 is rounded up, q < -27 is cut off: as in the tables of fast_float (D. Lemire, "Number
 * Parsing at a Gigabyte per Second", 2021). Instead of 20 KB of constants, start-up works them out exactly, in about a
 * tenth of a millisecond:
 *
 * 1. Upwards: an integer that starts at 1 and is multiplied by 5.
 * 2. Downwards: an integer that starts at 2^B and is divided by 5. floor(floor(2^B / 5^n) / 5) is floor(2^B / 5^(n+1)),
 *    so no error adds up; B leaves 128 bits for the last one.
 */

/** Smallest and largest q of a double that is read; below, every u64 times 10^q rounds to 0, above (and not 0) to infinity. */
export const SMALLEST_POWER: i32 = -342;
export const LARGEST_POWER: i32 = 308;
/** Entries go on up to this one: printing the smallest doubles multiplies by it. */
const LAST_POWER: i32 = 324;

const ENTRY_SIZE = 16;
/** 32-bit words of the running integer: 5^342 has 795 bits, and 128 bits of its reciprocal are wanted. */
const WORDS = 30;

/** The table. Read-only once the module has started. */
export const POWERS_OF_FIVE: usize = memory.data((LAST_POWER - SMALLEST_POWER + 1) * ENTRY_SIZE, 16);

/** Little-endian 32-bit words; the words of zeros below let storeEntry read five words of the shortest integer. */
const BELOW = 4;
const work: usize = memory.data((BELOW + WORDS) * 4, 16);

function wordAt(i: i32): u64 {
  return u64(load<u32>(work + (usize(BELOW + i) << 2)));
}

function setWord(i: i32, word: u64): void {
  store<u32>(work + (usize(BELOW + i) << 2), u32(word));
}

/** Stores the upper 128 bits of the integer, whose highest word that is not 0 is `top`, as the entry of q. */
function storeEntry(q: i32, top: i32): void {
  const shift = u64(clz(u32(wordAt(top))));
  const upper = (wordAt(top) << 32) | wordAt(top - 1);
  const lower = (wordAt(top - 2) << 32) | wordAt(top - 3);
  const below = wordAt(top - 4) << 32;
  let hi = upper;
  let lo = lower;
  if (shift != 0) {
    hi = (upper << shift) | (lower >> (64 - shift));
    lo = (lower << shift) | (below >> (64 - shift));
  }
  // Up to 5^27, which fits 64 bits, a quotient can be a whole number: a reciprocal below the true one would miss it.
  if (q >= -27 && q < 0) {
    lo++;
    if (lo == 0) hi++;
  }
  const entry = POWERS_OF_FIVE + usize(q - SMALLEST_POWER) * ENTRY_SIZE;
  store<u64>(entry, hi);
  store<u64>(entry, lo, 8);
}

function fillUpwards(): void {
  let top = 0;
  setWord(0, 1);
  for (let q = 0; q <= LAST_POWER; q++) {
    storeEntry(q, top);
    let carry: u64 = 0;
    for (let i = 0; i <= top; i++) {
      const product = wordAt(i) * 5 + carry;
      setWord(i, product);
      carry = product >> 32;
    }
    if (carry != 0) setWord(++top, carry);
  }
}

function fillDownwards(): void {
  memory.fill(work, 0, (BELOW + WORDS) * 4);
  let top = WORDS - 1;
  setWord(top, 0x80000000);
  for (let q = -1; q >= SMALLEST_POWER; q--) {
    let rest: u64 = 0;
    for (let i = top; i >= 0; i--) {
      const part = (rest << 32) | wordAt(i);
      setWord(i, part / 5);
      rest = part % 5;
    }
    while (wordAt(top) == 0) top--;
    storeEntry(q, top);
  }
}

fillUpwards();
fillDownwards();
