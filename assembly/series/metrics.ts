/** The metrics of the configuration. They are added at the start, or when it is read again, and stay at the same address. */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Table } from '../memory/table';

/**
 *   0        4           8             12          16     20            24            28
 *   ┌────────┬───────────┬─────────────┬───────────┬──────┬─────────────┬─────────────┬─────────────┐
 *   │ number │ frequency │ aggregation │ precision │ unit │ unit length │ name length │ name, UTF-8 │
 *   └────────┴───────────┴─────────────┴───────────┴──────┴─────────────┴─────────────┴─────────────┘
 */
@unmanaged
export class Metric {
  /** In the order of `metricAdd`, from 0. */
  number: i32;
  /** Seconds a bin. */
  frequency: i32;
  /** An `Aggregation` of codes.ts. */
  aggregation: i32;
  /** A `Precision` of codes.ts, or the number of decimals kept. */
  precision: i32;
  /** Address of the unit that came first with a line, UTF-8; 0: none came. */
  unit: usize;
  unitLength: i32;
  nameLength: i32;

  /** Address of the name. */
  get name(): usize {
    return changetype<usize>(this) + offsetof<Metric>();
  }
}

@unmanaged
class Metrics {
  count: i32;
}

const metrics = changetype<Metrics>(memory.data(offsetof<Metrics>(), 8));
const byName = changetype<Table>(memory.data(offsetof<Table>(), 8));

/**
 * Adds the next metric.
 * @param name copied; @param frequency seconds a bin, > 0; @param aggregation, precision see `Metric`.
 * @returns its number; -1 when memory is exhausted.
 */
export function metricAdd(name: usize, length: i32, frequency: i32, aggregation: i32, precision: i32): i32 {
  const metric = changetype<Metric | null>(alloc(<u32>offsetof<Metric>() + length, MemoryKind.Index));
  if (!metric || !byName.add(hashBytes(0, name, length), changetype<usize>(metric))) return -1;
  metric.number = metrics.count;
  metric.frequency = frequency;
  metric.aggregation = aggregation;
  metric.precision = precision;
  metric.unit = 0;
  metric.unitLength = 0;
  metric.nameLength = length;
  memory.copy(metric.name, name, length);
  return metrics.count++;
}

/** Changes a metric: samples that are stored stay as they are. @returns false when there is none with this name. */
export function metricChange(name: usize, length: i32, aggregation: i32, precision: i32): bool {
  const metric = metricFind(name, length);
  if (!metric) return false;
  metric.aggregation = aggregation;
  metric.precision = precision;
  return true;
}

/** Notes the unit of a metric. Only the first one is kept; when memory is exhausted none is, until the next line. */
export function metricUnit(metric: Metric, unit: usize, length: i32): void {
  if (metric.unit) return;
  metric.unit = alloc(<u32>length, MemoryKind.Index);
  if (!metric.unit) return;
  memory.copy(metric.unit, unit, length);
  metric.unitLength = length;
}

/** The metric with this name, or null. */
export function metricFind(name: usize, length: i32): Metric | null {
  let metric = changetype<Metric | null>(byName.find(hashBytes(0, name, length)));
  while (metric) {
    if (metric.nameLength == length && bytesEqual(metric.name, name, length)) return metric;
    metric = changetype<Metric | null>(byName.next());
  }
  return null;
}
