/**
 * Packs integers of one width into the two lanes of a block and unpacks them again.
 *
 * Step i of a lane lies at its bit i * width. Eight steps take exactly `width` bytes, and the bit offsets within a byte
 * (i * width) mod 8 depend on width mod 8 alone. So eight unrolled kernels with constant shifts serve all widths:
 *  1. load 8 bytes of lane 0 and of lane 1 into one vector
 *  2. shift right by the constant, mask
 *  3. store the pair (bin i, bin half + i) to LANES-like scratch.
 * The last (half mod 8) steps go through the scalar twin.
 */
import { halfOf, laneBytes } from './layout';

/**
 * Packs the low `width` bits of (source[i] - frame), 1 <= width <= MAX_WIDTH, into two lanes at `out`.
 * Writes up to 8 zero bytes behind them. Returns the end of the lanes.
 */
export function packLanes(source: usize, count: i32, width: i32, frame: i64, out: usize): usize {
  const half = halfOf(count);
  const bytes = laneBytes(count, width);
  packLane(source, half, width, frame, out);
  packLane(source + (<usize>half << 3), count - half, width, frame, out + bytes);
  return out + 2 * bytes;
}

function packLane(source: usize, count: i32, width: i32, frame: i64, out: usize): void {
  const mask: u64 = ((<u64>1) << width) - 1;
  let bits: u64 = 0;
  let fill = 0;
  const end = source + (<usize>count << 3);
  for (; source < end; source += 8) {
    bits |= ((load<u64>(source) - frame) & mask) << fill;
    store<u64>(out, bits);
    fill += width;
    const bytes = fill >> 3;
    // Two shifts, because 8 full bytes must leave nothing and Wasm shifts modulo 64.
    bits = (bits >> (bytes << 2)) >> (bytes << 2);
    fill &= 7;
    out += bytes;
  }
  store<u64>(out, bits);
}

/**
 * Unpacks two lanes of `width`-bit integers (0 <= width <= MAX_WIDTH) to `dst`, pairs (bin i, bin half + i).
 * Reads up to 7 bytes behind the lanes; without a width it reads nothing.
 */
export function unpackLanes(lanes: usize, count: i32, width: i32, dst: usize): void {
  const half = halfOf(count);
  if (width == 0) {
    memory.fill(dst, 0, <usize>half << 4);
    return;
  }
  const lane1 = lanes + laneBytes(count, width);
  const groups = half >> 3;
  switch (width & 7) {
    case 0: groups0(lanes, lane1, width, groups, dst); break;
    case 1: groups1(lanes, lane1, width, groups, dst); break;
    case 2: groups2(lanes, lane1, width, groups, dst); break;
    case 3: groups3(lanes, lane1, width, groups, dst); break;
    case 4: groups4(lanes, lane1, width, groups, dst); break;
    case 5: groups5(lanes, lane1, width, groups, dst); break;
    case 6: groups6(lanes, lane1, width, groups, dst); break;
    default: groups7(lanes, lane1, width, groups, dst);
  }
  unpackSteps(lanes, lane1, width, groups << 3, half, dst);
}

/** The scalar twin of `unpackLanes`, for tests. */
export function unpackLanesScalar(lanes: usize, count: i32, width: i32, dst: usize): void {
  if (width == 0) memory.fill(dst, 0, <usize>halfOf(count) << 4);
  else unpackSteps(lanes, lanes + laneBytes(count, width), width, 0, halfOf(count), dst);
}

function unpackSteps(lane0: usize, lane1: usize, width: i32, from: i32, to: i32, dst: usize): void {
  const mask: u64 = ((<u64>1) << width) - 1;
  for (let i = from; i < to; i++) {
    const bit = i * width;
    const shift = bit & 7;
    store<u64>(dst + (<usize>i << 4), (load<u64>(lane0 + (bit >> 3)) >> shift) & mask);
    store<u64>(dst + (<usize>i << 4), (load<u64>(lane1 + (bit >> 3)) >> shift) & mask, 8);
  }
}

function pair(lane0: usize, lane1: usize, bit: i32, mask: v128): v128 {
  const both = v128.load_lane<u64>(lane1 + (bit >> 3), v128.load_zero<u64>(lane0 + (bit >> 3)), 1);
  return v128.and(i64x2.shr_u(both, bit & 7), mask);
}

/** A method, because only methods can be told to be copied into each use. */
abstract class Groups {
  /** `residue` is width mod 8 and must be a literal, so that shifts and offsets become constants. */
  @inline
  static unpack(residue: i32, lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
    const mask = i64x2.splat(((<i64>1) << width) - 1);
    const step: usize = width >> 3;
    const end = dst + (<usize>groups << 7);
    for (; dst < end; dst += 128) {
      v128.store(dst, pair(lane0, lane1, 0, mask));
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, residue, mask), 16);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 2 * residue, mask), 32);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 3 * residue, mask), 48);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 4 * residue, mask), 64);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 5 * residue, mask), 80);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 6 * residue, mask), 96);
      lane0 += step;
      lane1 += step;
      v128.store(dst, pair(lane0, lane1, 7 * residue, mask), 112);
      lane0 += step + residue;
      lane1 += step + residue;
    }
  }
}

function groups0(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(0, lane0, lane1, width, groups, dst);
}

function groups1(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(1, lane0, lane1, width, groups, dst);
}

function groups2(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(2, lane0, lane1, width, groups, dst);
}

function groups3(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(3, lane0, lane1, width, groups, dst);
}

function groups4(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(4, lane0, lane1, width, groups, dst);
}

function groups5(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(5, lane0, lane1, width, groups, dst);
}

function groups6(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(6, lane0, lane1, width, groups, dst);
}

function groups7(lane0: usize, lane1: usize, width: i32, groups: i32, dst: usize): void {
  Groups.unpack(7, lane0, lane1, width, groups, dst);
}
