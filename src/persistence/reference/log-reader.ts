import { ByteSource } from './byte-source.js';
import { crc32 } from './crc32.js';
import { ownerOf } from './directory.js';
import { type LogBatch, type LogSample, type LogSeries, ReferenceFormatError } from './types.js';

export const LOG_MAGIC = 0xcc1da701;
export const LOG_RECORD_MAGIC = 0xcc1da7a1;

/** Magic and length before the payload, CRC-32 after it. */
const FRAME_SIZE = 12;
const TIME_SIZE = 8;
const VALUE_SIZE = 4;

/** Time, name length, a letter of name, count of levels, value. */
const MIN_PAYLOAD = TIME_SIZE + 2 + 1 + 1 + VALUE_SIZE;
/** The longest payload that names can make: the reference's own limit of 1 MiB is never reached. */
const MAX_PAYLOAD = TIME_SIZE + 2 + 0xffff + 1 + 255 * 256 + VALUE_SIZE;

const WINDOW_SIZE = 1 << 20;
const BATCH_SAMPLES = 16_384;

/** Bytes `[from, to)` of a log that hold no whole record and were passed over. */
export interface LogDamage {
  from: number;
  to: number;
  why: string;
}

export interface LogReport {
  /** Records whose checksum holds. */
  records: number;
  /** How many stretches were passed over, and their bytes. */
  damaged: number;
  damagedBytes: number;
}

/**
 * Reads the reference's log in batches, in the file's order. A record that is torn or does not match its checksum is
 * passed over up to the next one whose magic, shape and checksum hold (the reference stops at the first torn record and
 * loses everything after it); each such stretch is given to `damaged`.
 * @throws ReferenceFormatError if the file has content, but neither the log's magic nor a single whole record.
 */
export async function* readReferenceLog(
  path: string,
  damaged: (damage: LogDamage) => void = () => {},
): AsyncGenerator<LogBatch, LogReport> {
  const source = await ByteSource.open(path, WINDOW_SIZE);
  try {
    const report: LogReport = { records: 0, damaged: 0, damagedBytes: 0 };
    const passOver = (damage: LogDamage) => {
      report.damaged++;
      report.damagedBytes += damage.to - damage.from;
      damaged(damage);
    };
    const batcher = new Batcher(path);
    let lost: { from: number; why: string } | undefined;
    await source.fill(4);
    const foreign = source.size > 0 && !hasFileMagic(source);
    if (foreign) lost = { from: 0, why: 'the magic of a log is missing' };
    else source.at += Math.min(4, source.buffered);
    while (source.remaining > 0) {
      // A record may be as long as MAX_PAYLOAD; only at the file's end are there fewer bytes.
      await source.fill(Math.min(MAX_PAYLOAD + FRAME_SIZE, source.remaining));
      const fault = recordFault(source);
      if (typeof fault === 'string') {
        lost ??= { from: source.offset, why: fault };
        skipToMagic(source);
        continue;
      }
      if (lost !== undefined) passOver({ ...lost, to: source.offset });
      lost = undefined;
      report.records++;
      batcher.push(source, fault);
      source.at += FRAME_SIZE + fault;
      if (batcher.full) yield batcher.take();
    }
    if (foreign && report.records === 0) {
      throw new ReferenceFormatError(path, 0, 'neither the magic of a log (0xCC1DA701) nor a whole record');
    }
    if (lost !== undefined) passOver({ ...lost, to: source.size });
    if (!batcher.empty) yield batcher.take();
    return report;
  } finally {
    await source.close();
  }
}

/** The records of a batch one by one. */
export function* logSamples(batch: LogBatch): Generator<LogSample> {
  for (let i = 0; i < batch.count; i++) {
    const { levels, metric } = batch.series[batch.seriesIndex[i] as number] as LogSeries;
    const timestamp = batch.timestamps[i] as number;
    yield { cluster: batch.cluster, host: batch.host, levels, metric, timestamp, value: batch.values[i] as number };
  }
}

function hasFileMagic(source: ByteSource): boolean {
  return source.buffered >= 4 && source.view.getUint32(source.at, true) === LOG_MAGIC;
}

