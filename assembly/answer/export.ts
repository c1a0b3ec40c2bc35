/** Series as plain doubles for writers of other formats (archive, the reference's files, JSON checkpoints). */
import { Export } from '../../src/wasm/tables/codes';
import { ExportedField } from '../../src/wasm/tables/layouts';
import { endBin, firstBin } from '../series/blocks';
import { writeSeriesNames } from '../series/names';
import { out } from '../memory/out';
import { readBins } from '../read/read';
import { seriesByNumber } from '../series/series';

/** Most bins of one call: callers ask for windows. */
const MAX_COUNT: i64 = 1 << 26;

@unmanaged
class Exported {
  /** Unix seconds of the middle of the first bin. */
  start: f64;
  /** Seconds a bin. */
  frequency: i32;
  /** Bytes of names before the values. */
  names: u32;
  /** Values; they end the output. */
  count: i32;
}

if (
  offsetof<Exported>('start') != ExportedField.Start ||
  offsetof<Exported>('frequency') != ExportedField.Frequency ||
  offsetof<Exported>('names') != ExportedField.Names ||
  offsetof<Exported>('count') != ExportedField.Count
) {
  ERROR('layouts.ts has another layout of what was exported');
}

/** What the last `exportSeries` has written. */
export const exported = changetype<Exported>(memory.data(offsetof<Exported>(), 8));

/**
 * Writes the series' names (names.ts) and its bins that lie in [from, to) as f64, NaN = missing.
 * @returns OutOfMemory also when the range holds more than MAX_COUNT bins.
 */
export function exportSeries(number: u32, from: f64, to: f64): Export {
  const s = seriesByNumber(number);
  if (!s) return Export.None;
  const f = <i64>s.frequency;
  const middle = s.anchor + f / 2;
  // Bins whose middle lies in the range.
  const lowest = <i64>firstBin(s);
  const highest = <i64>endBin(s);
  let first = lowest;
  if (<f64>(middle + first * f) < from) first = (<i64>from - middle + f - 1) / f;
  let end = highest;
  if (<f64>(middle + end * f) > to) end = (<i64>to - middle + f - 1) / f;
  first = max(first, lowest);
  end = min(end, highest);
  if (end <= first) return Export.None;
  if (end - first > MAX_COUNT) return Export.OutOfMemory;
  const n = <i32>(end - first);
  if (!out.ensure(<u32>(8 * n) + 4096)) return Export.OutOfMemory;
  const start = out.end;
  const values = writeSeriesNames(start, s);
  readBins(s, <i32>first, n, values);
  out.end = values + (<usize>n << 3);
  exported.start = <f64>(middle + first * f);
  exported.frequency = <i32>f;
  exported.names = <u32>(values - start);
  exported.count = n;
  return Export.Written;
}
