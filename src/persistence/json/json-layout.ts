/** A partition's checkpoints in the JSON layout (json-windows.ts). */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Core } from '../../wasm/core.js';
import type { CheckpointRun } from '../checkpoint/checkpoint-run.js';
import { removeFile } from '../files.js';
import { classifyReferenceFile, scanReferenceDirectory } from '../reference/directory.js';
import { JsonCheckpoint } from './json-checkpoint.js';
import { isJsonWindow } from './json-windows.js';

export class JsonLayout {
  readonly #core: Core;
  readonly #root: string;
  readonly #windowSeconds: number;

  /** @param root the checkpoint directory. */
  constructor(core: Core, root: string, windowSeconds: number) {
    this.#core = core;
    this.#root = root;
    this.#windowSeconds = windowSeconds;
  }

  /**
   * Begins a checkpoint. @param full all windows, not only those in which something is new.
   * @param firstSegment log segments below it will be covered. @param keepBefore unix seconds: memory may lack what is older.
   */
  begin(full: boolean, firstSegment: number, keepBefore: number): CheckpointRun {
    return new JsonCheckpoint(this.#core, this.#root, this.#windowSeconds, full, firstSegment, keepBefore);
  }

  /** Removes what a killed process left unfinished for the partition's hosts. */
  async removeUnfinished(): Promise<void> {
    for (const { cluster, host } of await scanReferenceDirectory(this.#root)) {
      if (!this.#core.owns(cluster, host)) continue;
      const directory = join(this.#root, cluster, host);
      for (const name of await readdir(directory)) {
        if (name.endsWith('.tmp') && classifyReferenceFile(name.slice(0, -4))) removeFile(join(directory, name));
      }
    }
  }

  /** Removes windows of the partition's hosts that end at or before `to`, unix seconds. @returns their number. */
  drop(to: number): Promise<number> {
    return dropWindows(this.#root, this.#windowSeconds, to, (cluster, host) => this.#core.owns(cluster, host));
  }
}

/** Removes windows that end at or before `to`, unix seconds, of the hosts that `owns` says yes to. @returns their number. */
export async function dropWindows(
  root: string,
  windowSeconds: number,
  to: number,
  owns: (cluster: string, host: string) => boolean,
): Promise<number> {
  let dropped = 0;
  for (const { cluster, host, files } of await scanReferenceDirectory(root)) {
    if (!owns(cluster, host)) continue;
    for (const file of files) {
      if (file.from + windowSeconds > to || !(await isJsonWindow(file, windowSeconds))) continue;
      await rm(file.path);
      dropped++;
    }
  }
  return dropped;
}
