/**
 * The newest samples at steps that are a whole number of bins apart, as a dashboard's mostly are: no times are compared, all is counted
 * in bins. With one bin a step eight whole ones are copied at once.
 *
 *   bins     0       1       2       3       4 ...        at: the bin that a step looks at, its sample's time at or before the step's
 *   steps        0       1       2       3                back: bins before it that are not older than the look-back; below 0: not even `at`
 */

/** What is looked at. */
@unmanaged
export class StepsOnBins {
  /** Address of the bins (a missing one is NaN), and how many there are. */
  bins: usize;
  length: i32;
  /** The bin that the first step looks at; it may be before or behind all. */
  at: i32;
  /** Bins from step to step, at least 1. */
  stride: i32;
  back: i32;
  /** Address of the row of NaN and of its bitmap of zeros, and its steps. */
  values: usize;
  bits: usize;
  count: i32;
}

/** Fills the row. @returns steps that have a value. */
export function lookBackOnBins(w: StepsOnBins): i32 {
  const back = w.back;
  const stride = w.stride;
  const end = w.length;
  let at = w.at;
  let seen = -1;
  let newest = -1;
  let found = 0;
  for (let step = 0; step < w.count; step++, at += stride) {
    if (stride == 1 && !(step & 7) && at >= 0 && at + 8 <= end && step + 8 <= w.count && back >= 0 && copyEight(w, step, at)) {
      found += 8;
      seen = newest = at + 7;
      step += 7;
      at += 7;
      continue;
    }
    // What was seen before has no newer one than `newest`.
    const last = min(at, end - 1);
    let i = last;
    while (i > seen && isMissing(w, i)) i--;
    if (i > seen) newest = i;
    seen = max(seen, last);
    if (newest < 0 || at - newest > back) continue;
    store<f64>(w.values + (<usize>step << 3), load<f64>(w.bins + (<usize>newest << 3)));
    const p = w.bits + (<usize>step >> 3);
    store<u8>(p, load<u8>(p) | (<u8>1 << <u8>(step & 7)));
    found++;
  }
  return found;
}

function isMissing(w: StepsOnBins, bin: i32): bool {
  return isNaN(load<f64>(w.bins + (<usize>bin << 3)));
}

/** Copies the eight bins from `at` on to the steps from `step` on, a multiple of 8, unless one is missing: then nothing is done. */
function copyEight(w: StepsOnBins, step: i32, at: i32): bool {
  const from = w.bins + (<usize>at << 3);
  const a = v128.load(from);
  const b = v128.load(from, 16);
  const c = v128.load(from, 32);
  const d = v128.load(from, 48);
  const present = v128.and(v128.and(f64x2.eq(a, a), f64x2.eq(b, b)), v128.and(f64x2.eq(c, c), f64x2.eq(d, d)));
  if (!i64x2.all_true(present)) return false;
  const to = w.values + (<usize>step << 3);
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
  store<u8>(w.bits + (<usize>step >> 3), 0xff);
  return true;
}
