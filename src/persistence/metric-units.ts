/**
 * Units of metrics as lines have brought them (the tag `unit` of cc-metric-collector): `<checkpoints.directory>/units.json`. The core
 * keeps the first one of each metric, but reads tags only when a series sends for the first time; over restarts the file knows.
 *
 *   {"version": 1, "units": {"flops_any": "F/s"}}
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.js';
import { replaceFile } from './files.js';

const NAME = 'units.json';

export class MetricUnits {
  readonly #path: string;
  readonly #log: Logger;
  readonly #seen: () => Promise<ReadonlyMap<string, string>>;
  /** Undefined: the file was not read yet. */
  #units: Map<string, string> | undefined;

  /** @param root the checkpoint directory. @param seen units that have come since the start. */
  constructor(root: string, log: Logger, seen: () => Promise<ReadonlyMap<string, string>>) {
    this.#path = join(root, NAME);
    this.#log = log;
    this.#seen = seen;
  }

  /** All that are known, those that came first; what is new is written down. Rejects as `seen` does. */
  async all(): Promise<ReadonlyMap<string, string>> {
    const seen = await this.#seen();
    this.#units ??= this.#read();
    const before = this.#units.size;
    for (const [metric, unit] of seen) if (!this.#units.has(metric)) this.#units.set(metric, unit);
    if (this.#units.size > before) this.#write(this.#units);
    return this.#units;
  }

  #read(): Map<string, string> {
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.warn(`${this.#path}: it is made anew`, error);
      return new Map();
    }
    const { version, units } = (value ?? {}) as Record<string, unknown>;
    if (version === 1 && typeof units === 'object' && units !== null) {
      const entries = Object.entries(units);
      if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return new Map(entries);
    }
    this.#log.warn(`${this.#path}: expected {"version": 1, "units": {"metric": "unit"}}; it is made anew`);
    return new Map();
  }

  /** When that fails, the next series that sends brings the units again. */
  #write(units: ReadonlyMap<string, string>): void {
    try {
      replaceFile(this.#path, `${JSON.stringify({ version: 1, units: Object.fromEntries(units) })}\n`);
    } catch (error) {
      this.#log.warn(`${this.#path}: not written`, error);
    }
  }
}
