/** At most so many tasks at once; the others wait in order. */
export class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param places tasks at once. */
  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves or rejects as the task does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
