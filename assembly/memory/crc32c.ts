// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): the checksum of iSCSI (RFC 3720), used for every record on disk.
//
// "Slicing": M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators" (2005). Table k
// holds, for each byte, the remainder of that byte followed by k zero bytes; sixteen bytes are looked up at once, each in the table of
// its distance from the end, and their remainders add up (xor).
//
//     bytes   b0    b1   ...  b15        crc is xored into b0..b3 first
//     table   15    14   ...  0          16 tables x 256 entries x 4 bytes = 16 KiB, made at first use
//
// Long runs go by rows of 128 bytes instead: "folding" (V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction", 2009), with table lookups of 16 nibbles at once (i8x16.swizzle) where that paper multiplies. A row is 8 vectors:
//
//     vector     0          1          2         ...   7
//     bytes   0 .. 15    16 .. 31   32 .. 47        112 .. 127       column c: bytes c, 16 + c, ..., 112 + c
//
// A row followed by a row of zeros leaves the same remainder as zeros followed by 64 other bytes: four to a column, in the vectors
// PLACES. They depend on the column's own 8 bytes only, and in all columns alike, because a column is the last one shifted. So a row is
// folded into the next by 16 nibbles x 4 tables, and the last row goes through the slicing above. The 32 bits of a column in PLACES leave
// 32 independent remainders (not every choice of four vectors does), which is why there is always an answer.

/** The reflected polynomial. */
const POLYNOMIAL: u32 = 0x82f63b78;
const TABLES: i32 = 16;
/** Bytes of one table. */
const TABLE_SIZE: usize = 256 * 4;
/** The tables, one after the other; entry 1 of table 0 is 0 only before they are made. */
const tables = memory.data(16 * 256 * 4, 16);

const ROW: i32 = 128;
const VECTORS: i32 = 8;
/** Shorter runs are not worth a last row. */
const FOLD_FROM: i32 = 4 * ROW;
/** The four vectors of a row that take what the row before is folded into: nibble d is the d-th one's number. */
const PLACES: u32 = 0x5310;
/** For each vector of a row and each of PLACES: 16 bytes for the low nibble, 16 for the high one. */
const folds = memory.data(8 * 4 * 32, 16);
/** What the rows before are folded into, by vector; other places than PLACES stay 0. */
const folded = memory.data(128, 16);

/**
 * The checksum of `n` bytes at `p`. `crc` is 0 to begin, or the checksum of the bytes before, to go on:
 * crc32c(crc32c(0, a), b) is the checksum of a and b. No alignment needed.
 */
export function crc32c(crc: u32, p: usize, n: i32): u32 {
  if (load<u32>(tables, 4) == 0) {
    makeTables();
    makeFolds();
  }
  n = max(n, 0);
  crc = ~crc;
  if (n >= FOLD_FROM) {
    const rows = n / ROW;
    crc = slice(0, foldRows(crc, p, rows), ROW);
    p += <usize>(rows * ROW);
    n -= rows * ROW;
  }
  return ~slice(crc, p, n);
}

/** The remainder of `n` bytes behind a remainder. */
function slice(crc: u32, p: usize, n: i32): u32 {
  const end = p + <usize>n;
  const blocksEnd = end - <usize>(n & 15);
  for (; p < blocksEnd; p += 16) {
    // Only the first four entries wait for the bytes before; what follows them is short.
    const a = load<u32>(p) ^ crc;
    const b = load<u32>(p, 4);
    const c = load<u32>(p, 8);
    const d = load<u32>(p, 12);
    const rest = (four(8, b) ^ four(4, c)) ^ four(0, d);
    crc = four(12, a) ^ rest;
  }
  for (; p < end; p++) crc = (crc >> 8) ^ entry(0, crc ^ load<u8>(p));
  return crc;
}

/** @returns where 128 bytes stand that leave the same remainder as all the rows behind `crc`. */
function foldRows(crc: u32, p: usize, rows: i32): usize {
  const low = i8x16.splat(15);
  memory.fill(folded, 0, ROW);
  store<u32>(folded, crc);
  for (let row = 1; row < rows; row++, p += ROW) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    let table = folds;
    for (let offset: usize = 0; offset < <usize>ROW; offset += 16, table += 128) {
      const x = v128.xor(v128.load(p + offset), v128.load(folded + offset));
      const l = v128.and(x, low);
      const h = v128.and(i16x8.shr_u(x, 4), low);
      a = v128.xor(a, lookUp(table, l, h));
      b = v128.xor(b, lookUp(table + 32, l, h));
      c = v128.xor(c, lookUp(table + 64, l, h));
      d = v128.xor(d, lookUp(table + 96, l, h));
    }
    // Vector 0 may have held the remainder that came in; it is one of PLACES.
    v128.store(folded + place(0), a);
    v128.store(folded + place(1), b);
    v128.store(folded + place(2), c);
    v128.store(folded + place(3), d);
  }
  for (let offset: usize = 0; offset < <usize>ROW; offset += 16) {
    v128.store(folded + offset, v128.xor(v128.load(p + offset), v128.load(folded + offset)));
  }
  return folded;
}

