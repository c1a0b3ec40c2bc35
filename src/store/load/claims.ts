/** Who loads which partition: a table that the threads share, so that each takes the next one when it has time. */

export class Claims {
  readonly #table: Int32Array;

  /** @param shared zeros, four bytes a partition. */
  constructor(readonly shared: SharedArrayBuffer) {
    this.#table = new Int32Array(shared);
  }

  static of(partitions: number): Claims {
    return new Claims(new SharedArrayBuffer(4 * partitions));
  }

  /** @returns whether the partition is the caller's to load: nobody else has taken it. */
  take(partition: number): boolean {
    return Atomics.compareExchange(this.#table, partition, 0, 1) === 0;
  }
}