/** The length of the payload of the whole record at the source's position, or what is wrong with it. */
function recordFault(source: ByteSource): number | string {
  const { view, bytes, at, buffered } = source;
  if (buffered < FRAME_SIZE + MIN_PAYLOAD) return 'the file ends within a record';
  if (view.getUint32(at, true) !== LOG_RECORD_MAGIC) return 'the magic of a record is missing';
  const length = view.getUint32(at + 4, true);
  if (length < MIN_PAYLOAD || length > MAX_PAYLOAD) return `a record of ${length} bytes`;
  if (FRAME_SIZE + length > buffered) return 'the file ends within a record';
  const payload = at + 8;
  const end = payload + length;
  // The shape is checked first: it is cheaper than the checksum, and a false magic seldom has it.
  if (!hasRecordShape(source, payload, end)) return 'lengths of names that do not fit the record';
  if (crc32(bytes, payload, end) !== view.getUint32(end, true)) return 'a checksum that does not hold';
  return length;
}

function hasRecordShape(source: ByteSource, payload: number, end: number): boolean {
  const { view, bytes } = source;
  const nameLength = view.getUint16(payload + TIME_SIZE, true);
  let at = payload + TIME_SIZE + 2 + nameLength;
  if (nameLength === 0 || at >= end - VALUE_SIZE) return false;
  let levels = bytes[at++] as number;
  for (; levels > 0 && at < end - VALUE_SIZE; levels--) at += 1 + (bytes[at] as number);
  return levels === 0 && at === end - VALUE_SIZE;
}

/** Moves on by at least one byte, to where the next record may begin. */
function skipToMagic(source: ByteSource): void {
  const { bytes, end } = source;
  // 0xA1 is the magic's first byte on disk, and `indexOf` runs at memory speed.
  const next = bytes.indexOf(LOG_RECORD_MAGIC & 0xff, source.at + 1);
  source.at = next < 0 || next > end ? end : next;
}

/** Collects records into columns and numbers the series of the file. */
class Batcher {
  readonly #cluster: string;
  readonly #host: string;
  readonly #series: LogSeries[] = [];
  /** By the bytes between time and value, which are the series' name. */
  readonly #numbers = new Map<string, number>();
  #count = 0;
  #seriesIndex = new Uint32Array(0);
  #timestamps = new Float64Array(0);
  #values = new Float64Array(0);

  constructor(path: string) {
    ({ cluster: this.#cluster, host: this.#host } = ownerOf(path));
  }

  get full(): boolean {
    return this.#count === BATCH_SAMPLES;
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  /** @param length of the payload of the whole record at the source's position. */
  push(source: ByteSource, length: number): void {
    if (this.#count === 0) {
      this.#seriesIndex = new Uint32Array(BATCH_SAMPLES);
      this.#timestamps = new Float64Array(BATCH_SAMPLES);
      this.#values = new Float64Array(BATCH_SAMPLES);
    }
    const payload = source.at + 8;
    const value = payload + length - VALUE_SIZE;
    const i = this.#count++;
    this.#seriesIndex[i] = this.#number(source.bytes, payload + TIME_SIZE, value);
    this.#timestamps[i] = source.view.getInt32(payload + 4, true) * 2 ** 32 + source.view.getUint32(payload, true);
    this.#values[i] = source.view.getFloat32(value, true);
  }

  take(): LogBatch {
    const count = this.#count;
    this.#count = 0;
    return {
      cluster: this.#cluster,
      host: this.#host,
      series: this.#series,
      count,
      seriesIndex: this.#seriesIndex,
      timestamps: this.#timestamps,
      values: this.#values,
    };
  }

  #number(bytes: Buffer, from: number, to: number): number {
    const key = bytes.toString('latin1', from, to);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#series.push(parseSeries(bytes, from)) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** Precondition: the shape was checked. */
function parseSeries(bytes: Buffer, from: number): LogSeries {
  const nameEnd = from + 2 + bytes.readUInt16LE(from);
  const metric = bytes.toString('utf8', from + 2, nameEnd);
  const levels: string[] = [];
  let at = nameEnd + 1;
  for (let left = bytes[nameEnd] as number; left > 0; left--) {
    const end = at + 1 + (bytes[at] as number);
    levels.push(bytes.toString('utf8', at + 1, end));
    at = end;
  }
  return { levels, metric };
}
