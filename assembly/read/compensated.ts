/** Sums of rows, with what rounding has lost of them. */

/**
 * Adds values to sums, and what rounding loses to `lost` (Kahan, Neumaier), two at a time:
 *   next = sum + value; lost += |sum| >= |value| ? (sum - next) + value : (value - next) + sum
 * NaN leaves both as they are. A sum that has become infinite makes `lost` meaningless; the host looks at the sum first.
 */
export function addCompensated(sums: usize, lost: usize, values: usize, n: i32): void {
  const end = values + (<usize>n << 3);
  for (; values + 16 <= end; values += 16) {
    const v = v128.load(values);
    const sum = v128.load(sums);
    const next = f64x2.add(sum, v);
    const larger = f64x2.ge(f64x2.abs(sum), f64x2.abs(v));
    const a = v128.bitselect(sum, v, larger);
    const b = v128.bitselect(v, sum, larger);
    const error = f64x2.add(f64x2.sub(a, next), b);
    const present = f64x2.eq(v, v);
    v128.store(sums, v128.bitselect(next, sum, present));
    const before = v128.load(lost);
    v128.store(lost, v128.bitselect(f64x2.add(before, error), before, present));
    sums += 16;
    lost += 16;
  }
  if (values < end) addCompensatedScalar(sums, lost, values, 1);
}

/** Scalar twin of `addCompensated`. */
export function addCompensatedScalar(sums: usize, lost: usize, values: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    const v = load<f64>(values + i);
    if (isNaN(v)) continue;
    const sum = load<f64>(sums + i);
    const next = sum + v;
    const error = abs(sum) >= abs(v) ? sum - next + v : v - next + sum;
    store<f64>(sums + i, next);
    store<f64>(lost + i, load<f64>(lost + i) + error);
  }
}
