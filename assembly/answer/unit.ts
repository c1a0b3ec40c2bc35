/** The unit of a metric, as lines have brought it. */
import { out } from '../memory/out';
import { metricFind } from '../series/metrics';

/** Writes the unit of the metric with a name of n bytes, nothing if none is known. False when memory is exhausted. */
export function writeUnit(name: usize, n: i32): bool {
  const metric = metricFind(name, n);
  if (!metric || !metric.unit) return true;
  if (!out.ensure(<u32>metric.unitLength)) return false;
  out.put(metric.unit, metric.unitLength);
  return true;
}
