import type { Window } from './bin-reader.js';
import { ByteSource } from './byte-source.js';
import { ownerOf } from './directory.js';
import { JsonCursor } from './json-cursor.js';
import { MAX_FREQUENCY, MAX_LEVELS, MAX_RUN_BINS, MAX_TIME, type SeriesRun } from './types.js';

/** Bytes at the end of a file in which the window is looked for. */
const TAIL_SIZE = 128;
/** How the reference, and this project's writer, end a checkpoint. */
const TAIL = /"from":(\d{1,15}),"to":(\d{1,15})\}\s*$/;

interface Owner {
  cluster: string;
  host: string;
}

/**
 * Reads a JSON checkpoint, a run at a time, in the file's order; keys may come in any order, unknown ones are skipped.
 * @throws ReferenceFormatError where the text stops being a checkpoint; what came before has been handed out by then.
 */
export async function* readJsonCheckpoint(path: string): AsyncGenerator<SeriesRun, Window> {
  const cursor = await JsonCursor.open(path);
  try {
    if ((await cursor.peek()) < 0) throw cursor.damage('the file is empty, expected a JSON checkpoint');
    const window = yield* readLevel(cursor, ownerOf(path), []);
    if ((await cursor.peek()) >= 0) throw cursor.damage('text after the end of the checkpoint, expected none');
    return window;
  } finally {
    await cursor.close();
  }
}

/** The window of a JSON checkpoint that ends as the reference ends it, without reading the rest; otherwise undefined. */
export async function readJsonWindow(path: string): Promise<Window | undefined> {
  const source = await ByteSource.open(path, TAIL_SIZE);
  try {
    const length = Math.min(TAIL_SIZE, source.size);
    const { bytesRead } = await source.handle.read(source.bytes, 0, length, source.size - length);
    const match = TAIL.exec(source.bytes.toString('latin1', 0, bytesRead));
    return match === null ? undefined : { from: Number(match[1]), to: Number(match[2]) };
  } finally {
    await source.close();
  }
}

async function* readLevel(cursor: JsonCursor, owner: Owner, levels: string[]): AsyncGenerator<SeriesRun, Window> {
  const window: Window = { from: 0, to: 0 };
  for await (const key of cursor.keys('a level')) {
    if (key === 'metrics') {
      for await (const metric of cursor.keys('the metrics')) yield* readMetric(cursor, owner, levels, metric);
    } else if (key === 'children') {
      for await (const name of cursor.keys('the levels')) {
        if (levels.length === MAX_LEVELS) throw cursor.damage(`levels nested deeper than ${MAX_LEVELS}`);
        yield* readLevel(cursor, owner, [...levels, name]);
      }
    } else if (key === 'from' || key === 'to') {
      window[key] = await readInteger(cursor, key, 0, MAX_TIME);
    } else {
      await cursor.skip();
    }
  }
  return window;
}

async function* readMetric(
  cursor: JsonCursor,
  owner: Owner,
  levels: string[],
  metric: string,
): AsyncGenerator<SeriesRun> {
  let frequency = 0;
  let start = -1;
  // Pieces that came before frequency and start did.
  const waiting: Float64Array[] = [];
  const run = (values: Float64Array): SeriesRun => {
    const first = start;
    start += values.length * frequency;
    return { ...owner, levels: [...levels], metric, frequency, start: first, values };
  };
  for await (const key of cursor.keys(`metric ${metric}`)) {
    if (key === 'frequency') {
      frequency = await readInteger(cursor, `frequency of ${metric}`, 1, MAX_FREQUENCY);
    } else if (key === 'start') {
      start = await readInteger(cursor, `start of ${metric}`, 0, MAX_TIME);
    } else if (key === 'data') {
      for await (const piece of cursor.numberPieces(`data of ${metric}`, MAX_RUN_BINS)) {
        if (frequency > 0 && start >= 0) yield run(piece);
        else waiting.push(piece);
      }
    } else {
      await cursor.skip();
    }
  }
  if (waiting.length > 0 && frequency === 0) throw cursor.damage(`frequency of ${metric} is missing`);
  if (waiting.length > 0 && start < 0) throw cursor.damage(`start of ${metric} is missing`);
  for (const piece of waiting) yield run(piece);
}

async function readInteger(cursor: JsonCursor, what: string, min: number, max: number): Promise<number> {
  const value = await cursor.number(what);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw cursor.damage(`${what} is ${value}, expected a whole number from ${min} to ${max}`);
  }
  return value;
}
