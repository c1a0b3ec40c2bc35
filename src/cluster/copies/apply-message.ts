import type { Logger } from '../../base/log.js';
import type { PartitionClient } from '../../store/client.js';
import { fromFailure } from '../../store/failure.js';
import { StoreError } from '../../store/store.js';
import type { Head } from '../message.js';

/** The partition that a message is for. */
export interface Target {
  partition: number;
  stream: string;
  client: PartitionClient;
  takeBuffer(bytes: number): ArrayBuffer;
  /** Rate-limited. */
  failed: Logger;
}

/** Does to a partition what a message says. @returns the result of a command; undefined: it was lines. @throws StoreError */
export async function applyMessage(head: Head, data: Uint8Array, target: Target): Promise<number | undefined> {
  const { partition, stream, client, takeBuffer, failed } = target;
  switch (head.kind) {
    case 'lines': {
      const body = takeBuffer(data.length);
      new Uint8Array(body).set(data);
      const { cluster, perSecond, fields, now } = head;
      const length = data.length;
      const written = await client.write({ partition, body, length, cluster, perSecond, fields, now, trusted: true });
      if (written.failure) throw fromFailure(written.failure);
      if (written.batch?.outOfMemory) {
        throw new StoreError('OUT_OF_MEMORY', `partition ${partition} is full; set metric-store.memory-cap`);
      }
      const refused = written.batch?.refused ?? 0;
      // They were good where they came in: what is refused here does not fit into its series, in all copies alike.
      if (refused) failed.warn(`stream ${stream}: ${refused} lines of a message can't be stored`);
      return undefined;
    }
    case 'free':
      return client.call(partition, 'free', { to: head.to, selectors: head.selectors });
    case 'retain':
      return client.call(partition, 'retain', { to: head.to, except: head.except });
  }
}
