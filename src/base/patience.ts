/**
 * Who reads lets those who write go first. Reading is done in steps of about a millisecond. Without pauses a thread would do one of them
 * after each batch of writes. Writers wait for their answers, so they kept a third of their rate beside twenty heavy queries.
 *
 * A step is followed by a pause, so many times as long as the step as the writes of the last moments ask for:
 *
 *   share of the thread's time that writes took   1 %    5 %    10 %   20 % and more
 *   pause, in lengths of the step                 0.03   0.8    3      12
 *
 * Where writes take little of a thread, readers lose next to nothing. However much writes take, readers have a thirteenth of it.
 */

/** The longest pause, in lengths of the step before it. */
const MOST = 12;
/** Of the square of the writes' share. */
const GROWTH = 300;
/** Milliseconds after which what writes took counts for 1 / e. */
const MEMORY = 50;

export class Patience {
  /** Milliseconds of writes, what is past counting less and less, and `performance.now()` of the last ones. */
  #writes = 0;
  #last = 0;
  /** `performance.now()` of the end of the pause. */
  #end = 0;

  /** Writes have just taken so many milliseconds of this thread. */
  wrote(milliseconds: number): void {
    const now = performance.now();
    this.#writes = this.#writesAt(now) + milliseconds;
    this.#last = now;
  }

  #writesAt(now: number): number {
    return this.#writes * Math.exp((this.#last - now) / MEMORY);
  }

  /** A step has just taken so many. */
  worked(milliseconds: number): void {
    const now = performance.now();
    const share = this.#writesAt(now) / MEMORY;
    this.#end = Math.max(this.#end, now + milliseconds * Math.min(MOST, GROWTH * share * share));
  }

  /** Whole milliseconds until the next step; 0: now. */
  get wait(): number {
    return Math.max(0, Math.round(this.#end - performance.now()));
  }
}
