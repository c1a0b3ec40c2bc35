/** Writes one checkpoint file in steps, while the core goes on storing. */
import { close, closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Core } from '../core/instance.js';
import { writeAll } from './files.js';
import { type CheckpointFile, removeFile } from './layout.js';

const sync = promisify(fdatasync);
const closeAsync = promisify(close);

export class CheckpointWriter {
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
    core.checkpointBegin();
  }

  /** Seconds since it began. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Makes and writes about `budget` bytes. @returns whether there is more. @throws the file system's error. */
  step(budget: number): boolean {
    const { bytes, next } = this.#core.checkpointStep(this.#cursor, budget, this.full);
    if (bytes.length) {
      writeAll(this.#fd, bytes);
      this.#bytes += bytes.length;
    }
    this.#cursor = next;
    return next >= 0;
  }

  /** Makes the file durable. @returns its entry in the manifest; undefined when there was nothing to write. */
  async finish(): Promise<CheckpointFile | undefined> {
    const fd = this.#fd;
    await sync(fd);
    this.#fd = -1;
    await closeAsync(fd);
    if (!this.#bytes) {
      removeFile(this.#path);
      return undefined;
    }
    const { from, to } = this.#core.checkpointSpan;
    return { name: this.#name, bytes: this.#bytes, from, to };
  }

  /** Gives the file up. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    removeFile(this.#path);
  }
}
