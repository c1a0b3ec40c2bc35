/** Which partition a host is in, and who serves it. Nothing else knows how partitions are spread over threads. */
import type { PartitionClient } from './client.js';
import type { HostRouter } from './routing.js';

/** Partitions of one of several workers of this process. */
export function partitionsOf(worker: number, workers: number, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition).filter((n) => n % workers === worker);
}

export class Placement {
  /** All partitions. */
  readonly partitions: readonly number[];
  readonly #router: HostRouter;
  readonly #clients: readonly PartitionClient[];

  /** @param clients one a worker, with the partitions of `partitionsOf`. */
  constructor(router: HostRouter, clients: readonly PartitionClient[]) {
    this.partitions = Array.from({ length: router.partitions }, (_, partition) => partition);
    this.#router = router;
    this.#clients = clients;
  }

  partitionOf(cluster: string, host: string): number {
    return this.#router.partitionOf(cluster, host);
  }

  clientOf(partition: number): PartitionClient {
    const client = this.#clients[partition % this.#clients.length];
    if (!client) throw new Error('BUG: the store has no workers');
    return client;
  }
}
