/** Main thread. Bytes of answers on their way from the core to clients, who may read slowly. */
import { ANSWER_BYTES } from './sizes.js';

export class AnswerBudget {
  #used = 0;

  /** @param limit bytes. */
  constructor(readonly limit = ANSWER_BYTES) {}

  /** Bytes taken. */
  get used(): number {
    return this.#used;
  }

  /** Takes the bytes if they are there. @returns whether they were. */
  tryTake(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  /** Takes the bytes, be they there or not. */
  take(bytes: number): void {
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}
