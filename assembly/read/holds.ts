/** Whether a bin has a sample. */
import { Series } from '../series/records';
import { readBins } from './read';

/** The bin, and what reading may overwrite behind it. */
const bin: usize = memory.data(8 + 64, 16);

/** Whether the series has a sample in the bin of this time, unix seconds. */
export function holdsSample(s: Series, seconds: i64): bool {
  if (s.isEmpty || !s.isAnchored) return false;
  const index = s.binOf(seconds);
  if (index != <i64>(<i32>index)) return false;
  readBins(s, <i32>index, 1, bin);
  const value = load<f64>(bin);
  return value == value;
}
