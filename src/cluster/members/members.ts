/**
 * Who belongs to the cluster, as the bucket's keys `store.<id>` say. Each store puts its own every two seconds, with the revision
 * that its last put had: of two processes with one id one fails. A store is taken for dead when nothing new of it has come for
 * seven seconds by the clock of whoever looks; no clocks are compared. Its key stays, and so does its place among the
 * owners, until it has been away for `rebalance-after`: then the living store with the smallest id removes the key.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KV, KvEntry } from 'nats';
import { errorText, type Logger, limited } from '../../base/log.js';
import type { ClusterConfig } from '../../config/config.js';
import type { Origin } from '../../persistence/stream-position.js';
import { MESSAGE_VERSION } from '../message.js';
import { isConflict, LAYOUT, type Layout, MembershipError } from '../streams.js';
import { agreementOf, type MetricForms } from './agreement.js';
import type { Candidate } from './assignment.js';
import { noteProcess, predecessorOf } from './predecessor.js';

export const HEARTBEAT_MS = 2_000;
const DEAD_MS = 7_000;
/** A store whose last heartbeat is older may be taken for dead by others. */
const LEASE_MS = 6_000;
/** A store that is watched for signs of life before its id is used again. */
const WATCH_MS = 2.5 * HEARTBEAT_MS;
const PREFIX = 'store.';
/** Clocks that differ by more are warned of: beyond 60 s stores don't take each other's requests. */
const CLOCK_SECONDS = 30;
/** A clock that is off by more does not decide what is old. */
const WRONG_CLOCK_SECONDS = 600;
const CLOCK_LOG_SECONDS = 600;

/**
 * What a store holds of a partition: the last message that is applied, the last one that is safe on its disk, whether it may be
 * asked, and when its stream was made. `before` is how far it was in the stream before that, if there was one.
 */
export type Holding = [applied: number, saved: number, ready: 0 | 1, created: string, before?: Origin];

/** What a store says about itself. */
export interface Heartbeat {
  url: string;
  zone: string;
  weight: number;
  /** Of the program. */
  version: string;
  /** Newest version of messages that it reads. */
  speaks: number;
  /** Its clock when it said so, unix milliseconds; absent: an older version does not say. */
  clock?: number;
  /** Of the process. */
  incarnation: string;
  state: 'active' | 'draining' | 'leaving' | 'stopped';
  /** How it stores each metric. */
  metrics: MetricForms;
  /** Last message of each partition that was acknowledged to it. */
  acked: Record<number, number>;
  holds: Record<number, Holding>;
}

export interface Member {
  id: string;
  heartbeat: Heartbeat;
  revision: number;
  /** When its last heartbeat came, milliseconds of performance.now. */
  seenAt: number;
  /** Seconds that its clock is ahead of NATS's; undefined: that is not known. */
  clockAhead: number | undefined;
}

export interface MembersOptions {
  config: ClusterConfig;
  /** Checkpoint directory, which is this process's. */
  root: string;
  log: Logger;
  /** What this store says about itself now. */
  describe(): Pick<Heartbeat, 'state' | 'metrics' | 'acked' | 'holds' | 'version' | 'speaks'>;
  /** Another process has this store's id. */
  replaced(): void;
  /** How the cluster is laid out has changed. */
  laidOut(layout: Layout): void;
  /** Somebody came, went, or has changed. */
  changed(): void;
}

