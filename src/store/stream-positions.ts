/**
 * How far each stream has been read that is followed in order, in `stream-positions.json` of the checkpoint directory.
 *
 * A position is saved only when the log that holds its samples is as safe as it will be (`Store.sync`), so that it is never
 * ahead of them. After a crash it may be behind by what was read in the last second: that is read again, in the same order,
 * and every bin ends as it was.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../persistence/files.js';
import { isPosition, type Position } from '../persistence/stream-position.js';

export type { Position } from '../persistence/stream-position.js';

const NAME = 'stream-positions.json';

export class Positions {
  readonly #path: string;
  readonly #all: Map<string, Position>;
  /** What has been saved. */
  #saved: string;

  /** Reads the file. @throws Error when it is there and is no such file. */
  constructor(directory: string) {
    this.#path = join(directory, NAME);
    this.#all = new Map(existsSync(this.#path) ? Object.entries(parse(this.#path)) : []);
    this.#saved = this.#text();
  }

  /** Undefined: nothing of it was read yet. */
  of(stream: string, subject: string): Position | undefined {
    return this.#all.get(keyOf(stream, subject));
  }

  set(stream: string, subject: string, position: Position | undefined): void {
    if (position) this.#all.set(keyOf(stream, subject), position);
    else this.#all.delete(keyOf(stream, subject));
  }

  #text(): string {
    return `${JSON.stringify({ version: 1, positions: Object.fromEntries(this.#all) }, null, 1)}\n`;
  }

  /** Makes what was set durable. @param sync makes the log durable that holds the samples. @throws the errors of both. */
  async save(sync: () => Promise<void>): Promise<void> {
    const text = this.#text();
    if (text === this.#saved) return;
    await sync();
    replaceFile(this.#path, text);
    this.#saved = text;
  }
}

/** A stream may be followed for several subjects. */
function keyOf(stream: string, subject: string): string {
  return `${stream} ${subject}`;
}

function parse(path: string): Record<string, Position> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(
      `${path}: not JSON: ${(error as Error).message}; remove it to read the streams from their beginning`,
    );
  }
  const { version, positions } = (value ?? {}) as { version?: unknown; positions?: unknown };
  const known = version === 1 && typeof positions === 'object' && positions !== null ? positions : undefined;
  if (known && Object.values(known).every(isPosition)) return known as Record<string, Position>;
  throw new Error(
    `${path}: expected {"version": 1, "positions": {...}}; remove it to read the streams from their beginning`,
  );
}
