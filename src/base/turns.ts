/**
 * Main thread. Turns of those who evaluate or print long answers here: one after the other, each a few milliseconds long, between
 * them whatever else has come, and while writes come pauses (patience.ts).
 */
import { Jobs } from './jobs.js';
import { Patience } from './patience.js';

/** Milliseconds after which the main thread does other things. */
const SLICE_MS = 4;

const patience = new Patience();
const readers = new Jobs(patience);

/** A worker has stored writes, which took it so many milliseconds; to answer them takes this thread about as long. */
export function writesTook(milliseconds: number): void {
  patience.wrote(milliseconds);
}

/** Resolves when it is the caller's turn again. @param spent milliseconds that its last one took. */
export function nextTurn(spent: number): Promise<void> {
  patience.worked(spent);
  return new Promise((resolve) => {
    readers.add(() => {
      resolve();
      return false;
    });
  });
}

/** Work of any length in turns: it asks `due()` between two of its parts, and waits for `pause()` when it is. */
export class Turns {
  #end = performance.now() + SLICE_MS;

  /** Whether it is time to wait for `pause()`. */
  due(): boolean {
    return performance.now() >= this.#end;
  }

  /** Lets the main thread do other things, and writes go first. */
  async pause(): Promise<void> {
    // What was waited for is none of the turn.
    await nextTurn(Math.min(SLICE_MS, performance.now() - this.#end + SLICE_MS));
    this.#end = performance.now() + SLICE_MS;
  }
}

/** `items.map(make)` in turns. @throws what `make` and `turns.pause()` do. */
export async function mapInTurns<T, R>(
  items: readonly T[],
  make: (item: T, index: number) => R,
  turns: Turns,
): Promise<R[]> {
  const made: R[] = [];
  for (const [index, item] of items.entries()) {
    made.push(make(item, index));
    if (turns.due()) await turns.pause();
  }
  return made;
}

/** `items.filter(takes)` in turns. @throws what `takes` and `turns.pause()` do. */
export async function filterInTurns<T>(items: readonly T[], takes: (item: T) => boolean, turns: Turns): Promise<T[]> {
  const taken: T[] = [];
  for (const item of items) {
    if (takes(item)) taken.push(item);
    if (turns.due()) await turns.pause();
  }
  return taken;
}

/** Items that are sorted at once. */
const SORTED_AT_ONCE = 512;

/** `items.toSorted(compare)` in turns, by merging: as stable. @throws what `turns.pause()` does. */
export async function sortInTurns<T>(items: readonly T[], compare: (a: T, b: T) => number, turns: Turns): Promise<T[]> {
  let from: T[] = [];
  for (let at = 0; at < items.length; at += SORTED_AT_ONCE) {
    for (const item of items.slice(at, at + SORTED_AT_ONCE).sort(compare)) from.push(item);
    if (turns.due()) await turns.pause();
  }
  for (let width = SORTED_AT_ONCE; width < from.length; width *= 2) {
    const to: T[] = [];
    for (let at = 0; at < from.length; at += 2 * width) {
      const middle = Math.min(at + width, from.length);
      const end = Math.min(at + 2 * width, from.length);
      let [left, right] = [at, middle];
      while (left < middle || right < end) {
        const [a, b] = [from[left], from[right]] as [T, T];
        const takesLeft = right === end || (left < middle && compare(a, b) <= 0);
        to.push(takesLeft ? a : b);
        if (takesLeft) left++;
        else right++;
        if (turns.due()) await turns.pause();
      }
    }
    from = to;
  }
  return from;
}