export class Members {
  readonly #options: MembersOptions;
  readonly #incarnation = randomUUID();
  readonly #all = new Map<string, Member>();
  #bucket: KV | undefined;
  #revision: number | undefined;
  #joined = false;
  /** When NATS last took a heartbeat, or gave the table; milliseconds of performance.now. */
  #beatAt = Number.NEGATIVE_INFINITY;
  #watchedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #clockWarned: Logger;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#clockWarned = limited(options.log, CLOCK_LOG_SECONDS);
  }

  get #id(): string {
    return this.#options.config.id;
  }

  /** All members, dead ones included, by id. */
  get all(): Member[] {
    return [...this.#all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get others(): Member[] {
    return this.all.filter(({ id }) => id !== this.#id);
  }

  of(id: string): Member | undefined {
    return this.#all.get(id);
  }

  isAlive({ heartbeat, seenAt }: Member): boolean {
    return heartbeat.state !== 'stopped' && performance.now() - seenAt < DEAD_MS;
  }

  /** Whether a store may say what is older than the retention. */
  hasRightClock({ clockAhead = 0 }: Member): boolean {
    return Math.abs(clockAhead) <= WRONG_CLOCK_SECONDS;
  }

  /** Those that partitions belong to. */
  get candidates(): Candidate[] {
    return this.all
      .filter(({ heartbeat }) => heartbeat.state !== 'draining')
      .map(({ id, heartbeat: { zone, weight } }) => ({ id, zone, weight }));
  }

  /** Newest version of messages that all members read; those that are away come back to them. */
  get version(): number {
    return Math.min(MESSAGE_VERSION, ...this.others.map(({ heartbeat }) => heartbeat.speaks));
  }

  /** Whether this store is in the table. */
  get hasJoined(): boolean {
    return this.#joined;
  }

  /** Others may take this store for dead. */
  get isCutOff(): boolean {
    return this.secondsSinceBeat * 1000 > LEASE_MS;
  }

  /** Seconds since NATS took a heartbeat, or gave the table. */
  get secondsSinceBeat(): number {
    return (performance.now() - this.#beatAt) / 1000;
  }

  /** Whether the heartbeats of this store come back to it. */
  get seesItself(): boolean {
    const seenAt = Math.max(this.#watchedAt, this.#all.get(this.#id)?.seenAt ?? 0);
    return performance.now() - seenAt < DEAD_MS;
  }

  /**
   * Watches the table, over a new connection. Resolves once all is known that it holds.
   * @returns what ends the watch.
   */
  async watch(bucket: KV): Promise<() => void> {
    this.#bucket = bucket;
    const known = new Set<string>();
    let initialized = (): void => {};
    const ready = new Promise<void>((resolve) => {
      initialized = resolve;
    });
    const entries = await bucket.watch({ initializedFn: () => initialized() });
    void (async () => {
      for await (const entry of entries) {
        known.add(entry.key);
        if (entry.key.startsWith(PREFIX)) this.#see(entry);
        else if (entry.key === LAYOUT && entry.operation === 'PUT') this.#options.laidOut(entry.json<Layout>());
      }
    })().catch((error: unknown) => this.#options.log.warn(`the watch of the members ended: ${errorText(error)}`));
    await ready;
    this.#watchedAt = performance.now();
    this.#beatAt = this.#watchedAt;
    // Whoever was removed while nobody watched.
    for (const id of this.#all.keys()) if (!known.has(PREFIX + id)) this.#all.delete(id);
    this.#options.changed();
    return () => entries.stop();
  }

  #see({ key, operation, value, revision, created }: KvEntry): void {
    const id = key.slice(PREFIX.length);
    if (operation !== 'PUT') {
      this.#all.delete(id);
      if (id === this.#id) this.#revision = undefined;
    } else {
      const heartbeat = JSON.parse(new TextDecoder().decode(value)) as Heartbeat;
      const { clock } = heartbeat;
      // NATS's own clock says when it took the heartbeat: no two stores are asked at the same time.
      const clockAhead = clock === undefined ? undefined : (clock - created.getTime()) / 1000;
      this.#all.set(id, { id, heartbeat, revision, seenAt: performance.now(), clockAhead });
      if (heartbeat.incarnation === this.#incarnation) this.#compareClock(clockAhead ?? 0);
    }
    this.#options.changed();
  }

  #compareClock(ahead: number): void {
    if (Math.abs(ahead) < CLOCK_SECONDS) return;
    this.#clockWarned.warn(
      `the clock of this store is ${Math.round(Math.abs(ahead))} s ${ahead > 0 ? 'ahead of' : 'behind'} that of NATS: samples ` +
        'without a time get the wrong one, and other stores refuse its requests from 60 s on',
    );
  }

  /**
   * Enters the table, once nobody else is seen to use this id, or who has used it is dead. Heartbeats follow from then on.
   * @throws MembershipError when another process uses it.
   */
  async join(): Promise<void> {
    if (this.#joined) return this.beat();
    const known = this.#all.get(this.#id);
    const isOpen = known && known.heartbeat.state !== 'stopped' && known.heartbeat.incarnation !== this.#incarnation;
    if (isOpen && known.heartbeat.incarnation === predecessorOf(this.#options.root)) {
      this.#options.log.debug(`the last process of store ${this.#id} is dead: its directory is this one's`);
    } else if (isOpen) {
      for (const end = performance.now() + WATCH_MS; performance.now() < end; ) {
        await sleep(100);
        const now = this.#all.get(this.#id);
        // A put of this process's own may have come through before its connection broke.
        if (now?.heartbeat.incarnation === this.#incarnation) break;
        if (now && now.revision !== known.revision && now.heartbeat.state !== 'stopped') {
          throw new MembershipError(
            `another process is store ${this.#id} of cluster ${this.#options.config.name}, at ${now.heartbeat.url}; ` +
              'each needs a cluster.id of its own',
          );
        }
        if (!now || now.heartbeat.state === 'stopped') break;
      }
    }
    // Over a newer connection it may have joined meanwhile.
    if (this.#joined) return this.beat();
    this.#assertMetrics();
    this.#note();
    this.#revision = this.#all.get(this.#id)?.revision;
    await this.#put();
    this.#joined = true;
    this.#timer ??= setInterval(() => void this.beat(), HEARTBEAT_MS);
  }

  /** So that the next process knows that this one is dead. */
  #note(): void {
    try {
      noteProcess(this.#options.root, this.#incarnation);
    } catch (error) {
      // The next start takes some seconds longer.
      this.#options.log.warn(`which process this is can't be noted: ${errorText(error)}`);
    }
  }

  /** The others store samples in their form already. @throws MembershipError when this store would in another one. */
  #assertMetrics(): void {
    const { metrics } = this.#options.describe();
    const alive = this.others.filter((member) => this.isAlive(member));
    const other = agreementOf(metrics, alive).missing.find(({ isOther }) => isOther);
    if (!other) return;
    const { metric, store } = other;
    throw new MembershipError(
      `metrics.${metric} is "${metrics[metric]}" here, and "${this.of(store)?.heartbeat.metrics[metric]}" at store ${store}: ` +
        'expected the same frequency, aggregation and precision in all stores',
    );
  }

  /** Says now how this store is, instead of within two seconds. Never rejects. */
  beat(): Promise<void> {
    this.#beating = this.#beating.then(async () => {
      if (!this.#joined || this.#stopped) return;
      try {
        await this.#put();
        await this.#removeLost();
      } catch (error) {
        if (isConflict(error)) await this.#resolveConflict();
        else this.#options.log.debug(`a heartbeat failed: ${errorText(error)}`);
      }
    });
    return this.#beating;
  }

  async #put(): Promise<void> {
    const bucket = this.#bucket;
    if (!bucket) throw new Error('no connection to NATS');
    const { advertise: url, zone, weight } = this.#options.config;
    const { describe } = this.#options;
    const heartbeat: Heartbeat = {
      ...{ url, zone, weight, incarnation: this.#incarnation, clock: Date.now() },
      ...describe(),
    };
    const key = PREFIX + this.#id;
    const text = JSON.stringify(heartbeat);
    const begin = performance.now();
    this.#revision =
      this.#revision === undefined ? await bucket.create(key, text) : await bucket.update(key, text, this.#revision);
    this.#beatAt = begin;
  }

  /** A put was refused: it was this process's own, whose answer was lost, or another process's. */
  async #resolveConflict(): Promise<void> {
    try {
      const entry = await this.#bucket?.get(PREFIX + this.#id);
      const other = entry?.operation === 'PUT' ? entry.json<Heartbeat>() : undefined;
      if (other && other.incarnation !== this.#incarnation && other.state !== 'stopped') this.#options.replaced();
      this.#revision = entry?.operation === 'PUT' ? entry.revision : undefined;
    } catch (error) {
      this.#options.log.debug(`this store's own key can't be read: ${errorText(error)}`);
    }
  }

  /** Removes those that have been away too long, if that is this store's task. */
  async #removeLost(): Promise<void> {
    const alive = this.all.filter((member) => this.isAlive(member));
    if (alive[0]?.id !== this.#id) return;
    const { rebalanceAfterSeconds } = this.#options.config;
    for (const { id, heartbeat, seenAt, revision } of this.others) {
      // Who has said that it stops is not just late.
      const leastMs = heartbeat.state === 'stopped' ? 0 : DEAD_MS;
      if (performance.now() - seenAt < Math.max(leastMs, rebalanceAfterSeconds * 1000)) continue;
      this.#options.log.warn(`store ${id} has been away for ${rebalanceAfterSeconds} s: its place goes to others`);
      await this.#bucket?.delete(PREFIX + id, { previousSeq: revision });
    }
  }

  /** Says that this store ends, and ends the heartbeats. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.beat();
    this.#stopped = true;
  }
}
