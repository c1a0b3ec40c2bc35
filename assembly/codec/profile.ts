/** One pass over the bins of a block to be encoded: gaps, statistics, runs, and the most common value. */
import { FILLED, GAP_BITS, GAP_BITS_SIZE } from './scratch';

/** Missing bins. */
export let gaps: i32 = 0;
/** Sum of the bins that are there, added in order of time. */
export let sum: f64 = 0;
export let least: f64 = NaN;
export let greatest: f64 = NaN;
/** Runs of bit-equal bins, gaps filled. */
export let runs: i32 = 0;
/** The bits of the value that more than half of the bins have, if there is one. */
export let common: u64 = 0;
/** How many bins of FILLED have it. */
export let commonCount: i32 = 0;

/**
 * Copies the bins at `values` to FILLED, gaps filled with the bin before (leading ones with the first bin), marks gaps in
 * GAP_BITS and sets the results above. With nothing but gaps only `gaps` is set.
 */
export function profileBins(values: usize, count: i32): void {
  memory.fill(GAP_BITS, 0, GAP_BITS_SIZE);
  gaps = 0;
  let first = 0;
  while (first < count && isNaN(load<f64>(values + (<usize>first << 3)))) first++;
  if (first == count) {
    gaps = count;
    return;
  }
  let before = load<f64>(values + (<usize>first << 3));
  let total: f64 = 0;
  let low = before;
  let high = before;
  let changes = 1;
  // Boyer-Moore majority vote.
  let candidate = reinterpret<u64>(before);
  let votes = 0;
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 3;
    const v = load<f64>(values + at);
    if (isNaN(v)) {
      gaps++;
      const byte = GAP_BITS + (i >> 3);
      store<u8>(byte, <i32>load<u8>(byte) | (1 << (i & 7)));
    } else {
      total += v;
      if (v < low) low = v;
      if (v > high) high = v;
      changes += <i32>(reinterpret<u64>(v) != reinterpret<u64>(before));
      before = v;
    }
    store<f64>(FILLED + at, before);
    const bits = reinterpret<u64>(before);
    if (votes == 0) candidate = bits;
    votes += bits == candidate ? 1 : -1;
  }
  sum = total;
  least = low;
  greatest = high;
  runs = changes;
  common = candidate;
  commonCount = countBits(candidate, count);
}

function countBits(bits: u64, count: i32): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) found += <i32>(load<u64>(FILLED + (<usize>i << 3)) == bits);
  return found;
}
