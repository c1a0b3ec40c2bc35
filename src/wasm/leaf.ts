/**
 * Leaves of PromQL expressions in the binary form that the core reads and writes (assembly/read/leaf.ts and
 * assembly/answer/leaf.ts draw them).
 */

import { concat, decodeNames, encodeName } from './names.js';
import { type LeafAggregation, type LeafFunction, LevelFilter } from './tables/codes.js';
import { LeafField, LeafPart } from './tables/layouts.js';

/** Which names of a level are taken: all, only these, or all but these. */
export type NameFilter = { readonly only: readonly string[] } | { readonly allBut: readonly string[] } | undefined;

/** Times in milliseconds; points are unix time. */
export interface LeafRequest {
  start: number;
  step: number;
  count: number;
  shift: number;
  /** The one time that all steps look at. */
  fixed: number | undefined;
  range: number;
  lookback: number;
  adaptiveLookback: boolean;
  function: LeafFunction;
  /** Of predict_linear: seconds. */
  parameter: number;
  aggregation: LeafAggregation;
  /** Bits of `LeafGrouping`. */
  grouping: number;
  /** Bytes that rows may take. */
  room: number;
  /** Metrics by name; none: all. */
  metrics: readonly string[];
  /** Clusters, hosts, levels, sub-levels. */
  levels: readonly NameFilter[];
  /** Bits: 1 << depth of the levels whose series are taken; a host's own are at depth 2. */
  depths: number;
  /** See `QueryRequest`; not for the core. */
  isStrong?: boolean;
}

function encodeNamesList(names: readonly string[]): Uint8Array {
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, names.length, true);
  return concat([count, ...names.map(encodeName)]);
}

function encodeFilter(filter: NameFilter): Uint8Array {
  if (filter === undefined) return concat([Uint8Array.of(LevelFilter.Any), encodeNamesList([])]);
  if ('only' in filter) return concat([Uint8Array.of(LevelFilter.Only), encodeNamesList(filter.only)]);
  return concat([Uint8Array.of(LevelFilter.AllBut), encodeNamesList(filter.allBut)]);
}

const LEVELS = 4;

export function encodeLeaf(request: LeafRequest): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(LeafField.Header);
  const view = new DataView(header.buffer);
  const f64 = (field: LeafField, value: number) => view.setFloat64(field, value, true);
  const u32 = (field: LeafField, value: number) => view.setUint32(field, value, true);
  f64(LeafField.Start, request.start);
  f64(LeafField.Step, request.step);
  f64(LeafField.Shift, request.shift);
  f64(LeafField.Fixed, request.fixed ?? Number.NaN);
  f64(LeafField.Range, request.range);
  f64(LeafField.Lookback, request.lookback);
  f64(LeafField.Parameter, request.parameter);
  f64(LeafField.Room, request.room);
  u32(LeafField.Count, request.count);
  u32(LeafField.Function, request.function);
  u32(LeafField.Aggregation, request.aggregation);
  u32(LeafField.Grouping, request.grouping);
  u32(LeafField.Adaptive, request.adaptiveLookback ? 1 : 0);
  u32(LeafField.Depths, request.depths);
  const filters = Array.from({ length: LEVELS }, (_, level) => encodeFilter(request.levels[level]));
  return concat([header, encodeNamesList(request.metrics), ...filters]);
}

/** A series or a group of them, as the core writes it. Rows are views of the bytes that were decoded. */
export class LeafAnswerPart {
  constructor(
    /** The bytes of the names, a byte a character; of a group those of its first series. The same series has the same, whenever it is asked for. */
    readonly names: string,
    /** Seconds. */
    readonly frequency: number,
    /** Unix milliseconds of the oldest and newest sample, or of the bins of rows of samples. */
    readonly first: number,
    readonly last: number,
    /** One bit a step; empty without rows and for rows of samples. */
    readonly present: Uint8Array,
    readonly rows: readonly Float64Array[],
  ) {}

  /** What the names are: cluster, host, level, sub-level, and the metric. */
  get series(): { levels: string[]; metric: string } {
    return decodeNames(Buffer.from(this.names, 'latin1'));
  }
}

const NO_BITS = new Uint8Array(0);

/**
 * The parts one by one: a piece of series without rows has thousands.
 * @param bytes 8-aligned. @param steps of a row; 0: rows of samples, which have no bitmap.
 */
export function* decodeLeaf(bytes: Uint8Array, steps: number): Generator<LeafAnswerPart, void> {
  const { buffer, byteOffset, length } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  const text = Buffer.from(buffer, byteOffset, length);
  for (let at = 0; at < length; ) {
    const names = at + LeafPart.Header;
    const namesEnd = names + view.getUint32(at + LeafPart.Names, true);
    const count = view.getUint32(at + LeafPart.Count, true);
    const body = (namesEnd + 7) & ~7;
    const bitmap = steps === 0 ? 0 : Math.ceil(count / 64) * 8;
    const rows: Float64Array[] = [];
    for (let row = view.getUint32(at + LeafPart.Rows, true); row > 0; row--) {
      rows.push(new Float64Array(buffer, byteOffset + body + bitmap + rows.length * count * 8, count));
    }
    yield new LeafAnswerPart(
      text.toString('latin1', names, namesEnd),
      view.getUint32(at + LeafPart.Frequency, true),
      view.getFloat64(at + LeafPart.First, true),
      view.getFloat64(at + LeafPart.Last, true),
      steps === 0 ? NO_BITS : bytes.subarray(body, body + ((steps + 7) >> 3)),
      rows,
    );
    at += view.getUint32(at + LeafPart.Bytes, true);
  }
}
