/** Lists of series in linear memory: a u32 address each, one behind the other. */
import { Series } from '../series/records';

/** The i-th series of a list. */
export function seriesIn(list: usize, i: i32): Series {
  return changetype<Series>(<usize>load<u32>(list + (<usize>i << 2)));
}
