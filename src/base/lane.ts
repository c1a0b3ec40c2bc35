/** At most so many tasks at once; the others wait in order. */

/** There is no room to wait. */
export class LaneFull extends Error {
  override readonly name = 'LaneFull';
}

export class Lane {
  #free: number;
  readonly #room: number;
  readonly #waiting: (() => void)[] = [];

  /** @param places tasks at once. @param room tasks that may wait; default: any number. */
  constructor(places: number, room = Number.POSITIVE_INFINITY) {
    this.#free = places;
    this.#room = room;
  }

  /** Resolves or rejects as the task does. @throws LaneFull: the task was not begun. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else if (this.#waiting.length >= this.#room) throw new LaneFull(`${this.#room} wait already`);
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
