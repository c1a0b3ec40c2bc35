/** Writes one checkpoint file in steps, while the core goes on storing. */
import { close, closeSync, fdatasync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Core } from '../../wasm/core.js';
import { removeFile, syncDirectory, writeAll } from '../files.js';
import type { CheckpointRun } from './checkpoint-run.js';
import type { CheckpointFile } from './manifest.js';

const sync = promisify(fdatasync);
const closeAsync = promisify(close);

/** Bytes that are made and written at a time. */
const STEP_BYTES = 48 << 10;

export class CheckpointWriter implements CheckpointRun {
  readonly #core: Core;
  readonly #path: string;
  readonly #name: string;
  readonly #start = performance.now();
  #fd: number;
  #cursor = 0;
  #bytes = 0;

  /**
   * @param full also what older files hold. @param firstSegment log segments below it will be covered.
   * @throws the file system's error when the file can't be made.
   */
  constructor(
    core: Core,
    path: string,
    name: string,
    readonly full: boolean,
    readonly firstSegment: number,
  ) {
    this.#core = core;
    this.#path = path;
    this.#name = name;
    this.#fd = openSync(path, 'w');
    core.files.checkpointBegin();
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get bytes(): number {
    return this.#bytes;
  }

  step(): boolean {
    const { bytes, next } = this.#core.files.checkpointStep(this.#cursor, STEP_BYTES, this.full);
    if (bytes.length) {
      try {
        writeAll(this.#fd, bytes);
      } catch (error) {
        throw new Error(`${this.#path}: ${(error as Error).message}`, { cause: error });
      }
      this.#bytes += bytes.length;
    }
    this.#cursor = next;
    return next >= 0;
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
    const { from, to } = this.#core.files.checkpointSpan;
    return { name: this.#name, bytes: this.#bytes, from, to };
  }

  /** Gives the file up. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    removeFile(this.#path);
  }
}
