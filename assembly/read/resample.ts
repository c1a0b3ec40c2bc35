// Largest-triangle-three-buckets: fewer points that keep a curve's shape.
//
// Sveinn Steinarsson, "Downsampling Time Series for Visual Representation" (University of Iceland, 2013), with the bucket limits and
// the treatment of gaps of ClusterCockpit's cc-lib (resampler.LargestTriangleThreeBucket), so that plots do not change with the server:
//
//        first  |<-- bucket 0 -->|<-- bucket 1 -->| ...        | last
//        0      1             middle            high           n - 1
//               low             (limits: floor((i + 1) * (n - 2) / (m - 2)) + 1, at most n - 2)
//
// 1. The first and the last point are kept; each bucket between them gives one point.
// 2. It is the one that makes the largest triangle with the point chosen before and the average of the next bucket (whose range
//    includes its upper limit). The earliest of equals wins.
// 3. A NaN area always wins, and the last of several: a gap in the bucket stays a gap in the answer. When the point chosen before or the
//    next bucket's average is NaN, so is every area, and the bucket's last point is taken.
//
// With m = 3 there is no next bucket: its average is NaN, and the point before the last one is taken.
//
// Each point is read twice, once in an average and once as a candidate. Nothing is allocated.

/** Bytes of one sample. */
const SAMPLE_SIZE: usize = 8;
/** Candidates that are looked at at once. */
const AT_ONCE: i32 = 10;

/**
 * Points that `lttb` writes when asked for `m` of `n`: m, but never fewer than the two ends and never more than there are. With m < 1, a
 * resolution wider than the series, all of them: there is nothing to resample to.
 */
export function lttbPoints(n: i32, m: i32): i32 {
  return m < 1 ? n : min(max(m, 2), n);
}

/**
 * Resamples `n` samples (f64, NaN = gap) at `src` to `lttbPoints(n, m)` points at `dst`, which must have room for them. The two may be
 * the same address: a point is written only after all that are before it have been read. `n` <= 0 writes nothing.
 */
export function lttb(src: usize, n: i32, dst: usize, m: i32): void {
  if (n <= 0) return;
  if (m < 1 || m >= n) {
    memory.copy(dst, src, <usize>n * SAMPLE_SIZE);
    return;
  }
  const last = load<f64>(sample(src, n - 1));
  const first = load<f64>(src);
  store<f64>(dst, first);
  dst += SAMPLE_SIZE;

  const bucketSize = <f64>(n - 2) / <f64>max(m - 2, 1);
  let low = 1;
  let middle = <i32>floor(bucketSize) + 1;
  let previous = 0;
  let previousValue = first;
  for (let i = 0; i < m - 2; i++) {
    const high = min(<i32>floor(<f64>(i + 2) * bucketSize) + 1, n - 2);
    const averageX = <f64>(middle + high) * 0.5;
    const averageY = mean(sample(src, middle), high - middle + 1);
    const rise = averageY - previousValue;
    const run = <f64>previous - averageX;

    // With a NaN rise every area is NaN, and the last candidate wins without a look at the others.
    const chosen = rise == rise ? largest(src, low, middle, previous, previousValue, rise, run) : middle - 1;
    previous = chosen;
    previousValue = load<f64>(sample(src, chosen));
    store<f64>(dst, previousValue);
    dst += SAMPLE_SIZE;
    low = middle;
    middle = high;
  }
  if (n > 1) store<f64>(dst, last);
}

/**
 * The candidate in [low, middle) whose triangle with the point (previous, previousValue) and the average point is the largest; `rise` and
 * `run` are the differences of those two. Twice the area is compared: halving it would not change the order.
 *
 * Ten at once, without a branch on what they are and without a chain from one to the next: the point chosen is what the next bucket waits
 * for. Those beyond go one by one, and so does a bucket with a NaN anywhere, by the scalar twin.
 */
function largest(src: usize, low: i32, middle: i32, previous: i32, previousValue: f64, rise: f64, run: f64): i32 {
  const last = middle - AT_ONCE;
  let x = low;
  let largestArea = -1.0;
  let best = x;
  for (; x <= last; x += AT_ONCE) {
    const found = largestOfTen(sample(src, x), x, previous, previousValue, rise, run);
    if (found < 0) return largestScalar(src, low, middle, previous, previousValue, rise, run);
    const area = load<f64>(TEN_AREA);
    if (area > largestArea) {
      largestArea = area;
      best = x + found;
    }
  }
  for (; x < middle; x++) {
    const area = abs(<f64>(previous - x) * rise - run * (load<f64>(sample(src, x)) - previousValue));
    if (area > largestArea) {
      largestArea = area;
      best = x;
    } else if (area != area) {
      return largestScalar(src, low, middle, previous, previousValue, rise, run);
    }
  }
  return best;
}

