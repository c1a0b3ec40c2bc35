// Runs of doubles (f64) filled with one value. Addresses need no alignment; nothing is written for n <= 0.

/** Writes `n` times `value` at `dst`. */
export function fill(dst: usize, n: i32, value: f64): void {
  const end = dst + (<usize>max(n, 0) << 3);
  const both = f64x2.splat(value);
  for (; dst + 16 <= end; dst += 16) v128.store(dst, both);
  if (dst < end) store<f64>(dst, value);
}

/** Scalar twin of `fill`. */
export function fillScalar(dst: usize, n: i32, value: f64): void {
  const end = dst + (<usize>max(n, 0) << 3);
  for (; dst < end; dst += 8) store<f64>(dst, value);
}

/** Writes `n` NaN (the canonical quiet one) at `dst`: missing bins. */
export function fillNaN(dst: usize, n: i32): void {
  fill(dst, n, NaN);
}
