/** Main thread. How far the load at start is: what can be answered already, and when the rest will be. */
import { describeMissing, type Missing } from '../persistence/missing.js';
import { StoreError } from './store.js';

/** Without a figure to go by, and at least, seconds. */
const LEAST_SECONDS = 1;
const MOST_SECONDS = 60;

export interface LoadFigures {
  files: number;
  bytes: number;
  /** What is not there although other files name it. */
  missing: Missing[];
}

export class Loading {
  readonly #started = performance.now();
  readonly #partitions: number;
  readonly #loaded = new Map<number, LoadFigures>();
  /** Bytes read of those that are to be read, by partition under way. */
  readonly #underWay = new Map<number, { bytes: number; of: number }>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  progress(partition: number, bytes: number, of: number): void {
    this.#underWay.set(partition, { bytes, of });
  }

  loaded(partition: number, figures: LoadFigures): void {
    this.#underWay.delete(partition);
    this.#loaded.set(partition, figures);
  }

  isLoaded(partition: number): boolean {
    return this.#loaded.has(partition);
  }

  /** Seconds since the load began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Of all partitions that are loaded. */
  get figures(): Omit<LoadFigures, 'missing'> {
    const all = [...this.#loaded.values()];
    return { files: all.reduce((n, { files }) => n + files, 0), bytes: all.reduce((n, { bytes }) => n + bytes, 0) };
  }

  /** One line about each file that is missing. */
  get missing(): string[] {
    const byPartition = [...this.#loaded].sort(([a], [b]) => a - b);
    return byPartition.flatMap(([partition, { missing }]) =>
      missing.map((file) => `partition ${partition}: ${describeMissing(file)}`),
    );
  }

  /** Whole seconds until all is loaded, as far as that can be told: the rest takes as long a share as what is done. */
  get secondsLeft(): number {
    let done = this.#loaded.size;
    for (const { bytes, of } of this.#underWay.values()) done += of ? bytes / of : 0;
    const left = done ? (this.seconds / done) * (this.#partitions - done) : LEAST_SECONDS;
    return Math.max(LEAST_SECONDS, Math.min(MOST_SECONDS, Math.ceil(left)));
  }

  /** @throws StoreError LOADING unless all these partitions are loaded. */
  assertLoaded(partitions: Iterable<number>): void {
    for (const partition of partitions) if (!this.#loaded.has(partition)) throw this.error();
  }

  /** What is said of something that needs more than is loaded. */
  error(): StoreError {
    const { secondsLeft } = this;
    const text = `the checkpoints are still being read, about ${secondsLeft} s more`;
    return new StoreError('LOADING', text, { retryAfter: secondsLeft });
  }
}