/** Offset in a row of the i-th of PLACES. */
function place(i: i32): usize {
  return <usize>((PLACES >> (<u32>i << 2)) & 15) << 4;
}

function lookUp(table: usize, low: v128, high: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(table), low), i8x16.swizzle(v128.load(table, 16), high));
}

/** Bit by bit, without tables: what the tests compare `crc32c` with. */
export function crc32cScalar(crc: u32, p: usize, n: i32): u32 {
  crc = ~crc;
  const end = p + <usize>max(n, 0);
  for (; p < end; p++) crc = shiftByte(crc ^ load<u8>(p));
  return ~crc;
}

/** The entry of table `k` for the lowest byte of `bits`. */
function entry(k: i32, bits: u32): u32 {
  return load<u32>(tables + <usize>k * TABLE_SIZE + (<usize>(bits & 0xff) << 2));
}

/** The entries for four bytes, the last of them `k` bytes from the end. */
function four(k: i32, bits: u32): u32 {
  return (entry(k + 3, bits) ^ entry(k + 2, bits >> 8)) ^ (entry(k + 1, bits >> 16) ^ entry(k, bits >> 24));
}

/** The remainder after eight more (zero) bits. */
function shiftByte(crc: u32): u32 {
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
  return crc;
}

function makeTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let crc = shiftByte(byte);
    for (let k = 0; k < TABLES; k++) {
      store<u32>(tables + <usize>k * TABLE_SIZE + (<usize>byte << 2), crc);
      crc = shiftByte(crc);
    }
  }
}

/** The remainder of a byte of which one bit is set, in the last column of a row's vector, with `zeros` bytes behind the row. */
function bitRemainder(vector: i32, bit: i32, zeros: i32): u32 {
  let crc = shiftByte(1 << bit);
  for (let i = (VECTORS - 1 - vector) * 16 + zeros; i > 0; i--) crc = (crc >> 8) ^ entry(0, crc);
  return crc;
}

/** Makes `folds`: solves for each bit of a column which bits of PLACES leave the remainder that it leaves a row further on. */
function makeFolds(): void {
  // Gauss and Jordan: row i becomes (1 << i, which of the 32 bits in PLACES leave that remainder).
  const remainders = folds;
  const sources = folds + 128;
  for (let i = 0; i < 32; i++) {
    store<u32>(remainders + (<usize>i << 2), bitRemainder((PLACES >> ((i >> 3) << 2)) & 15, i & 7, 0));
    store<u32>(sources + (<usize>i << 2), 1 << i);
  }
  for (let bit = 0; bit < 32; bit++) {
    let pivot = bit;
    while (!((load<u32>(remainders + (<usize>pivot << 2)) >> bit) & 1)) pivot++;
    for (let list = remainders; list <= sources; list += 128) {
      const x = load<u32>(list + (<usize>pivot << 2));
      store<u32>(list + (<usize>pivot << 2), load<u32>(list + (<usize>bit << 2)));
      store<u32>(list + (<usize>bit << 2), x);
    }
    for (let i = 0; i < 32; i++) {
      if (i == bit || !((load<u32>(remainders + (<usize>i << 2)) >> bit) & 1)) continue;
      for (let list = remainders; list <= sources; list += 128) {
        store<u32>(list + (<usize>i << 2), load<u32>(list + (<usize>i << 2)) ^ load<u32>(list + (<usize>bit << 2)));
      }
    }
  }
  memory.copy(folded, sources, 128);
  memory.fill(folds, 0, 8 * 4 * 32);
  for (let i = 0; i < 8 * VECTORS; i++) {
    const remainder = bitRemainder(i >> 3, i & 7, ROW);
    let bytes: u32 = 0;
    for (let bit = 0; bit < 32; bit++) {
      if ((remainder >> bit) & 1) bytes ^= load<u32>(folded + (<usize>bit << 2));
    }
    for (let k = 0; k < 4; k++) {
      const table = folds + ((<usize>(i >> 3) << 7) | (<usize>k << 5) | (i & 4 ? 16 : 0));
      for (let nibble = 0; nibble < 16; nibble++) {
        if (!((nibble >> (i & 3)) & 1)) continue;
        store<u8>(table + nibble, load<u8>(table + nibble) ^ <u8>(bytes >> (k << 3)));
      }
    }
  }
}
