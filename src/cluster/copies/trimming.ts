/**
 * Removes from the streams what every copy has on its disk. The first owner of a partition does it, as long as all owners hold
 * it: while one is missing or copies it, the stream keeps everything. A purge that comes late removes only what might have been
 * removed earlier, so nobody need be fenced off.
 */
import type { JetStreamManager } from 'nats';
import type { Members } from '../members/members.js';
import { streamName } from '../streams.js';
import type { Copies } from './copies.js';

export const TRIM_MS = 60_000;
/** What is safe everywhere stays for so long, for a store that is just copying the partition. */
const KEEP_MS = 900_000;

export class Trimming {
  readonly #cluster: string;
  readonly #id: string;
  readonly #members: Members;
  readonly #copies: Copies;
  readonly #keepMs: number;
  /** What was safe everywhere at which time, oldest first, by partition. */
  readonly #safe = new Map<number, { at: number; seq: number }[]>();
  readonly #trimmed = new Map<number, number>();

  /** @param keepMs for tests. */
  constructor(cluster: string, id: string, members: Members, copies: Copies, keepMs = KEEP_MS) {
    this.#cluster = cluster;
    this.#id = id;
    this.#members = members;
    this.#copies = copies;
    this.#keepMs = keepMs;
  }

  /** Trims the streams that this store is to trim. @throws NatsError */
  async run(manager: JetStreamManager, now = performance.now()): Promise<void> {
    for (const partition of this.#copies.all.keys()) {
      const seq = this.#safeEverywhere(partition);
      if (seq === undefined) {
        this.#safe.delete(partition);
        continue;
      }
      const history = this.#safe.get(partition) ?? [];
      this.#safe.set(partition, history);
      history.push({ at: now, seq });
      let upTo = 0;
      while (history[0] && now - history[0].at >= this.#keepMs) upTo = history.shift()?.seq ?? 0;
      if (upTo <= (this.#trimmed.get(partition) ?? 0)) continue;
      await manager.streams.purge(streamName(this.#cluster, partition), { seq: upTo + 1 });
      this.#trimmed.set(partition, upTo);
    }
  }

  /** Last message that is on the disks of all owners and other holders; undefined: not this store's task, or one is missing. */
  #safeEverywhere(partition: number): number | undefined {
    const owners = this.#copies.ownersOf(partition);
    if (owners[0] !== this.#id) return undefined;
    const saved: number[] = [];
    for (const member of this.#members.all) {
      const holding = member.heartbeat.holds[partition];
      if (holding) saved.push(holding[1]);
      else if (owners.includes(member.id)) return undefined;
    }
    return saved.length ? Math.min(...saved) : undefined;
  }
}
