/**
 * The copies of partitions that this store holds: it opens those that are its own by the assignment, copies them from another
 * store where the stream does not go back far enough, follows their streams, and gives up those that others hold.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import { Lane } from '../../base/lane.js';
import { errorText, type Logger, limited } from '../../base/log.js';
import type { ClusterConfig } from '../../config/config.js';
import { partitionDirectories, partitionDirectory, removeDirectory } from '../../persistence/partition-directories.js';
import type { Origin } from '../../persistence/stream-position.js';
import type { PartitionClient } from '../../store/client.js';
import type { LocalPartitions } from '../../store/local/local-partitions.js';
import { ownersOf } from '../members/assignment.js';
import type { Holding, Member, Members } from '../members/members.js';
import type { Peer } from '../peers/peer.js';
import { streamName } from '../streams.js';
import { Applying } from './applying.js';
import { Follower } from './follower.js';
import { Losses } from './losses.js';
import { fetchSnapshot, installSnapshot, removeIncoming } from './snapshot.js';
import { compareOrigins } from './standing.js';

/** A copy is given up when its owners have been ready for so long, or `rebalance-after`: others may still count on this one. */
const HANDOVER_MS = 10_000;
/** Partitions that are opened or fetched at once. */
const AT_ONCE = 4;
/** How often a stop looks whether partitions are still being opened or closed. */
const BUSY_MS = 50;
/** So much is applied again after a crash. */
export const SAVE_MS = 5_000;

/** A partition that is open here. */
export interface Copy {
  client: PartitionClient;
  follower: Follower;
  /** Number of the last message that is safe on the disk. */
  saved: number;
}

export interface CopiesOptions {
  config: ClusterConfig;
  /** Checkpoint directory. */
  root: string;
  /** The pool makes them when it is prepared. */
  local(): LocalPartitions;
  members: Members;
  takeBuffer(bytes: number): ArrayBuffer;
  peerOf(member: Member): Peer;
  log: Logger;
  /** Of the program: another one tries again what this one has died of. */
  version: string;
  /** Told that a copy has begun to follow its stream: soon it may be asked. */
  begun(): void;
  /** Told of bytes that were copied from another store. */
  fetched(bytes: number): void;
}

export class Copies {
  readonly #options: CopiesOptions;
  readonly #copies = new Map<number, Copy>();
  /** Partitions that are being opened or closed. */
  readonly #busy = new Set<number>();
  /** Since when all owners of a partition that is not this store's were ready. */
  readonly #readySince = new Map<number, number>();
  readonly #opening = new Lane(AT_ONCE);
  readonly #failed: Logger;
  readonly #losses: Losses;
  /** Of the directory, which is there once the copies are opened. */
  #applying: Applying | undefined;
  #connection: NatsConnection | undefined;
  #replicas: number;
  #stopping = false;

  constructor(options: CopiesOptions) {
    this.#options = options;
    this.#replicas = options.config.replicas;
    this.#failed = limited(options.log, 10);
    const followerOf = (partition: number): Follower | undefined => this.#copies.get(partition)?.follower;
    this.#losses = new Losses({ members: options.members, followerOf, log: options.log, failed: this.#failed });
    this.#losses.agree(this.#replicas, {});
  }

  of(partition: number): Copy | undefined {
    return this.#copies.get(partition);
  }

  /** Whether the copy may be asked: it lacks nothing but the last moments. */
  isReady(partition: number): boolean {
    return this.#copies.get(partition)?.follower.isReady === true && this.#losses.isWhole(partition);
  }

  get all(): ReadonlyMap<number, Copy> {
    return this.#copies;
  }

  /** @param lost partitions whose stream was lost, and when it was made anew. */
  agree(replicas: number, lost: Readonly<Record<number, string>>): void {
    this.#replicas = replicas;
    for (const [partition, { follower }] of this.#copies) {
      if (lost[partition] !== undefined && lost[partition] !== follower.created) follower.lookAgain();
    }
    this.#losses.agree(replicas, lost);
  }

