/** Writes one checkpoint file in steps, while the core goes on storing. */
import { close, closeSync, fdatasync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Core } from '../../wasm/core.js';
import { CheckpointContent } from '../../wasm/tables/codes.js';
import { headerFrame } from '../file-header.js';
import { removeFile, syncDirectory, writeAll } from '../files.js';
import { checkpointNumber } from '../layout.js';
import type { CheckpointFile } from './manifest.js';

const sync = promisify(fdatasync);
const closeAsync = promisify(close);

/** Bytes that are made and written at a time. */
const STEP_BYTES = 48 << 10;

export class CheckpointFileWriter {
  readonly #core: Core;
  readonly #path: string;
  readonly #name: string;
  readonly #part: CheckpointContent;
  #fd: number;
  #cursor = 0;
  #bytes = 0;
  #written = { from: 0, to: 0, series: 0 };

  /** @param part of each series. @throws the file system's error when the file can't be made. */
  constructor(core: Core, directory: string, name: string, part: CheckpointContent) {
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
    this.#cursor = next;
    if (bytes.length) {
      // The header is made in the same memory.
      const frames = this.#bytes ? bytes : bytes.slice();
      if (!this.#bytes) this.#write(headerFrame(this.#core, checkpointNumber(this.#name), Date.now() / 1000));
      this.#write(frames);
    }
    if (next >= 0) return true;
    const { checkpointSpan, checkpointSeries } = this.#core.files;
    this.#written = { ...checkpointSpan, series: checkpointSeries };
    return false;
  }

  #write(bytes: Uint8Array): void {
    try {
      writeAll(this.#fd, bytes);
    } catch (error) {
      throw new Error(`${this.#path}: ${(error as Error).message}`, { cause: error });
    }
    this.#bytes += bytes.length;
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
    const open = this.#part === CheckpointContent.Open;
    return { name: this.#name, bytes: this.#bytes, ...this.#written, ...(open && { open }) };
  }

  /** Gives the file up. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    removeFile(this.#path);
  }
}
