// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): the checksum of iSCSI (RFC 3720), used for every record on disk.
//
// "Slicing": M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators" (2005). Table k
// holds, for each byte, the remainder of that byte followed by k zero bytes; sixteen bytes are looked up at once, each in the table of
// its distance from the end, and their remainders add up (xor).
//
//     bytes   b0    b1   ...  b15        crc is xored into b0..b3 first
//     table   15    14   ...  0          16 tables x 256 entries x 4 bytes = 16 KiB, made at first use

/** The reflected polynomial. */
const POLYNOMIAL: u32 = 0x82f63b78;
const TABLES: i32 = 16;
/** Bytes of one table. */
const TABLE_SIZE: usize = 256 * 4;
/** The tables, one after the other; entry 1 of table 0 is 0 only before they are made. */
const tables = memory.data(16 * 256 * 4, 16);

/**
 * The checksum of `n` bytes at `p`. `crc` is 0 to begin, or the checksum of the bytes before, to go on:
 * crc32c(crc32c(0, a), b) is the checksum of a and b. No alignment needed.
 */
export function crc32c(crc: u32, p: usize, n: i32): u32 {
  if (load<u32>(tables, 4) == 0) makeTables();
  crc = ~crc;
  const end = p + <usize>max(n, 0);
  const blocksEnd = end - (<usize>max(n, 0) & 15);
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
  return ~crc;
}

/** Bit by bit, without tables: what the tests compare `crc32c` with. */
export function crc32cScalar(crc: u32, p: usize, n: i32): u32 {
  crc = ~crc;
  const end = p + <usize>max(n, 0);
  for (; p < end; p++) crc = shiftByte(crc ^ load<u8>(p));
  return ~crc;
}

/** The entry of table `k` for the lowest byte of `bits`. */
// @ts-ignore: decorator
@inline
function entry(k: i32, bits: u32): u32 {
  return load<u32>(tables + <usize>k * TABLE_SIZE + (<usize>(bits & 0xff) << 2));
}

/** The entries for four bytes, the last of them `k` bytes from the end. */
// @ts-ignore: decorator
@inline
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
