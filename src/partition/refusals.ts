/** Lines that were refused: how many by reason, and the newest example of each, for whoever has to find the sender. */
import { LineError } from '../wasm/tables/codes.js';
import { lineReasons } from '../wasm/tables/line-reasons.js';
import type { Batch } from '../wasm/writes.js';

export interface RefusalExample {
  /** When it came, unix seconds. */
  time: number;
  /** The line, at most `LONGEST` characters of it. */
  line: string;
}

export interface RefusalFigures {
  /** As metrics name it: `bad_value`. */
  reason: string;
  /** What was expected, for people. */
  text: string;
  /** Lines since start. */
  count: number;
  /** The newest one; undefined: there was none that was described. */
  example?: RefusalExample;
}

const LONGEST = 300;
const NEWLINE = 0x0a;
const decoder = new TextDecoder();

export class Refusals {
  readonly #examples = new Map<LineError, RefusalExample>();

  /** Notes the first line of each reason of a batch. @param text the whole text of the batch. @param now unix seconds. */
  note(text: Uint8Array, { refusals }: Batch, now: number): void {
    const noted = new Set<LineError>();
    let [line, start] = [1, 0];
    // They are in order of their lines, so the text is walked through once at most.
    for (const [wanted, reason] of refusals) {
      if (noted.has(reason)) continue;
      noted.add(reason);
      for (; line < wanted && start >= 0; line++) start = text.indexOf(NEWLINE, start) + 1 || -1;
      if (start < 0) return;
      const end = text.indexOf(NEWLINE, start);
      const bytes = text.subarray(start, end < 0 ? text.length : end);
      this.#examples.set(reason, { time: now, line: decoder.decode(bytes.subarray(0, 4 * LONGEST)).slice(0, LONGEST) });
    }
  }

  /** Every reason there is, so that a rate is defined before the first refusal. @param counts indexed by `LineError`. */
  figures(counts: readonly number[]): RefusalFigures[] {
    const figures: RefusalFigures[] = [];
    for (let code: LineError = LineError.None + 1; LineError[code] !== undefined; code++) {
      const example = this.#examples.get(code);
      const reason = (LineError[code] ?? '').replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase();
      figures.push({ reason, text: lineReasons[code], count: counts[code] ?? 0, ...(example && { example }) });
    }
    return figures;
  }
}
