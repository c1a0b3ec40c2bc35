import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.js';

const LOG_MS = 5000;
const TELL_MS = 200;

/** Told how many bytes are read of those that are to be read. */
export type Progress = (bytes: number, of: number) => void;

/** Says every few seconds how much of a directory has been read, within large files too. */
export class LoadProgress {
  readonly #directory: string;
  readonly #log: Logger;
  /** Bytes before each file, and of all. */
  readonly #before: number[] = [0];
  #done = 0;
  #said = performance.now();
  #told = 0;
  readonly #tell: Progress;

  constructor(directory: string, files: { name: string }[], log: Logger, tell: Progress) {
    this.#directory = directory;
    this.#log = log;
    this.#tell = tell;
    let sum = 0;
    for (const { name } of files) {
      sum += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
      this.#before.push(sum);
    }
  }

  /** The i-th file is read next. */
  file(i: number): void {
    this.#done = this.#before[i] ?? 0;
  }

  /** Another n bytes of it are read. */
  frame(n: number): void {
    this.#done += n;
    const now = performance.now();
    if (now - this.#told >= TELL_MS) {
      this.#told = now;
      this.#tell(this.#done, this.#before.at(-1) ?? 0);
    }
    if (now - this.#said < LOG_MS) return;
    this.#said = now;
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    this.#log.info(`${this.#directory}: ${megabytes(this.#done)} of ${megabytes(this.#before.at(-1) ?? 0)} MB read`);
  }
}