  /** What the heartbeat says of the copies. */
  get holds(): Record<number, Holding> {
    return Object.fromEntries(
      [...this.#copies].map(([partition, { follower, saved }]): [number, Holding] => {
        const ready = this.isReady(partition) ? 1 : 0;
        const before = follower.position?.before;
        const { applied } = follower;
        // What is applied before it knows the new stream is of the old one.
        const created = follower.position?.created ?? follower.created;
        return [partition, before ? [applied, saved, ready, created, before] : [applied, saved, ready, created]];
      }),
    );
  }

  /** Owners of a partition, the first one first. */
  ownersOf(partition: number): string[] {
    return ownersOf(partition, this.#options.members.candidates, this.#replicas);
  }

  /** Opens what lies in the directory. To be called once, before anything else. */
  async openExisting(): Promise<void> {
    const { root, config, log, version } = this.#options;
    const all = partitionDirectories(root);
    const foreign = all.find(({ count }) => count !== config.partitions);
    if (foreign) {
      throw new Error(
        `${foreign.path} holds samples of a store with ${foreign.count} partitions, which a cluster of ${config.partitions} ` +
          'can not take over; start with an empty directory, and write what export-store gives to the cluster',
      );
    }
    this.#applying = new Applying(root, config.partitions, version);
    for (let partition = 0; partition < config.partitions; partition++)
      removeIncoming(root, partition, config.partitions);
    const partitions = all.map(({ index }) => index);
    await Promise.all(partitions.map((partition) => this.#acquire(partition)));
    if (partitions.length) log.info(`${partitions.length} partitions are open`);
  }

  /** Follows the streams over a new connection. */
  follow(connection: NatsConnection): void {
    this.#connection = connection;
    for (const { follower } of this.#copies.values()) follower.follow(connection);
  }

  /** Opens, fetches and closes partitions as the table of members says by now. Never rejects. */
  async adjust(): Promise<void> {
    const { members, config, log } = this.#options;
    if (this.#stopping || !members.hasJoined || !this.#connection || members.isCutOff) return;
    const all = Array.from({ length: config.partitions }, (_, partition) => partition);
    const wanted = all.filter((partition) => this.ownersOf(partition).includes(config.id));
    const missing = wanted.filter((partition) => !this.#copies.has(partition) && !this.#busy.has(partition));
    const superfluous = [...this.#copies.keys()].filter((partition) => !wanted.includes(partition));
    for (const partition of wanted) this.#readySince.delete(partition);
    await Promise.all([
      ...missing.map((partition) => this.#acquire(partition)),
      ...this.#losses.lacking.map((partition) => this.#replace(partition)),
      ...superfluous.filter((partition) => this.#isHandedOver(partition)).map((partition) => this.#drop(partition)),
    ]).catch((error: unknown) => log.err('a partition could not be opened or closed', error));
  }

  /** Compares all copies with those of the others, as the table of members says by now. */
  compare(): void {
    for (const partition of this.#copies.keys()) this.#losses.compare(partition);
  }

  /** Whether its owners have been ready for a while. */
  #isHandedOver(partition: number): boolean {
    const { members, config } = this.#options;
    const owners = this.ownersOf(partition).map((id) => members.of(id));
    const areReady =
      owners.length > 0 &&
      owners.every((owner) => owner && members.isAlive(owner) && owner.heartbeat.holds[partition]?.[2] === 1);
    const now = performance.now();
    if (!areReady) this.#readySince.delete(partition);
    else if (!this.#readySince.has(partition)) this.#readySince.set(partition, now);
    const leastMs = Math.min(HANDOVER_MS, config.rebalanceAfterSeconds * 1000);
    return areReady && now - (this.#readySince.get(partition) ?? now) > leastMs;
  }

  /** Runs something that nothing else may do to the partition meanwhile. Failures are logged: it is tried again. */
  async #alone(partition: number, what: string, act: () => Promise<void>): Promise<void> {
    if (this.#busy.has(partition)) return;
    this.#busy.add(partition);
    try {
      await act();
    } catch (error) {
      this.#failed.err(`partition ${partition} can't be ${what}: ${errorText(error)}; it is tried again`);
    } finally {
      this.#busy.delete(partition);
    }
  }

  /** Makes a partition that is not here one of this store's. */
  #acquire(partition: number): Promise<void> {
    return this.#alone(partition, 'opened', () => this.#opening.run(() => this.#makeOpen(partition)));
  }

  async #makeOpen(partition: number): Promise<void> {
    if (this.#stopping) return;
    const { root, config } = this.#options;
    if (!existsSync(partitionDirectory(root, partition, config.partitions))) {
      const isWhole = this.#losses.isAccepted(partition) || (await this.#isStreamWhole(partition));
      if (!isWhole) {
        if (!(await this.#fetch(partition))) return;
        installSnapshot(root, partition, config.partitions);
      }
    }
    await this.#open(partition);
  }

  /** Whether the stream has all that there ever was. */
  async #isStreamWhole(partition: number): Promise<boolean> {
    const manager = await this.#connection?.jetstreamManager();
    const info = await manager?.streams.info(streamName(this.#options.config.name, partition));
    const wasMadeAnew = this.#options.members.all.some(
      ({ heartbeat }) => heartbeat.holds[partition]?.[4] !== undefined,
    );
    return info !== undefined && info.state.first_seq <= 1 && !wasMadeAnew && !this.#losses.isStreamLost(partition);
  }

  /** Other stores that a partition may be copied from. */
  #readyHolders(partition: number): Member[] {
    const { members } = this.#options;
    return members.others.filter((member) => members.isAlive(member) && member.heartbeat.holds[partition]?.[2] === 1);
  }

  /** Fetches a partition from a store that holds it, to be installed. @returns whether there was one. */
  async #fetch(partition: number): Promise<boolean> {
    const { root, config, peerOf, log, fetched } = this.#options;
    const holders = this.#readyHolders(partition);
    const beforeOf = ({ heartbeat }: Member): Origin | undefined => heartbeat.holds[partition]?.[4];
    const [holder] = holders.sort(
      (a, b) => compareOrigins(beforeOf(b), beforeOf(a)) || peerOf(a).inFlight - peerOf(b).inFlight,
    );
    if (!holder) {
      this.#failed.err(
        `partition ${partition} can't be had: its stream does not go back to the beginning, and no store that holds it is ` +
          'ready; if all of them are lost, POST /api/cluster/accept-loss goes on with what the stream has',
      );
      return false;
    }
    const bytes = await fetchSnapshot(root, partition, config.partitions, peerOf(holder));
    fetched(bytes);
    log.info(`partition ${partition} was copied from store ${holder.id}: ${bytes} bytes`);
    return true;
  }

  async #open(partition: number): Promise<void> {
    const { local, config, takeBuffer, log } = this.#options;
    if (!this.#applying) throw new Error('BUG: a partition is opened before those of the directory');
    const { position } = await local().openOne(partition);
    const client = local().clientOf(partition);
    if (!client) throw new Error(`BUG: partition ${partition} was opened and is not open`);
    const follower = new Follower({
      partition,
      partitions: Math.ceil((config.partitions * this.#replicas) / Math.max(1, this.#options.members.all.length)),
      stream: streamName(config.name, partition),
      position,
      client,
      takeBuffer,
      log,
      failed: this.#failed,
      applying: this.#applying,
      begun: () => {
        this.#losses.goOn(partition);
        this.#losses.compare(partition);
        this.#options.begun();
      },
      lost: (first) => this.#losses.lost(partition, first),
      gap: (first, last) => this.#losses.gap(partition, first, last),
    });
    this.#copies.set(partition, { client, follower, saved: position?.seq ?? 0 });
    this.#losses.compare(partition);
    if (this.#connection) follower.follow(this.#connection);
  }

  /** Copies a partition anew that lacks messages; what is there stays until another store has a copy. */
  #replace(partition: number): Promise<void> {
    return this.#alone(partition, 'copied anew', async () => {
      const { root, config } = this.#options;
      if (!this.#readyHolders(partition).length) return;
      if (!(await this.#fetch(partition))) return;
      await this.#close(partition);
      this.#losses.replaced(partition);
      installSnapshot(root, partition, config.partitions);
      await this.#open(partition);
    });
  }

  #drop(partition: number): Promise<void> {
    return this.#alone(partition, 'closed', async () => {
      await this.#close(partition);
      this.#readySince.delete(partition);
      this.#options.log.info(`partition ${partition} was handed over to ${this.ownersOf(partition).join(', ')}`);
    });
  }

  async #close(partition: number): Promise<void> {
    const { root, config, local } = this.#options;
    const copy = this.#copies.get(partition);
    this.#copies.delete(partition);
    await copy?.follower.stop();
    await local().closeOne(partition);
    removeDirectory(root, partitionDirectory(root, partition, config.partitions));
  }

  /**
   * Goes on without the messages of a partition that no stream and no store has any more, or without the one it is stuck at. What
   * is lost later is another matter. @returns why not; undefined: it does.
   */
  acceptLoss(partition: number): string | undefined {
    const { config } = this.#options;
    if (partition >= config.partitions) return `there is no partition ${partition}`;
    const owners = this.ownersOf(partition);
    const follower = this.#copies.get(partition)?.follower;
    if (!follower && !owners.includes(config.id)) {
      return `partition ${partition} is not held by this store but by ${owners.join(', ') || 'nobody'}`;
    }
    if (follower?.leaveOut()) return undefined;
    this.#losses.accept(partition);
    this.compare();
    follower?.lookAgain();
    return undefined;
  }

  /** Makes the copies' positions safe. Never rejects. */
  async save(): Promise<void> {
    await Promise.all(
      [...this.#copies].map(async ([partition, copy]) => {
        const { position } = copy.follower;
        if (!position || position.seq === copy.saved) return;
        try {
          await copy.client.call(partition, 'savePosition', { position });
          copy.saved = position.seq;
        } catch (error) {
          this.#failed.err(`the position of partition ${partition} can't be saved: ${errorText(error)}`);
        }
      }),
    );
  }

  /** Ends the following; positions are safe when this resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    while (this.#busy.size) await sleep(BUSY_MS);
    await Promise.all([...this.#copies.values()].map(({ follower }) => follower.stop()));
    await this.save();
    this.#applying?.close();
  }
}
