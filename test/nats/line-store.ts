import {
  type Precision,
  type Store,
  StoreError,
  type StoreErrorCode,
  type WriteOptions,
  type WriteOutcome,
} from '../../src/store/store.js';

/** A store that keeps the lines it was given; a line without ` value=` is a bad one. */
export class LineStore implements Pick<Store, 'takeBuffer' | 'write' | 'sync'> {
  readonly lines: string[] = [];
  readonly clusters = new Set<string>();
  writes = 0;
  /** While set, every write is refused with it. */
  refuse: StoreErrorCode | undefined;
  #holding = Number.POSITIVE_INFINITY;
  #released: () => void = () => {};
  #release: Promise<void> = Promise.resolve();

  /** From this number of lines on, writes wait until `release`. */
  hold(lines = 0): void {
    this.#holding = lines;
    this.#release = new Promise((resolve) => {
      this.#released = resolve;
    });
  }

  release(): void {
    this.#holding = Number.POSITIVE_INFINITY;
    this.#released();
  }

  takeBuffer(bytes: number): ArrayBuffer {
    // Longer than asked and full of old bytes, as recycled buffers are.
    return new Uint8Array(bytes + 64).fill(120).buffer;
  }

  /** Options of each write. */
  readonly options: WriteOptions[] = [];

  async sync(): Promise<void> {}

  async write(
    body: ArrayBuffer,
    length: number,
    cluster: string,
    precision: Precision,
    options: WriteOptions = {},
  ): Promise<WriteOutcome> {
    this.options.push(options);
    const taken = structuredClone(body, { transfer: [body] });
    if (this.lines.length >= this.#holding) await this.#release;
    if (this.refuse !== undefined) throw new StoreError(this.refuse, `refused: ${this.refuse}`);
    if (precision !== 'auto') throw new Error(`BUG: NATS gives no precision, got ${precision}`);
    this.writes++;
    this.clusters.add(cluster);
    const outcome: WriteOutcome = { stored: 0, skipped: 0, refused: 0, refusals: [] };
    const text = Buffer.from(taken, 0, length).toString();
    if (!text.endsWith('\n')) throw new Error('BUG: a batch does not end with a line end');
    text
      .slice(0, -1)
      .split('\n')
      .forEach((line, index) => {
        if (/^[^ ]+ value=\S+( \d+)?$/.test(line)) {
          this.lines.push(line);
          outcome.stored++;
        } else if (line !== '') {
          outcome.refused++;
          outcome.refusals.push({ line: index + 1, reason: 'no fields' });
        }
      });
    return outcome;
  }
}
