/**
 * Retention and memory cap of a store in a cluster: what is freed is freed in all copies, by a message of the stream. Retention is
 * the matter of the first owner of a partition that is ready, the cap of every store that holds it.
 */
import type { Pool } from '../store/pool.js';
import type { Copies } from './copies/copies.js';
import type { Members } from './members/members.js';
import type { Head } from './message.js';

type Hosts = ReadonlyMap<string, ReadonlySet<string>>;

/** How long a copy may take to free what it was told to; it goes on, but nobody waits. */
const FREED_MS = 60_000;

export interface RetainingOptions {
  id: string;
  pool: Pool;
  members: Members;
  copies: Copies;
  /** Publishes a command. @returns its number. */
  command(partition: number, head: Head): Promise<number>;
}

export class Retaining {
  readonly #options: RetainingOptions;

  constructor(options: RetainingOptions) {
    this.#options = options;
  }

  /** What the retention frees by. */
  get retained(): Pick<Pool, 'state' | 'checkpoint' | 'retain'> {
    const { pool, copies } = this.#options;
    return {
      get state() {
        return pool.state;
      },
      checkpoint: (trigger) => pool.checkpoint(trigger),
      retain: (to, except) =>
        this.#retain(
          [...copies.all.keys()].filter((partition) => this.#isFirst(partition)),
          to,
          except,
        ),
    };
  }

  /** What the memory cap frees by. */
  get capped(): Pick<Pool, 'state' | 'memoryByPartition' | 'timeToFree' | 'oldestTime' | 'retain'> {
    const { pool, copies } = this.#options;
    return {
      get state() {
        return pool.state;
      },
      memoryByPartition: () => pool.memoryByPartition(),
      timeToFree: (bytes, bytesOf, now) => pool.timeToFree(bytes, bytesOf, now),
      oldestTime: () => pool.oldestTime(),
      // Before every sample: what is kept for the next query goes, and that is this store's own.
      retain: (to, except) =>
        to <= Number.MIN_SAFE_INTEGER ? pool.retain(to, except) : this.#retain([...copies.all.keys()], to, except),
    };
  }

  /** Whether this store is the first of a partition's owners that may be asked, and know what time it is. */
  #isFirst(partition: number): boolean {
    const { id, members, copies } = this.#options;
    const first = copies.ownersOf(partition).find((owner) => {
      const member = members.of(owner);
      if (!member || !members.isAlive(member) || !members.hasRightClock(member)) return false;
      return member.heartbeat.holds[partition]?.[2] === 1;
    });
    return first === id;
  }

  /** @returns blocks freed in the copies here. */
  async #retain(partitions: readonly number[], to: number, except: Hosts): Promise<number> {
    const { copies, command } = this.#options;
    const freed = await Promise.all(
      partitions.map(async (partition) => {
        const seq = await command(partition, { kind: 'retain', to, except: this.#hostsIn(partition, except) });
        const follower = copies.of(partition)?.follower;
        return (await follower?.reached(seq, FREED_MS)) ? (follower?.outcomeOf(seq) ?? 0) : 0;
      }),
    );
    return freed.reduce((a, b) => a + b, 0);
  }

  #hostsIn(partition: number, hosts: Hosts): [string, string[]][] {
    const { pool } = this.#options;
    return [...hosts]
      .map(([cluster, names]): [string, string[]] => [
        cluster,
        [...names].filter((host) => pool.partitionOf(cluster, host) === partition),
      ])
      .filter(([, names]) => names.length > 0);
  }
}
