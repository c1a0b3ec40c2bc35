/** Which copies lack a part of what their partition ever had, and what an administrator has said of it. */
import type { Logger } from '../../base/log.js';
import type { Members } from '../members/members.js';
import type { Follower } from './follower.js';
import { type OtherCopy, type Standing, standingOf } from './standing.js';

/** How long other holders may take to be seen after a stream was made anew. */
const WAIT_FOR_OTHERS_MS = 10_000;

export interface LossesOptions {
  members: Members;
  /** Undefined: there is no copy here. */
  followerOf(partition: number): Follower | undefined;
  log: Logger;
  /** Rate-limited. */
  failed: Logger;
}

export class Losses {
  readonly #options: LossesOptions;
  /** Copies that lack messages which their stream has lost. */
  readonly #lacking = new Set<number>();
  /** Partitions that an administrator has given up what is lost of, until they go on without it. */
  readonly #accepted = new Set<number>();
  /** When the stream was made of which an administrator has said that the copy here is good enough, by partition. */
  readonly #waived = new Map<number, string>();
  /** Whether each copy has what others have of a stream that is no more. */
  readonly #standings = new Map<number, Standing>();
  /** Partitions whose stream was lost, and when it was made anew. */
  #lostStreams: Readonly<Record<number, string>> = {};
  #replicas = 1;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** @param lost partitions whose stream was lost, and when it was made anew. */
  agree(replicas: number, lost: Readonly<Record<number, string>>): void {
    this.#replicas = replicas;
    this.#lostStreams = lost;
  }

  /** Partitions whose copies here lack something, and have to be copied anew. */
  get lacking(): number[] {
    return [...this.#lacking];
  }

  isStreamLost(partition: number): boolean {
    return this.#lostStreams[partition] !== undefined;
  }

  /** Whether the copy was compared with the others, and lacks nothing. */
  isWhole(partition: number): boolean {
    return !this.#lacking.has(partition) && this.#standings.get(partition) === 'whole';
  }

  /** A stream that was made anew has lost what it had: the copy that has read most of it is the one to go by. */
  compare(partition: number): void {
    const standing = this.#standing(partition);
    this.#standings.set(partition, standing);
    if (this.#lacking.has(partition) || standing !== 'lacking') return;
    this.#options.log.err(
      `partition ${partition} lacks a part of a stream that is no more, which another store has: it is copied anew from there; ` +
        'if that one is lost, POST /api/cluster/accept-loss goes on without it',
    );
    this.#lacking.add(partition);
  }

  /** Whether the copy here has all that any store has of a stream that is no more. */
  #standing(partition: number): Standing {
    const { members, followerOf } = this.#options;
    const follower = followerOf(partition);
    if (!follower) return 'lacking';
    const { position, created } = follower;
    const before = position?.before;
    if (this.#accepted.has(partition) || this.#waived.get(partition) === created) return 'whole';
    const others = members.others.flatMap((member): OtherCopy[] => {
      const holding = member.heartbeat.holds[partition];
      return holding ? [{ isAlive: members.isAlive(member), holding }] : [];
    });
    const isLost = this.isStreamLost(partition);
    const isWaiting = follower.msSinceRemade < WAIT_FOR_OTHERS_MS;
    // The table may have been lost with the stream: whoever was in it needs a moment to come back.
    if (isWaiting && !others.length && this.#replicas > 1) return 'unknown';
    return standingOf({ created: position?.created ?? created, before, isLost, isWaiting }, others);
  }

  /** The stream has lost messages that the copy here does not have. @returns whether it goes on without them. */
  lost(partition: number, first: number): boolean {
    const { log, failed } = this.#options;
    const what = `partition ${partition} lacks messages before ${first}, which its stream has no more`;
    if (this.#accepted.has(partition)) {
      log.crit(`${what}; it goes on without them, as an administrator has said`);
      return true;
    }
    failed.err(`${what}: it has to be copied from another store`);
    this.#lacking.add(partition);
    return false;
  }

  /**
   * The stream has no messages of these numbers, and others behind them: NATS had no room for them, and has said so to whoever has
   * published them; or it has lost them, which looks the same. @returns whether the copy goes on behind them: not if another one may have had them.
   */
  gap(partition: number, first: number, last: number): boolean {
    const { members, failed } = this.#options;
    const another = members.others.find(
      (member) => members.isAlive(member) && (member.heartbeat.holds[partition]?.[0] ?? 0) >= first,
    );
    const what = `partition ${partition}: its stream has no messages ${first} to ${last}, which NATS had no room for, or has lost`;
    if (!another || this.#accepted.has(partition)) {
      failed.warn(what);
      return true;
    }
    failed.err(`${what}; store ${another.id} is further: the partition has to be copied from there`);
    this.#lacking.add(partition);
    return false;
  }

  /** The copy was taken from another store, which lacks nothing. */
  replaced(partition: number): void {
    this.#lacking.delete(partition);
  }

  /** An administrator gives up what is lost. */
  accept(partition: number): void {
    this.#accepted.add(partition);
    this.#lacking.delete(partition);
  }

  isAccepted(partition: number): boolean {
    return this.#accepted.has(partition);
  }

  /** The copy follows the stream as it is now: what an administrator has accepted is done with. */
  goOn(partition: number): void {
    const created = this.#options.followerOf(partition)?.created;
    if (created && !this.#lacking.has(partition) && this.#accepted.delete(partition))
      this.#waived.set(partition, created);
  }
}
