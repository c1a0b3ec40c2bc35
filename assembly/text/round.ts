/** Samples of metrics with reduced `precision`, rounded once, before they are logged and stored. */
import { Precision } from '../../src/wasm/tables/codes';

const TENS: usize = memory.data<f64>([1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000]);
/** 2^27 + 1: splits a double into two halves of 26 bits (Veltkamp). */
const SPLIT: f64 = 134217729;
/** Beyond this the product has no fraction left. */
const LARGEST: f64 = 4503599627370496;

/** @param precision a `Precision`, or the decimals kept. With 3 decimals the result prints as the sample itself would. */
export function roundSample(value: f64, precision: i32): f64 {
  if (precision == Precision.Double) return value;
  if (precision == Precision.Single) {
    const single = <f64>(<f32>value);
    // Beyond float32's range the sample is kept as it is rather than lost as infinity.
    return isFinite(single) ? single : value;
  }
  const ten = load<f64>(TENS + (<usize>precision << 3));
  const product = value * ten;
  if (!(abs(product) < LARGEST)) return value;
  // Dekker's product: product + error is exactly value * ten, so ties are seen as ties.
  const c = SPLIT * value;
  const high = c - (c - value);
  const low = value - high;
  const error = high * ten - product + low * ten;
  let n = nearest(product);
  const rest = product - n;
  if (rest == 0.5 && error > 0) n += 1;
  else if (rest == -0.5 && error < 0) n -= 1;
  return n / ten;
}
