import type { PartitionClient } from './client.js';
import type { CheckedLines } from './line-checker.js';
import type { Lines } from './writes.js';

/** What makes a store one of several. */
export interface Membership {
  /** Asks whoever holds a partition. Nothing is written through it. */
  readonly client: PartitionClient;
  /**
   * Resolves once the good lines will be in every copy. The body stays the caller's. Rejects with a StoreError when that is
   * not sure; they may be then, all the same.
   */
  publish(lines: Lines, checked: CheckedLines): Promise<void>;
}
