/** Writes one checkpoint file in steps, while the core goes on storing. */
import { close, closeSync, fdatasync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CheckpointPart } from '../../wasm/codes.js';
import type { Core } from '../../wasm/core.js';
import { removeFile, syncDirectory, writeAll } from '../files.js';
import type { CheckpointFile } from './manifest.js';

const sync = promisify(fdatasync);
const closeAsync = promisify(close);

/** Bytes that are made and written at a time. */
const STEP_BYTES = 48 << 10;

export class CheckpointFileWriter {
  readonly #core: Core;
  readonly #path: string;
  readonly #name: string;
  readonly #part: CheckpointPart;
  #fd: number;
  #cursor = 0;
  #bytes = 0;
  #span = { from: 0, to: 0 };

  /** @param part of each series. @throws the file system's error when the file can't be made. */
  constructor(core: Core, directory: string, name: string, part: CheckpointPart) {
    this.#core = core;
    this.#path = join(directory, name);
    this.#name = name;
    this.#part = part;
    this.#fd = openSync(this.#path, 'w');
    core.files.checkpointBegin();
  }

  /** Written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Makes and writes a little. @returns whether there is more. @throws the file system's error. */
  step(): boolean {
    const { bytes, next } = this.#core.files.checkpointStep(this.#cursor, STEP_BYTES, this.#part);
    if (bytes.length) {
      try {
        writeAll(this.#fd, bytes);
      } catch (error) {
        throw new Error(`${this.#path}: ${(error as Error).message}`, { cause: error });
      }
      this.#bytes += bytes.length;
    }
    this.#cursor = next;
    if (next >= 0) return true;
    this.#span = this.#core.files.checkpointSpan;
    return false;
  }

  /** Makes the file durable. @returns its entry in the manifest; undefined when there was nothing to write. */
  async finish(): Promise<CheckpointFile | undefined> {
    const fd = this.#fd;
    await sync(fd).catch((error: Error) => {
      throw new Error(`${this.#path}: ${error.message}`, { cause: error });
    });
    this.#fd = -1;
    await closeAsync(fd);
    if (!this.#bytes) {
      removeFile(this.#path);
      return undefined;
    }
    // The manifest must never name a file whose own name a power cut has taken.
    syncDirectory(dirname(this.#path));
    const open = this.#part === CheckpointPart.Open;
    return { name: this.#name, bytes: this.#bytes, ...this.#span, ...(open && { open }) };
  }

  /** Gives the file up. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    removeFile(this.#path);
  }
}
