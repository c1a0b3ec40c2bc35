/**
 * Layout of a sealed block and the fields of its header. Little endian, relocatable, length a multiple of 8; the same
 * bytes lie in linear memory and on disk.
 *
 * ```
 *  byte 0      1      2          4                                   8            16           24           32
 *       ┌──────┬──────┬──────────┬───────────────────────────────────┬────────────┬────────────┬────────────┬─────
 *       │codec │ a    │ b        │ bins:10 gaps:10 size/8:10 (u32)   │ sum f64    │ min f64    │ max f64    │ [gap section] body
 *       └──────┴──────┴──────────┴───────────────────────────────────┴────────────┴────────────┴────────────┴─────
 *  constant, with a value:                                           │ value f64  │ [gap section]
 *  constant, all bins missing: ends at 8                             (sum, min, max follow from the value)
 * ```
 * `a` and `b` belong to the codec (integers.ts, entries.ts, split.ts). The gap section (gaps.ts) is there when the
 * header counts gaps, except in raw blocks, which keep the NaNs in place, and in blocks of nothing but gaps.
 *
 * Codecs that pack integers use two lanes: lane 0 has bins [0, half), lane 1 bins [half, bins), half = ceil(bins / 2).
 * Equal steps of both lanes share bit offset and shift, so one SIMD instruction works on two bins (after FastLanes,
 * Afroozeh & Boncz, VLDB 2023), while differences are still taken between neighbours in time.
 */
import { Codec } from '../../src/wasm/codecs';

/** Most bins of a block. */
export const MAX_BINS: i32 = 512;
/** Widest integer that one unaligned 64-bit load can fetch from any bit offset. */
export const MAX_WIDTH: i32 = 57;

export const HEADER_SIZE: i32 = 32;
export const CONSTANT_SIZE: i32 = 16;
export const EMPTY_SIZE: i32 = 8;

const COUNT_BITS: u32 = 10;
const COUNT_MASK: u32 = (1 << COUNT_BITS) - 1;

export const VALUE_OFFSET: usize = 8;
export const SUM_OFFSET: usize = 8;
export const MIN_OFFSET: usize = 16;
export const MAX_OFFSET: usize = 24;

/** Writes the first 8 bytes of a block; `size` in bytes. */
export function writeHeader(block: usize, codec: i32, a: i32, b: i32, count: i32, gaps: i32, size: i32): void {
  store<u8>(block, codec);
  store<u8>(block, a, 1);
  store<u16>(block, b, 2);
  store<u32>(block, <u32>count | (<u32>gaps << COUNT_BITS) | (<u32>(size >> 3) << (2 * COUNT_BITS)), 4);
}

/** Codec number of a block. */
export function blockCodec(block: usize): i32 {
  return load<u8>(block);
}

/** The codec's 8-bit parameter. */
export function paramA(block: usize): i32 {
  return load<u8>(block, 1);
}

/** The codec's 16-bit parameter. */
export function paramB(block: usize): i32 {
  return load<u16>(block, 2);
}

/** Bins of a block, gaps included. */
export function blockCount(block: usize): i32 {
  return load<u32>(block, 4) & COUNT_MASK;
}

/** Missing bins of a block. */
export function blockGaps(block: usize): i32 {
  return (load<u32>(block, 4) >> COUNT_BITS) & COUNT_MASK;
}

/** Size of a block in bytes, from its first 8 bytes alone. */
export function blockSize(block: usize): i32 {
  return <i32>((load<u32>(block, 4) >> (2 * COUNT_BITS)) & COUNT_MASK) << 3;
}

/** Sum of the bins that are there; 0 without any. */
export function blockSum(block: usize): f64 {
  if (blockCodec(block) != Codec.Constant) return load<f64>(block, SUM_OFFSET);
  const present = blockCount(block) - blockGaps(block);
  return present == 0 ? 0 : load<f64>(block, VALUE_OFFSET) * <f64>present;
}

/** Least bin; NaN without any. */
export function blockMin(block: usize): f64 {
  return extreme(block, MIN_OFFSET);
}

/** Greatest bin; NaN without any. */
export function blockMax(block: usize): f64 {
  return extreme(block, MAX_OFFSET);
}

function extreme(block: usize, offset: usize): f64 {
  if (blockCodec(block) != Codec.Constant) return load<f64>(block + offset);
  return blockCount(block) == blockGaps(block) ? NaN : load<f64>(block, VALUE_OFFSET);
}

/** Bins of lane 0. */
export function halfOf(count: i32): i32 {
  return (count + 1) >> 1;
}

/** Bytes of one lane of `width`-bit integers. */
export function laneBytes(count: i32, width: i32): i32 {
  return (halfOf(count) * width + 7) >> 3;
}

/** Where LANES-like scratch holds a bin, in bytes: pairs of (bin i, bin half + i). */
export function laneOffset(bin: i32, half: i32): usize {
  return <usize>(bin < half ? 2 * bin : 2 * (bin - half) + 1) << 3;
}

/** Rounds up to a multiple of 8. */
export function align8(bytes: i32): i32 {
  return (bytes + 7) & ~7;
}
