/** Main thread. Bytes of answers on their way from the core to clients, who may read slowly. */
import { ANSWER_BYTES } from './sizes.js';

export class AnswerBudget {
  #used = 0;
  #wasFull = false;
  readonly #onCalm: () => void;

  /** @param limit bytes. @param onCalm told when little is used after it was used up. */
  constructor(limit = ANSWER_BYTES, onCalm: () => void = () => {}) {
    this.limit = limit;
    this.#onCalm = onCalm;
  }

  readonly limit: number;

  /** Bytes taken. */
  get used(): number {
    return this.#used;
  }

  /** Takes the bytes if they are there. @returns whether they were. */
  tryTake(bytes: number): boolean {
    if (this.#used + bytes > this.limit) {
      this.#wasFull = true;
      return false;
    }
    this.#used += bytes;
    return true;
  }

  /** Takes the bytes, be they there or not. */
  take(bytes: number): void {
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
    if (!this.#wasFull || this.#used > this.limit / 16) return;
    this.#wasFull = false;
    this.#onCalm();
  }
}
