import { ByteSource } from './byte-source.js';
import { ownerOf } from './directory.js';
import { MAX_FREQUENCY, MAX_LEVELS, MAX_RUN_BINS, MAX_TIME, ReferenceFormatError, type SeriesRun } from './types.js';

export const BIN_MAGIC = 0xcc5b0001;

/** Magic, from, to. */
export const BIN_HEADER_SIZE = 20;

/** Fewest bytes that a metric takes (one letter of name) and a child level takes (empty of metrics and children). */
const MIN_METRIC_SIZE = 2 + 1 + 8 + 8 + 4;
const MIN_CHILD_SIZE = 2 + 4 + 4;

export interface Window {
  /** Unix seconds, inclusive. */
  from: number;
  /** Unix seconds, exclusive; 0: not said. */
  to: number;
}

/**
 * Reads a binary checkpoint, a run at a time, in the file's order. The format has no checksum: damage shows only where
 * counts, names or times become impossible. Runs before that place have been handed out by then.
 * @throws ReferenceFormatError where the file stops making sense; errors of the file system as they are.
 */
export async function* readBin(path: string): AsyncGenerator<SeriesRun, Window> {
  const source = await ByteSource.open(path);
  try {
    const window = await readHeader(source);
    const { cluster, host } = ownerOf(path);
    // Children still to come, a number for each level that is open.
    const childrenLeft: number[] = [];
    const levels: string[] = [];
    for (;;) {
      const metrics = await readCount(source, 'count of metrics', MIN_METRIC_SIZE);
      for (let i = 0; i < metrics; i++) yield* readMetric(source, cluster, host, levels);
      childrenLeft.push(await readCount(source, 'count of levels', MIN_CHILD_SIZE));
      while (childrenLeft.at(-1) === 0) {
        childrenLeft.pop();
        levels.pop();
      }
      const top = childrenLeft.length - 1;
      if (top < 0) break;
      childrenLeft[top] = (childrenLeft[top] as number) - 1;
      if (levels.length === MAX_LEVELS) throw damage(source, `levels nested deeper than ${MAX_LEVELS}`);
      levels.push(await readName(source, 'level'));
    }
    if (source.remaining > 0) throw damage(source, `${source.remaining} bytes after the end, expected none`);
    return window;
  } finally {
    await source.close();
  }
}

/** The window that a binary checkpoint covers, from its first bytes alone. Throws as `readBin` does. */
export async function readBinWindow(path: string): Promise<Window> {
  const source = await ByteSource.open(path, BIN_HEADER_SIZE);
  try {
    return await readHeader(source);
  } finally {
    await source.close();
  }
}

async function readHeader(source: ByteSource): Promise<Window> {
  await need(source, BIN_HEADER_SIZE, 'a header of 20 bytes');
  const magic = source.view.getUint32(source.at, true);
  if (magic !== BIN_MAGIC) throw damage(source, `magic 0x${hex(magic)}, expected 0x${hex(BIN_MAGIC)} of a .bin file`);
  source.at += 4;
  const from = readTime(source, 'from');
  const to = readTime(source, 'to');
  return { from, to };
}

async function* readMetric(
  source: ByteSource,
  cluster: string,
  host: string,
  levels: string[],
): AsyncGenerator<SeriesRun> {
  const metric = await readName(source, 'metric');
  await need(source, 20, `frequency, start and count of ${metric}`);
  const frequency = readInt64(source);
  if (!(frequency >= 1 && frequency <= MAX_FREQUENCY)) {
    source.at -= 8;
    throw damage(source, `frequency ${frequency} of ${metric}, expected 1 to ${MAX_FREQUENCY} seconds`);
  }
  let start = readTime(source, `start of ${metric}`);
  const count = await readCount(source, `count of values of ${metric}`, 4);
  for (let left = count; left > 0; ) {
    const values = new Float64Array(Math.min(left, MAX_RUN_BINS));
    await readValues(source, values, metric);
    yield { cluster, host, levels: [...levels], metric, frequency, start, values };
    start += values.length * frequency;
    left -= values.length;
  }
}

async function readValues(source: ByteSource, values: Float64Array, metric: string): Promise<void> {
  for (let done = 0; done < values.length; ) {
    await need(source, 4, `values of ${metric}`);
    const piece = Math.min(values.length - done, source.buffered >>> 2);
    for (let i = 0; i < piece; i++) values[done + i] = source.view.getFloat32(source.at + i * 4, true);
    source.at += piece * 4;
    done += piece;
  }
}

async function readName(source: ByteSource, kind: string): Promise<string> {
  await need(source, 2, `the length of a ${kind}'s name`);
  const length = source.view.getUint16(source.at, true);
  if (length === 0) throw damage(source, `an empty name of a ${kind}`);
  await need(source, 2 + length, `a ${kind}'s name of ${length} bytes`);
  const from = source.at + 2;
  source.at = from + length;
  return source.bytes.toString('utf8', from, source.at);
}

/** A count of things that take at least `minimum` bytes each, so it can be no more than the rest of the file holds. */
async function readCount(source: ByteSource, what: string, minimum: number): Promise<number> {
  await need(source, 4, `a ${what}`);
  const count = source.view.getUint32(source.at, true);
  const room = Math.floor((source.remaining - 4) / minimum);
  if (count > room) throw damage(source, `${what} is ${count}, but the file's rest has room for ${room}`);
  source.at += 4;
  return count;
}

function readTime(source: ByteSource, what: string): number {
  const time = readInt64(source);
  if (!(time >= 0 && time <= MAX_TIME)) {
    source.at -= 8;
    throw damage(source, `${what} is ${time}, expected unix seconds`);
  }
  return time;
}

/** Exact up to 2^53, and beyond that far outside of what the callers accept. */
function readInt64(source: ByteSource): number {
  const low = source.view.getUint32(source.at, true);
  const high = source.view.getInt32(source.at + 4, true);
  source.at += 8;
  return high * 2 ** 32 + low;
}

async function need(source: ByteSource, count: number, what: string): Promise<void> {
  if (!(await source.fill(count))) throw damage(source, `the file ends, expected ${what}`);
}

function damage(source: ByteSource, why: string): ReferenceFormatError {
  return new ReferenceFormatError(source.path, source.offset, why);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0').toUpperCase();
}
