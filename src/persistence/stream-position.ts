/**
 * How far a partition's samples go in the stream that they come from (src/cluster/copies/follower.ts), in `stream.json` of its directory.
 *
 * A position is saved only when the log that holds its samples is synced, so it is never ahead of them. After a crash it
 * may be behind by some seconds: these messages are applied again, in the same order, and every bin ends as it was.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './files.js';
import { STREAM } from './layout.js';

/** The last message of a stream whose samples are in the log. */
export interface Position {
  /** When the stream was made, as NATS says it: another one has other messages under the same numbers. */
  created: string;
  seq: number;
  /** When the message was stored in the stream, milliseconds since 1970 as text. */
  time: string;
  /** The stream was made anew: how far the samples go in the one before. */
  before?: Origin;
}

/** A message of a stream that is no more. */
export interface Origin {
  created: string;
  seq: number;
}

/** Whether something that was read is a position. */
export function isPosition(value: unknown): value is Position {
  const { created, seq, time, before } = (value ?? {}) as Partial<Position>;
  const isOrigin = typeof created === 'string' && Number.isSafeInteger(seq);
  if (!isOrigin || typeof time !== 'string') return false;
  return before === undefined || (typeof before?.created === 'string' && Number.isSafeInteger(before.seq));
}

/** The position of a partition's directory; undefined: it has none. @throws Error that names the file when it makes no sense. */
export function readPosition(directory: string): Position | undefined {
  const path = join(directory, STREAM);
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isPosition(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(
    `${path}: expected {"created": ..., "seq": ..., "time": ...}; remove the directory, and the partition is copied from another store`,
  );
}

/** Saves a position durably. The log that holds its samples must be synced. */
export function writePosition(directory: string, position: Position): void {
  replaceFile(join(directory, STREAM), `${JSON.stringify(position)}\n`);
}
