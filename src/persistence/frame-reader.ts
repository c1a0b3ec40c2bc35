/**
 * Reads the payloads of our own frames on the host, record by record, for commands that say what is in a file without
 * loading it. assembly/durable/checkpoint.ts and assembly/durable/log.ts draw the layouts. The caller has checked the
 * frames' checksums.
 */

import { LogSeries, LogTag, LogTime, LogValue } from '../wasm/tables/codes.js';

export interface SeriesHeader {
  /** Cluster, host and the levels below. */
  levels: string[];
  metric: string;
  /** Seconds. */
  frequency: number;
  blocks: number;
}

export interface LogRecord {
  kind: 'sample';
  levels: string[];
  metric: string;
  /** Unix seconds. */
  time: number;
  value: number;
}

export interface FreeRecord {
  kind: 'free';
  levels: string[];
  /** Unix seconds. */
  to: number;
}

const decoder = new TextDecoder();

/** A position in a payload. Reading past its end throws a RangeError. */
class Cursor {
  readonly view: DataView;
  at = 0;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  i64(): number {
    return Number(this.view.getBigInt64(this.skip(8), true));
  }

  text(length: number): string {
    const at = this.skip(length);
    if (this.at > this.bytes.length) throw new RangeError('a name is longer than its frame');
    return decoder.decode(this.bytes.subarray(at, this.at));
  }

  /** u8 count, each u8 length + bytes. */
  levels(): string[] {
    const levels: string[] = [];
    for (let n = this.u8(); n > 0; n--) levels.push(this.text(this.u8()));
    return levels;
  }

  metric(): string {
    return this.text(this.view.getUint16(this.skip(2), true));
  }

  /** @returns the position before. */
  skip(bytes: number): number {
    const at = this.at;
    this.at += bytes;
    return at;
  }
}

/** The series of a checkpoint's frame, without their blocks. @throws RangeError when they make no sense. */
export function* seriesHeaders(payload: Uint8Array): Generator<SeriesHeader> {
  const cursor = new Cursor(payload);
  while (!cursor.done) {
    const levels = cursor.levels();
    const metric = cursor.metric();
    const frequency = cursor.u32();
    cursor.i64();
    const bytes = cursor.u32();
    const blocks = cursor.view.getUint16(cursor.skip(2), true);
    yield { levels, metric, frequency, blocks };
    cursor.skip(bytes);
  }
}

/** Reads one log segment's frames, in order: numbers mean what earlier frames have said. */
export class LogFrames {
  #series = new Map<number, { levels: string[]; metric: string }>();

  /** Records of unknown series are left out. @throws RangeError when they make no sense. */
  *records(payload: Uint8Array): Generator<LogRecord | FreeRecord> {
    const cursor = new Cursor(payload);
    let number = -1;
    let time = 0;
    while (!cursor.done) {
      const tag = cursor.u8();
      const kind: LogSeries = tag & LogTag.Series;
      if (kind === LogSeries.Free) {
        const to = cursor.i64();
        yield { kind: 'free', levels: cursor.levels(), to };
        this.#series = new Map();
        continue;
      }
      number = kind === LogSeries.Next ? number + 1 : cursor.u32();
      if (kind === LogSeries.Define) this.#series.set(number, { levels: cursor.levels(), metric: cursor.metric() });
      const timeKind: LogTime = tag & LogTag.Time;
      if (timeKind === LogTime.Delta) time += cursor.view.getInt32(cursor.skip(4), true);
      else if (timeKind === LogTime.Full) time = cursor.i64();
      const value = readValue(cursor, tag & LogTag.Value);
      const series = this.#series.get(number);
      if (series) yield { kind: 'sample', ...series, time, value };
    }
  }
}

function readValue(cursor: Cursor, kind: LogValue): number {
  const { view } = cursor;
  switch (kind) {
    case LogValue.F64:
      return view.getFloat64(cursor.skip(8), true);
    case LogValue.Zero:
      return 0;
    case LogValue.U8:
      return cursor.u8();
    case LogValue.I16:
      return view.getInt16(cursor.skip(2), true);
    case LogValue.I32:
      return view.getInt32(cursor.skip(4), true);
    case LogValue.F32:
      return view.getFloat32(cursor.skip(4), true);
    default:
      throw new RangeError(`a value of kind ${kind >> 4}`);
  }
}