/** Where `largestOfTen` leaves twice the area, f64. */
const TEN_AREA: usize = memory.data(8, 8);

/** Twice the areas of the two candidates at `at`, at the distances `d` before the point chosen. */
function areaPair(at: usize, d: v128, previousValues: v128, rises: v128, runs: v128): v128 {
  return f64x2.abs(f64x2.sub(f64x2.mul(d, rises), f64x2.mul(runs, f64x2.sub(v128.load(at), previousValues))));
}

/** The first of ten candidates from `at` (index x) on with the largest area, counted from 0, and TEN_AREA; -1 if an area is NaN. */
function largestOfTen(at: usize, x: i32, previous: i32, previousValue: f64, rise: f64, run: f64): i32 {
  const rises = f64x2.splat(rise);
  const runs = f64x2.splat(run);
  const previousValues = f64x2.splat(previousValue);
  const previouses = f64x2.splat(<f64>previous);
  // previous - x is exact.
  const twos = f64x2.splat(2);
  const x0 = f64x2.replace_lane(f64x2.splat(<f64>x), 1, <f64>(x + 1));
  const x1 = f64x2.add(x0, twos);
  const x2 = f64x2.add(x1, twos);
  const x3 = f64x2.add(x2, twos);
  const x4 = f64x2.add(x3, twos);
  const a0 = areaPair(at, f64x2.sub(previouses, x0), previousValues, rises, runs);
  const a1 = areaPair(at + 16, f64x2.sub(previouses, x1), previousValues, rises, runs);
  const a2 = areaPair(at + 32, f64x2.sub(previouses, x2), previousValues, rises, runs);
  const a3 = areaPair(at + 48, f64x2.sub(previouses, x3), previousValues, rises, runs);
  const a4 = areaPair(at + 64, f64x2.sub(previouses, x4), previousValues, rises, runs);
  // No area is negative, so their sum is NaN only if one of them is.
  const sums = f64x2.add(f64x2.add(f64x2.add(a0, a1), f64x2.add(a2, a3)), a4);
  if (v128.any_true(f64x2.ne(sums, sums))) return -1;
  const pairs = f64x2.pmax(f64x2.pmax(f64x2.pmax(a0, a1), f64x2.pmax(a2, a3)), a4);
  const most = f64x2.pmax(pairs, v128.shuffle<f64>(pairs, pairs, 1, 0));
  store<f64>(TEN_AREA, f64x2.extract_lane(most, 0));
  return <i32>ctz(
    i64x2.bitmask(f64x2.eq(a0, most)) |
      (i64x2.bitmask(f64x2.eq(a1, most)) << 2) |
      (i64x2.bitmask(f64x2.eq(a2, most)) << 4) |
      (i64x2.bitmask(f64x2.eq(a3, most)) << 6) |
      (i64x2.bitmask(f64x2.eq(a4, most)) << 8),
  );
}

/** Scalar twin of `largest`, and its slow path for gaps. */
function largestScalar(src: usize, low: i32, middle: i32, previous: i32, previousValue: f64, rise: f64, run: f64): i32 {
  let largestArea = -1.0;
  let best = middle - 1;
  for (let x = low; x < middle; x++) {
    const area = abs(<f64>(previous - x) * rise - run * (load<f64>(sample(src, x)) - previousValue));
    if (area > largestArea) {
      largestArea = area;
      best = x;
    } else if (area != area) {
      // From here on no number is greater, so only another NaN can take over.
      largestArea = NaN;
      best = x;
    }
  }
  return best;
}

/** Average of `n` samples at `p`, added from front to back: another order rounds differently and may decide between near-equal triangles. */
function mean(p: usize, n: i32): f64 {
  const end = p + <usize>n * SAMPLE_SIZE;
  let sum: f64 = 0;
  for (; p + 4 * SAMPLE_SIZE <= end; p += 4 * SAMPLE_SIZE) {
    sum = sum + load<f64>(p) + load<f64>(p, 8) + load<f64>(p, 16) + load<f64>(p, 24);
  }
  for (; p < end; p += SAMPLE_SIZE) sum += load<f64>(p);
  return sum / <f64>n;
}

/** Address of sample `index`. */
function sample(src: usize, index: i32): usize {
  return src + <usize>index * SAMPLE_SIZE;
}
