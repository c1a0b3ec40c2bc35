// Runs of doubles (f64), filled and added up: two lanes at a time, four vectors in flight. Addresses need no alignment; nothing is
// read or written for n <= 0. Each routine has a scalar twin (suffix Scalar): the stated baseline, and what the tests compare with.

/** Bytes of the four vectors that an unrolled loop handles at once. */
const GROUP_SIZE: usize = 64;

function sizeOf(n: i32): usize {
  return <usize>max(n, 0) << 3;
}

/** Writes `n` times `value` at `dst`. */
export function fill(dst: usize, n: i32, value: f64): void {
  const end = dst + sizeOf(n);
  const both = f64x2.splat(value);
  for (; dst + 16 <= end; dst += 16) v128.store(dst, both);
  if (dst < end) store<f64>(dst, value);
}

/** Scalar twin of `fill`. */
export function fillScalar(dst: usize, n: i32, value: f64): void {
  const end = dst + sizeOf(n);
  for (; dst < end; dst += 8) store<f64>(dst, value);
}

/** Writes `n` NaN (the canonical quiet one) at `dst`: missing bins. */
export function fillNaN(dst: usize, n: i32): void {
  fill(dst, n, NaN);
}

/** Adds `n` samples at `src` to those at `acc`, one by one; NaN on either side makes NaN. The runs must not overlap. */
export function addInto(acc: usize, src: usize, n: i32): void {
  const bytes = sizeOf(n);
  const groups = bytes & ~(GROUP_SIZE - 1);
  let at: usize = 0;
  for (; at < groups; at += GROUP_SIZE) {
    const to = acc + at;
    const from = src + at;
    v128.store(to, f64x2.add(v128.load(to), v128.load(from)));
    v128.store(to, f64x2.add(v128.load(to, 16), v128.load(from, 16)), 16);
    v128.store(to, f64x2.add(v128.load(to, 32), v128.load(from, 32)), 32);
    v128.store(to, f64x2.add(v128.load(to, 48), v128.load(from, 48)), 48);
  }
  for (; at < bytes; at += 8) store<f64>(acc + at, load<f64>(acc + at) + load<f64>(src + at));
}

/** Scalar twin of `addInto`. */
export function addIntoScalar(acc: usize, src: usize, n: i32): void {
  const bytes = sizeOf(n);
  for (let at: usize = 0; at < bytes; at += 8) store<f64>(acc + at, load<f64>(acc + at) + load<f64>(src + at));
}
