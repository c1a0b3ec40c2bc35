/** Columns as the core writes them (assembly/answer/columns.ts draws a part). */

import { decodeLevels } from './names.js';
import { QueryError } from './tables/codes.js';
import { ColumnPart } from './tables/layouts.js';

/** A part of a column: all of it, or what fits in a piece. The parts of a column follow each other. */
export interface Column {
  /** Index of the query in the request, and of the entry among those that it asks for. */
  query: number;
  entry: number;
  /** Cluster, host, level, sub-level of what was asked for; empty in all parts of a column but the first. */
  levels: string[];
  /** In the first part of a column: the level has no series of its own, the values are made of those below it. */
  rolledUp: boolean;
  /** Where the first value of the column begins and its last one ends, unix seconds. */
  from: number;
  to: number;
  /** Seconds between values. */
  step: number;
  /** Values of the whole column, and the index of the first one in this part. */
  count: number;
  first: number;
  /** A view of the piece; NaN = missing. Empty when no data was asked for. */
  values: Float64Array;
  /** Of the whole column: values that are not missing, their sum, the least and the greatest. Zeros when they were not asked for. */
  samples: number;
  sum: number;
  least: number;
  greatest: number;
}

/** Why an entry has no values. */
export interface ColumnError {
  query: number;
  entry: number;
  error: QueryError;
  /** Of BadResolution: the resolution asked for and the metric's frequency, seconds. Of TooLong: bins, and how many may be. */
  given: number;
  limit: number;
}

/** What a piece holds, in order. @param piece its first byte is 8-aligned in its buffer, and the values are views of it. */
export function readColumns(piece: Uint8Array<ArrayBuffer>): (Column | ColumnError)[] {
  const data = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const parts: (Column | ColumnError)[] = [];
  for (let at = 0; at < piece.length; at += data.getUint32(at + ColumnPart.Bytes, true)) {
    const u32 = (field: ColumnPart): number => data.getUint32(at + field, true);
    const f64 = (field: ColumnPart): number => data.getFloat64(at + field, true);
    const query = u32(ColumnPart.Query);
    const entry = u32(ColumnPart.Entry);
    const error: QueryError = u32(ColumnPart.Error);
    if (error !== QueryError.None) {
      parts.push({ query, entry, error, given: f64(ColumnPart.From), limit: f64(ColumnPart.To) });
      continue;
    }
    const namesAt = at + ColumnPart.Header;
    const names = u32(ColumnPart.Names);
    const valuesAt = namesAt + ((names + 7) & ~7);
    parts.push({
      query,
      entry,
      levels: names ? decodeLevels(piece.subarray(namesAt, namesAt + names)).levels : [],
      rolledUp: u32(ColumnPart.RolledUp) !== 0,
      from: f64(ColumnPart.From),
      to: f64(ColumnPart.To),
      step: f64(ColumnPart.Step),
      count: u32(ColumnPart.Count),
      first: u32(ColumnPart.First),
      values: new Float64Array(piece.buffer, piece.byteOffset + valuesAt, u32(ColumnPart.Here)),
      samples: f64(ColumnPart.Samples),
      sum: f64(ColumnPart.Sum),
      least: f64(ColumnPart.Least),
      greatest: f64(ColumnPart.Greatest),
    });
  }
  return parts;
}
