/**
 * A checkpoint in `.blocks` files. A full one is one file. Another one is two:
 *
 *   sealed   blocks that no file holds yet: stays until a full checkpoint
 *   open     the newest bins of all series: the next checkpoint replaces it, or a start would read them again and again
 *
 * The open blocks are written first (assembly/durable/checkpoint.ts says why), and read last.
 */

import type { Core } from '../../wasm/core.js';
import { CheckpointContent } from '../../wasm/tables/codes.js';
import { CheckpointFileWriter } from './checkpoint-file.js';
import type { CheckpointRun } from './checkpoint-run.js';
import type { CheckpointFile } from './manifest.js';

export class BlocksCheckpoint implements CheckpointRun {
  readonly #begin: (part: CheckpointContent) => CheckpointFileWriter;
  readonly #start = performance.now();
  /** In the order in which they are written. */
  readonly #files: CheckpointFileWriter[];

  /**
   * @param takeName gives the names of new files, in the order in which they are to be read.
   * @param full also what older files hold. @param firstSegment log segments below it will be covered.
   * @throws the file system's error when a file can't be made.
   */
  constructor(
    core: Core,
    directory: string,
    takeName: () => string,
    readonly full: boolean,
    readonly firstSegment: number,
  ) {
    const sealedName = takeName();
    const openName = full ? '' : takeName();
    this.#begin = (part) =>
      new CheckpointFileWriter(core, directory, part === CheckpointContent.Open ? openName : sealedName, part);
    this.#files = [this.#begin(full ? CheckpointContent.Full : CheckpointContent.Open)];
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  step(): boolean {
    if (this.#files.at(-1)?.step()) return true;
    if (this.full || this.#files.length === 2) return false;
    this.#files.push(this.#begin(CheckpointContent.Sealed));
    return true;
  }

  async finish(): Promise<CheckpointFile[]> {
    const entries: CheckpointFile[] = [];
    for (const file of this.#files) {
      const entry = await file.finish();
      if (entry) entries.unshift(entry);
    }
    return entries;
  }

  abandon(): void {
    for (const file of this.#files) file.abandon();
  }
}
