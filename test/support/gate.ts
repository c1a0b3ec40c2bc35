/** Keeps a server from reading its files until a test has seen what it wants to see of the load. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Gate {
  readonly #path: string;

  /** A closed gate. @param dir directory of the server, where the gate is a file. */
  constructor(dir: string) {
    this.#path = join(dir, 'gate');
    this.close('');
  }

  /** The environment of the server that waits at it. */
  get env(): { NODE_OPTIONS: string; CCMS_GATE: string } {
    return { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'gated-files.mjs')}`, CCMS_GATE: this.#path };
  }

  /** From now on only files wait whose path matches `pattern`. */
  close(pattern: string): void {
    // A server that reads the gate meanwhile finds the old or the new one.
    writeFileSync(`${this.#path}.new`, pattern);
    renameSync(`${this.#path}.new`, this.#path);
  }

  open(): void {
    rmSync(this.#path, { force: true });
  }
}
