/**
 * Main thread. Turns of those who evaluate or print long answers here: one after the other, each a few milliseconds long, between
 * them whatever else has come, and while writes come pauses (patience.ts).
 */
import { Jobs } from './jobs.js';
import { Patience } from './patience.js';

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
