/** Runs of bins from elsewhere (the reference's files), written as samples. */
import { LineError } from '../../src/wasm/tables/codes';
import { metricFind } from '../series/metrics';
import { namesRead, readNames } from '../series/names';
import { roundSample } from '../text/round';
import { writeSample } from '../series/samples';
import { seriesEnsure } from '../series/series';
import { seriesRemove } from '../series/remove';
import { nodePrune } from '../series/tree';

/**
 * Writes values at start, start + frequency, ...; missing ones are NaN.
 * @param names u8 count, each u8 length + bytes from the cluster down, then u16 length + metric.
 * @param start unix seconds of the first sample. @param frequency seconds between values, > 0.
 * @returns samples stored, 0 when they are another partition's or of an unknown metric; -1 when memory is exhausted. A sample
 * too far from the series' others ends the run.
 */
export function importRun(
  names: usize,
  namesLength: i32,
  start: f64,
  frequency: i32,
  values: usize,
  n: i32,
  since: f64,
  self: i32,
  partitions: i32,
): i32 {
  const node = readNames(names, names + namesLength, true, self, partitions);
  if (!node) return namesRead.end && !namesRead.areForeign ? -1 : 0;
  const metric = metricFind(namesRead.end + 2, <i32>load<u16>(namesRead.end));
  if (!metric) {
    nodePrune(node);
    return 0;
  }
  const s = seriesEnsure(node, metric);
  if (!s) return -1;
  let stored = 0;
  let error: i32 = LineError.None;
  for (let i = 0; i < n && error == LineError.None; i++) {
    const v = load<f64>(values + (<usize>i << 3));
    const at = <i64>start + <i64>i * <i64>frequency;
    if (v != v || at < <i64>since) continue;
    error = writeSample(s, at, roundSample(v, metric.precision), <i64>metric.frequency);
    if (error == LineError.None) stored++;
  }
  if (s.isEmpty) seriesRemove(s);
  return error == LineError.OutOfMemory ? -1 : stored;
}
