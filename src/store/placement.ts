/** Which partition a host is in, and who serves it. Nothing else knows how partitions are spread over threads and machines. */
import { StoreError } from '../base/store-error.js';
import type { PartitionClient } from './client.js';
import type { HostRouter } from './routing.js';

export class Placement {
  /** All partitions. */
  readonly partitions: readonly number[];
  readonly #router: HostRouter;
  readonly #clientOf: (partition: number) => PartitionClient | undefined;

  /** @param clientOf who serves a partition; undefined: nobody does. */
  constructor(router: HostRouter, clientOf: (partition: number) => PartitionClient | undefined) {
    this.partitions = Array.from({ length: router.partitions }, (_, partition) => partition);
    this.#router = router;
    this.#clientOf = clientOf;
  }

  partitionOf(cluster: string, host: string): number {
    return this.#router.partitionOf(cluster, host);
  }

  /** @throws StoreError UNAVAILABLE when nobody serves it. */
  clientOf(partition: number): PartitionClient {
    const client = this.#clientOf(partition);
    if (!client) throw new StoreError('UNAVAILABLE', `partition ${partition} is not open here`);
    return client;
  }
}
