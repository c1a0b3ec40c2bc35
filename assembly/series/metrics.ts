/**
 * The metrics of the config, by number. Fixed after `metricAdd` calls at start.
 *
 *   0        4         8           12            16           20
 *   ┌────────┬─────────┬───────────┬─────────────┬────────────┬──────┐
 *   │ name at│ name len│ frequency │ aggregation │ precision  │ hash │    24 bytes a metric
 *   └────────┴─────────┴───────────┴─────────────┴────────────┴──────┘
 */
import { Kind, alloc, realloc } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { TABLE_HANDLE_BYTES, tableAdd, tableFind, tableNext } from '../memory/table';

const ENTRY: usize = 24;
/** `precision` of a metric whose samples keep every bit. */
export const PRECISION_DOUBLE: i32 = -1;
/** `precision` of a metric whose samples are float32. 0..9 are decimals kept. */
export const PRECISION_SINGLE: i32 = -2;

let entries: usize = 0;
let count: i32 = 0;
const table: usize = memory.data(TABLE_HANDLE_BYTES, 8);

/**
 * Adds the next metric.
 * @param name copied; @param frequency seconds a bin, > 0; @param aggregation `Aggregation`;
 * @param precision PRECISION_DOUBLE, PRECISION_SINGLE or the number of decimals kept.
 * @returns its number, counting from 0; -1 when memory is exhausted.
 */
export function metricAdd(name: usize, len: i32, frequency: i32, aggregation: i32, precision: i32): i32 {
  const grown = realloc(entries, (count + 1) * <u32>ENTRY, Kind.INDEX);
  const copy = alloc(len + 16, Kind.INDEX);
  if (!grown || !copy) return -1;
  entries = grown;
  memory.copy(copy, name, len);
  const hash = hashBytes(0, name, len);
  const e = entries + <usize>count * ENTRY;
  store<u32>(e, <u32>copy);
  store<i32>(e, len, 4);
  store<i32>(e, frequency, 8);
  store<i32>(e, aggregation, 12);
  store<i32>(e, precision, 16);
  store<u32>(e, hash, 20);
  // Entries move when the list grows, so the table holds number + 1 instead of an address.
  if (!tableAdd(table, hash, <usize>(count + 1))) return -1;
  return count++;
}

/** Number of the metric with this name, or -1. */
export function metricFind(name: usize, len: i32): i32 {
  let found = tableFind(table, hashBytes(0, name, len));
  while (found) {
    const id = <i32>found - 1;
    if (metricNameLength(id) == len && bytesEqual(metricName(id), name, len)) return id;
    found = tableNext(table);
  }
  return -1;
}

// @ts-ignore: decorator
@inline
export function metricName(id: i32): usize {
  return <usize>load<u32>(entries + <usize>id * ENTRY);
}

// @ts-ignore: decorator
@inline
export function metricNameLength(id: i32): i32 {
  return load<i32>(entries + <usize>id * ENTRY, 4);
}

/** Seconds a bin. */
// @ts-ignore: decorator
@inline
export function metricFrequency(id: i32): i32 {
  return load<i32>(entries + <usize>id * ENTRY, 8);
}

// @ts-ignore: decorator
@inline
export function metricAggregation(id: i32): i32 {
  return load<i32>(entries + <usize>id * ENTRY, 12);
}

// @ts-ignore: decorator
@inline
export function metricPrecision(id: i32): i32 {
  return load<i32>(entries + <usize>id * ENTRY, 16);
}
