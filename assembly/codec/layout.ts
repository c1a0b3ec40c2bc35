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
import { Codec } from '../../src/wasm/tables/codecs';

/** Most bins of a block. */
export const MAX_BINS: i32 = 512;
/** Widest integer that one unaligned 64-bit load can fetch from any bit offset. */
export const MAX_WIDTH: i32 = 57;

const COUNT_BITS: u32 = 10;
const COUNT_MASK: u32 = (1 << COUNT_BITS) - 1;

/** Bytes of a block of nothing but missing bins, of a constant one's header, and of all other headers. */
export const EMPTY_SIZE: i32 = 8;
export const CONSTANT_SIZE: i32 = 16;
export const HEADER_SIZE: i32 = 32;

/** A sealed block. What it says of itself holds for sound ones (`blockIsSound`). */
@unmanaged
export class Block {
  /** A `Codec`. */
  codec: u8;
  /** The codec's parameters. */
  a: u8;
  b: u16;
  private counts: u32;
  private sumOrValue: f64;
  /** Least and greatest bin, unless the block is constant. */
  min: f64;
  max: f64;

  /** Address of a byte. */
  at(offset: i32): usize {
    return changetype<usize>(this) + <usize>offset;
  }
  /** Bins, gaps included. */
  get count(): i32 {
    return this.counts & COUNT_MASK;
  }
  /** Missing bins. */
  get gaps(): i32 {
    return (this.counts >> COUNT_BITS) & COUNT_MASK;
  }
  /** Bins that are not missing. */
  get present(): i32 {
    return this.count - this.gaps;
  }
  /** Bytes, from the first 8 bytes alone. */
  get size(): i32 {
    return <i32>((this.counts >> (2 * COUNT_BITS)) & COUNT_MASK) << 3;
  }
  /** Whether the highest bits of the counts are 0, as they have to be. */
  get isPlain(): bool {
    return this.counts >> (3 * COUNT_BITS) == 0;
  }
  get isConstant(): bool {
    return <i32>this.codec == Codec.Constant;
  }
  /** Of a constant block with a value. */
  get value(): f64 {
    return this.sumOrValue;
  }
  set value(v: f64) {
    this.sumOrValue = v;
  }
  /** Sum of the bins that are there; 0 without any. */
  get sum(): f64 {
    if (!this.isConstant) return this.sumOrValue;
    return this.present == 0 ? 0 : this.value * <f64>this.present;
  }
  /** Least bin; NaN without any. */
  get least(): f64 {
    return this.isConstant ? this.onlyValue : this.min;
  }
  /** Greatest bin; NaN without any. */
  get greatest(): f64 {
    return this.isConstant ? this.onlyValue : this.max;
  }
  private get onlyValue(): f64 {
    return this.present == 0 ? NaN : this.value;
  }

  /** Writes the first 8 bytes; `size` in bytes. */
  setHeader(codec: i32, a: i32, b: i32, count: i32, gaps: i32, size: i32): void {
    this.codec = <u8>codec;
    this.a = <u8>a;
    this.b = <u16>b;
    this.counts = <u32>count | (<u32>gaps << COUNT_BITS) | (<u32>(size >> 3) << (2 * COUNT_BITS));
  }
  /** Writes the statistics of a block that is not constant. */
  setStatistics(sum: f64, least: f64, greatest: f64): void {
    this.sumOrValue = sum;
    this.min = least;
    this.max = greatest;
  }
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
