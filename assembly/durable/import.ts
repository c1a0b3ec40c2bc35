/** Runs of bins from elsewhere (the reference's files), written as samples. */
import { LineError } from '../../src/wasm/codes';
import { metricFind } from '../series/metrics';
import { namesEnd, namesForeign, readNames } from '../series/names';
import { roundSample } from '../text/round';
import { writeSample } from '../series/samples';
import { seriesEnsure } from '../series/series';
import { seriesRemove } from '../series/remove';
import { nodePrune } from '../series/tree';

/** Samples stored by the last `importRun`. */
export let importedSamples: i32 = 0;

/**
 * Writes values at start, start + frequency, ...; missing ones are NaN.
 * @param names u8 count, each u8 length + bytes from the cluster down, then u16 length + metric.
 * @param start unix seconds of the first sample. @param frequency seconds between values, > 0.
 * @returns LineError.None also when nothing was to be done (other partition, unknown metric); else OutOfMemory or TimestampTooFar.
 */
export function importRun(
  names: usize, namesLength: i32, start: f64, frequency: i32, values: usize, n: i32, since: f64, self: i32, partitions: i32,
): i32 {
  importedSamples = 0;
  const end = names + namesLength;
  const node = readNames(names, end, true, self, partitions);
  if (namesForeign) return LineError.None;
  if (!node) return namesEnd ? LineError.OutOfMemory : LineError.UnsafeName;
  const metric = metricFind(namesEnd + 2, <i32>load<u16>(namesEnd));
  if (!metric) {
    nodePrune(node);
    return LineError.None;
  }
  const s = seriesEnsure(node, metric);
  if (!s) return LineError.OutOfMemory;
  let error = LineError.None;
  for (let i = 0; i < n && error == LineError.None; i++) {
    const v = load<f64>(values + (<usize>i << 3));
    const at = <i64>start + <i64>i * <i64>frequency;
    if (v != v || at < <i64>since) continue;
    error = writeSample(s, at, roundSample(v, metric.precision), <i64>metric.frequency);
    importedSamples++;
  }
  if (s.isEmpty) seriesRemove(s);
  return error;
}
