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
    const a = load<u64>(p) ^ <u64>crc;
    const b = load<u64>(p, 8);
    crc =
      entry(15, <u32>a) ^
      entry(14, <u32>(a >> 8)) ^
      entry(13, <u32>(a >> 16)) ^
      entry(12, <u32>(a >> 24)) ^
      entry(11, <u32>(a >> 32)) ^
      entry(10, <u32>(a >> 40)) ^
      entry(9, <u32>(a >> 48)) ^
      entry(8, <u32>(a >> 56)) ^
      entry(7, <u32>b) ^
      entry(6, <u32>(b >> 8)) ^
      entry(5, <u32>(b >> 16)) ^
      entry(4, <u32>(b >> 24)) ^
      entry(3, <u32>(b >> 32)) ^
      entry(2, <u32>(b >> 40)) ^
      entry(1, <u32>(b >> 48)) ^
      entry(0, <u32>(b >> 56));
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
