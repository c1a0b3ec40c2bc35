/** Who writes, by address: what came last, how much, and what went wrong. Kept in little memory, whoever connects. */
import type { WriteOutcome } from '../store/store.js';

export interface WriterFigures {
  address: string;
  /** Requests, also those that failed. */
  writes: number;
  /** Samples stored, and lines refused. */
  stored: number;
  refused: number;
  /** Unix seconds of the last one. */
  last: number;
  /** What went wrong last, also when it is over. */
  error: { time: number; text: string } | null;
}

/** Addresses that are remembered; the one that has been silent for longest goes first. */
const MAX_WRITERS = 1024;
const LONGEST_ERROR = 300;

export class Writers {
  /** In the order of their last writes. */
  readonly #writers = new Map<string, WriterFigures>();
  readonly #now: () => number;

  /** @param now unix seconds, for tests. */
  constructor(now: () => number = () => Date.now() / 1000) {
    this.#now = now;
  }

  /** @param address of the other end; undefined: it has left already, and nothing is noted. */
  wrote(address: string | undefined, { stored, refused, refusals }: WriteOutcome): void {
    const writer = this.#of(address);
    if (writer === undefined) return;
    writer.stored += stored;
    writer.refused += refused;
    const [first] = refusals;
    if (refused > 0) {
      writer.error = this.#error(
        first === undefined ? `${refused} lines refused` : `line ${first.line}: ${first.reason}`,
      );
    }
  }

  failed(address: string | undefined, error: unknown): void {
    const writer = this.#of(address);
    if (writer !== undefined) writer.error = this.#error(error instanceof Error ? error.message : String(error));
  }

  /** The latest first. */
  figures(): WriterFigures[] {
    return [...this.#writers.values()].reverse();
  }

  #of(address: string | undefined): WriterFigures | undefined {
    if (address === undefined) return undefined;
    // How Node names IPv4 on a socket that takes both.
    const key = address.replace(/^::ffff:/, '');
    const known = this.#writers.get(key);
    const writer = known ?? { address: key, writes: 0, stored: 0, refused: 0, last: 0, error: null };
    if (known !== undefined) this.#writers.delete(key);
    else if (this.#writers.size >= MAX_WRITERS) this.#forgetOldest();
    this.#writers.set(key, writer);
    writer.writes++;
    writer.last = this.#now();
    return writer;
  }

  #forgetOldest(): void {
    const oldest = this.#writers.keys().next();
    if (!oldest.done) this.#writers.delete(oldest.value);
  }

  #error(text: string): { time: number; text: string } {
    return { time: this.#now(), text: text.slice(0, LONGEST_ERROR) };
  }
}
