/**
 * Main thread. The partitions that are open in this process, and the worker that each belongs to. A store without a cluster
 * has all of them open from its start to its end; one of a cluster opens and closes its share while it runs.
 */
import type { LogSettings } from '../../base/log.js';
import { Ages } from '../../partition/age-histogram.js';
import type { Trigger } from '../../partition/checkpointer.js';
import type { PartitionStats } from '../../partition/figures.js';
import type { Reconfiguration } from '../../partition/partition.js';
import type { CallName, Calls } from '../client.js';
import type { LoadHelp } from '../load/protocol.js';
import { sum } from '../merge.js';
import type { Opened } from '../protocol.js';
import type { LocalClient } from './local-client.js';

type Change = Reconfiguration & { log: LogSettings };

export class LocalPartitions {
  readonly #clients: readonly LocalClient[];
  /** Those that are open or being opened. */
  readonly #owners = new Map<number, LocalClient>();
  readonly #open = new Set<number>();
  /** The configuration was read again: partitions that are opened later have to be told as well. */
  readonly #changes: Change[] = [];

  /**
   * @param clients one a worker.
   * @param initial partitions that the workers read when they load, those of each worker.
   */
  constructor(clients: readonly LocalClient[], initial: readonly (readonly number[])[]) {
    this.#clients = clients;
    for (const [worker, partitions] of initial.entries()) {
      const client = clients[worker];
      if (!client) throw new Error('BUG: a worker without a client');
      for (const partition of partitions) {
        this.#owners.set(partition, client);
        this.#open.add(partition);
      }
    }
  }

  /** In ascending order. */
  get open(): number[] {
    return [...this.#open].sort((a, b) => a - b);
  }

  /** Undefined: it is not open. */
  clientOf(partition: number): LocalClient | undefined {
    return this.#open.has(partition) ? this.#owners.get(partition) : undefined;
  }

  /** Has the workers read the partitions that they begin with. @param help one for each of them; absent: none. */
  async load(help: readonly LoadHelp[] = []): Promise<void> {
    await Promise.all(this.#clients.map((client, i) => client.load(help[i])));
  }

  /** Opens a partition in the worker that has the fewest. It is asked and written to once this has resolved. */
  async openOne(partition: number): Promise<Opened> {
    if (this.#owners.has(partition)) throw new Error(`BUG: partition ${partition} is open already`);
    const counts = new Map(this.#clients.map((client) => [client, 0]));
    for (const client of this.#owners.values()) counts.set(client, (counts.get(client) ?? 0) + 1);
    const [fewest] = [...counts].sort(([, a], [, b]) => a - b);
    if (!fewest) throw new Error('BUG: the store has no workers');
    const [client] = fewest;
    this.#owners.set(partition, client);
    try {
      const opened = await client.open(partition);
      for (const change of this.#changes) await client.call(partition, 'reconfigure', change);
      this.#open.add(partition);
      return opened;
    } catch (error) {
      this.#owners.delete(partition);
      throw error;
    }
  }

  /** Writes and closes a partition; nothing may be on its way to it. */
  async closeOne(partition: number): Promise<void> {
    const client = this.#owners.get(partition);
    this.#open.delete(partition);
    try {
      await client?.close(partition);
    } finally {
      this.#owners.delete(partition);
    }
  }

  /** The call, in every partition that is open; results in the order of the partitions. */
  everywhere<N extends CallName>(name: N, args: Calls[N]['args']): Promise<Calls[N]['result'][]> {
    return Promise.all(this.open.map((partition) => this.#call(partition, name, args)));
  }

  /** Figures of the partitions that are loaded. */
  stats(isLoaded: (partition: number) => boolean): Promise<PartitionStats[]> {
    return Promise.all(this.open.filter(isLoaded).map((partition) => this.#call(partition, 'stats', {})));
  }

  async checkpoint(trigger: Trigger): Promise<void> {
    await this.everywhere('checkpoint', { trigger });
  }

  /** Frees what ends before `to`, except below the given hosts (cluster -> hosts). @returns blocks freed. */
  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    const kept = [...except].map(([cluster, hosts]): [string, string[]] => [cluster, [...hosts]]);
    return sum(await this.everywhere('retain', { to, except: kept }));
  }

  /** Keeps all checkpoint files where they are, while somebody reads them, until `unpinFiles`. */
  async pinFiles(): Promise<void> {
    await this.everywhere('pinFiles', {});
  }

  async unpinFiles(): Promise<void> {
    await this.everywhere('unpinFiles', {});
  }

  /** Removes checkpoint files whose samples all end before `to`. @returns their number. */
  async dropFiles(to: number): Promise<number> {
    return sum(await this.everywhere('dropFiles', { to }));
  }

  /**
   * Until when (unix seconds) all blocks must go to give back so many bytes in all, and in each partition; undefined: there
   * is no block. @param bytesOf one figure a partition. @param now unix seconds: the finest steps are around it.
   */
  async timeToFree(bytes: number, bytesOf: number[], now: number): Promise<number | undefined> {
    const parts = await this.everywhere('ages', { now });
    const times = parts.map((part, i) => new Ages(now, [part]).timeFor(bytesOf[i] ?? 0));
    const known = [...times, new Ages(now, parts).timeFor(bytes)].filter((time) => time !== undefined);
    return known.length ? Math.max(...known) : undefined;
  }

  /** Unix seconds of the oldest block of all; undefined: there is none. */
  async oldestTime(): Promise<number | undefined> {
    const times = (await this.everywhere('oldest', {})).filter((time) => time !== null);
    return times.length ? Math.min(...times) : undefined;
  }

  #call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    const client = this.#owners.get(partition);
    if (!client) throw new Error(`BUG: partition ${partition} is not open`);
    return client.call(partition, name, args);
  }

  /** @throws StoreError OUT_OF_MEMORY. */
  async reconfigure(change: Change): Promise<void> {
    this.#changes.push(change);
    await this.everywhere('reconfigure', change);
  }

  /** Ends the workers. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}

/** Partitions of one of several workers of this process, where all are open from the start. */
export function partitionsOf(worker: number, workers: number, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition).filter((n) => n % workers === worker);
}
