/** How many queries run at once: as many again wait for one to end, and the others are sent away. */

/** There are too many queries. */
export class QueriesBusy extends Error {
  override readonly name = 'QueriesBusy';
}

export class QueryGate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Runs work once there is room for it. @throws QueriesBusy; what the work throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.limit) {
      if (this.waiting.length >= this.limit) {
        throw new QueriesBusy(`${this.limit} queries are running and ${this.limit} are waiting; try again soon`);
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running++;
    }
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
