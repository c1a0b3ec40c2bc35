/**
 * Applies a partition's stream to this store's copy, in order and without a gap: the message that comes next is the one after
 * `applied`, or the consumer is thrown away and made anew there. The position is this store's own (stream-position.ts);
 * NATS keeps nothing for it.
 *
 *   follow ──▶ messages applied ──▶ behind or ready       gap, refusal, lost connection ──▶ follow again from `applied + 1`
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager, type JsMsg, type NatsConnection, nanos } from 'nats';
import { errorText, type Logger } from '../../base/log.js';
import { milliseconds } from '../../nats/follower.js';
import { type Attempt, type Consumption, keepTrying } from '../../nats/keep-trying.js';
import type { Position } from '../../persistence/stream-position.js';
import type { PartitionClient } from '../../store/client.js';
import { StoreError } from '../../store/store.js';
import { decodeHead, type Head, NewerVersion } from '../message.js';
import { applyMessage } from './apply-message.js';
import { type Applying, isPoison, type Suspects } from './applying.js';
import { differenceOf, endOfGap } from './stream-checks.js';

/** NATS forgets a consumer that nobody has asked for so long. */
const INACTIVE_MS = 30_000;
/** Bytes of messages that all partitions together ask for at a time: with 64 MiB unread NATS cuts the connection. */
const PULL_BYTES = 24 << 20;
/** A message that NATS takes has to fit, or the consumer would wait for ever. */
const LEAST_PULL_BYTES = 320 << 10;
/** Bytes of messages that are being applied. */
const APPLYING_BYTES = 4 << 20;
/** Results of commands that are remembered, for whoever has sent them. */
const OUTCOMES = 64;
/** A message that was acknowledged elsewhere comes sooner, or is none. */
const GAP_MS = 500;
/** A copy that is behind for longer is not asked. */
const BEHIND_MS = 2_000;

export interface FollowerOptions {
  partition: number;
  /** How many partitions follow beside this one. */
  partitions: number;
  stream: string;
  /** Of the copy as it was read; undefined: it is empty. */
  position: Position | undefined;
  client: PartitionClient;
  takeBuffer(bytes: number): ArrayBuffer;
  log: Logger;
  /** Rate-limited. */
  failed: Logger;
  /** The stream has lost messages that this copy does not have. @returns whether it goes on without them. */
  lost(first: number): boolean;
  /** The stream has no messages of these numbers, and others behind them. @returns whether it goes on behind them. */
  gap(first: number, last: number): boolean;
  /** Where to begin is settled: the copy is what it is, and the stream. */
  begun(): void;
  /** Notes what is being applied. */
  applying: Applying;
}

/** One attempt at following. */
interface Following {
  /** Why a message could not be applied; those behind it are not either. */
  failed: Error | undefined;
  /** No further message is asked for. */
  stop(): void;
}

export class Follower {
  readonly #options: FollowerOptions;
  #position: Position | undefined;
  #consumption: Consumption | undefined;
  /** Messages that have come and are not applied. */
  #applying = 0;
  #applyingBytes = 0;
  /** Messages that the stream has beyond the newest that is being applied; infinite while that is not known. */
  #pending = Number.POSITIVE_INFINITY;
  /** When nothing was missing, milliseconds of performance.now; undefined: never since the start. */
  #caughtUp: number | undefined;
  /** Whoever waits until less is being applied. */
  readonly #wake: (() => void)[] = [];
  readonly #waiting = new Set<{ seq: number; resolve(): void }>();
  /** Results of the last commands, by number. */
  readonly #outcomes = new Map<number, number>();
  #connection: NatsConnection | undefined;
  /** When the stream was made, as NATS has said last. */
  #created: string;
  /** Where to begin in the stream is settled, over the present connection. */
  #hasBegun = false;
  /** When the stream was found to be another one than before, milliseconds of performance.now. */
  #remadeAt = Number.NEGATIVE_INFINITY;
  /** Messages that were on their way when an earlier process died, or the one that failed here, and are not applied yet. */
  #suspects: Suspects | undefined;
  /** A message that is not applied, for it has failed too often. */
  #stuckAt: number | undefined;
  /** A message that is left out, as an administrator has said. */
  #leftOut: number | undefined;
  #stopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#created = options.position?.created ?? '';
    this.#suspects = options.applying.suspectsOf(options.partition);
  }

  /** When the stream was made that the copy follows; empty: that is not known yet. */
  get created(): string {
    return this.#created;
  }

  /** Milliseconds since the stream was found to be another one than before; infinite: it was not, since the start. */
  get msSinceRemade(): number {
    return performance.now() - this.#remadeAt;
  }

  /** Where the copy is; undefined: nothing was applied yet. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Number of the last message that the copy holds. */
  get applied(): number {
    return this.#position?.seq ?? 0;
  }

  /** Whether the copy has all that there was, but for the last moments. */
  get isReady(): boolean {
    if (this.#caughtUp === undefined || !this.#hasBegun || this.#stuckAt !== undefined) return false;
    return this.#isCaughtUp || performance.now() - this.#caughtUp < BEHIND_MS;
  }

  get #isCaughtUp(): boolean {
    return this.#pending === 0 && this.#applying === 0;
  }

  /** Seconds since nothing was missing; 0: nothing is. Infinite before that was so for the first time. */
  get lagSeconds(): number {
    if (this.#caughtUp === undefined) return Number.POSITIVE_INFINITY;
    return this.#isCaughtUp ? 0 : (performance.now() - this.#caughtUp) / 1000;
  }

  /** What a command had as its result; undefined: it is not known here (any more). */
  outcomeOf(seq: number): number | undefined {
    return this.#outcomes.get(seq);
  }

  #remember(seq: number, result: number): void {
    this.#outcomes.set(seq, result);
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > OUTCOMES && oldest !== undefined) this.#outcomes.delete(oldest);
  }

  /** Follows for as long as the connection lives. */
  follow(connection: NatsConnection): void {
    this.#consumption?.stop();
    this.#hasBegun = false;
    this.#connection = connection;
    if (this.#stopped) return;
    const { stream, failed } = this.#options;
    this.#consumption = keepTrying(
      connection,
      (attempt) => this.#once(connection, attempt),
      (error) => failed.warn(`can't follow stream ${stream}: ${errorText(error)}`),
    );
  }

  /** The stream may be another one: looks at it anew. The copy is not ready until that is done. */
  lookAgain(): void {
    if (this.#hasBegun && this.#connection && !this.#connection.isClosed()) this.follow(this.#connection);
  }

  /** Goes on without the message that it is stuck at. @returns false: it is not stuck. */
  leaveOut(): boolean {
    if (this.#stuckAt === undefined) return false;
    this.#options.log.crit(
      `stream ${this.#options.stream}: message ${this.#stuckAt} is left out, as an administrator has said`,
    );
    this.#leftOut = this.#stuckAt;
    this.#stuckAt = undefined;
    this.#suspects = undefined;
    this.#options.applying.end(this.#options.partition);
    this.lookAgain();
    return true;
  }

  /** Ends; resolves when nothing is on its way to the partition any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#consumption?.stop();
    await this.#settled(0);
    for (const { resolve } of this.#waiting) resolve();
  }

  /** Resolves to true once the copy holds the message, to false when that takes longer. */
  async reached(seq: number, timeoutMs: number): Promise<boolean> {
    if (this.applied >= seq) return true;
    await new Promise<void>((resolve) => {
      const waiting = {
        seq,
        resolve: () => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve();
        },
      };
      const timer = setTimeout(waiting.resolve, timeoutMs);
      this.#waiting.add(waiting);
      // The last ones of a stream may be numbers without a message.
      const look = setTimeout(() => this.#isCaughtUp && this.applied < seq && this.lookAgain(), GAP_MS);
      look.unref();
    });
    return this.applied >= seq;
  }

  async #once(connection: NatsConnection, attempt: Attempt): Promise<void> {
    const { stream, partitions, log } = this.#options;
    // What an earlier attempt has given to the partition must be settled: it decides where to begin.
    await this.#settled(0);
    const manager = await connection.jetstreamManager();
    const { created, first, last } = await this.#whereToBegin(manager);
    if (attempt.stopped) return;
    this.#options.begun();
    this.#hasBegun = true;
    if (first === undefined || this.#stuckAt !== undefined) return;
    const { name } = await manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const consumer = await connection.jetstream().consumers.get(stream, name);
    const messages = await consumer.consume({
      max_bytes: Math.max(LEAST_PULL_BYTES, Math.floor(PULL_BYTES / partitions)),
      abort_on_missing_resource: true,
    });
    attempt.onStop = (): void => messages.stop();
    if (attempt.stopped) attempt.onStop();
    void attempt.ended.then(() => messages.stop());
    log.debug(`following stream ${stream} from message ${first} on`);
    this.#pending = Math.max(0, last - this.applied);
    this.#look();
    let next = first;
    const state: Following = { failed: undefined, stop: () => messages.stop() };
    for await (const message of messages) {
      if (attempt.stopped) return;
      // Until now nothing was missing, however long ago the last one came. From now on this one is, until it is being applied.
      this.#look();
      this.#pending = Number.POSITIVE_INFINITY;
      if (message.seq !== next || state.failed) {
        messages.stop();
        throw state.failed ?? new Error(`message ${message.seq} came, expected ${next}; reading again from there`);
      }
      if (await this.#isPoison(message.seq)) {
        messages.stop();
        return;
      }
      next++;
      await this.#take(message, created, state);
    }
    await this.#settled(0);
    if (state.failed && !attempt.stopped) throw state.failed;
  }

  /** Whether the copy stays before this message, for it has failed too often. Suspects are waited for, one by one. */
  async #isPoison(seq: number): Promise<boolean> {
    const suspects = this.#suspects;
    if (!suspects || seq < suspects.from) return false;
    await this.#settled(0);
    if (seq > suspects.to) {
      this.#suspects = undefined;
      return false;
    }
    if (!isPoison(suspects)) return false;
    const { partition, stream, log, applying } = this.#options;
    this.#stuckAt = seq;
    // So that the next process of this version knows it as well.
    applying.begin(partition, seq, seq, suspects.deaths - 1);
    log.crit(
      `stream ${stream}: message ${seq} has failed ${suspects.deaths} times, by an error or the death of the process; partition ` +
        `${partition} is stuck before it until another version is started, or POST /api/cluster/accept-loss leaves it out`,
    );
    return true;
  }

  /** Begins to apply a message; resolves when the next one may come. */
  async #take(message: JsMsg, created: string, state: Following): Promise<void> {
    const head = message.seq === this.#leftOut ? undefined : this.#headOf(message);
    const { partition, applying } = this.#options;
    // Commands overtake nothing, and nothing overtakes them.
    const isAlone = head?.kind !== 'lines' || this.#suspects !== undefined;
    if (isAlone) await this.#settled(0);
    if (state.failed) return;
    const deaths = this.#suspects && message.seq >= this.#suspects.from ? this.#suspects.deaths : 0;
    applying.begin(partition, isAlone ? message.seq : this.applied + 1, message.seq, deaths);
    const bytes = message.data.length;
    const before = this.#position?.before;
    const position = { created, seq: message.seq, time: String(milliseconds(message)), ...(before && { before }) };
    this.#applying++;
    this.#applyingBytes += bytes;
    this.#pending = message.info.pending;
    const applied = this.#apply(head, message.data, message.seq)
      .then(() => {
        if (!state.failed) this.#advance(position);
      })
      .catch((error: unknown) => {
        if (!state.failed && isFault(error)) this.#suspect(message.seq);
        state.failed ??= error instanceof Error ? error : new Error(String(error));
        this.#pending = Number.POSITIVE_INFINITY;
        // It may have been the last one: nothing else would begin anew.
        state.stop();
      })
      .finally(() => {
        this.#applying--;
        this.#applyingBytes -= bytes;
        if (!this.#applying) applying.end(partition);
        this.#look();
        for (const wake of this.#wake.splice(0)) wake();
      });
    if (isAlone) await applied;
    else if (this.#applyingBytes > APPLYING_BYTES) await this.#settled(APPLYING_BYTES / 2);
  }

  /** A message has failed by a fault of the program's: it is tried again alone, and not for ever. */
  #suspect(seq: number): void {
    const before = this.#suspects;
    const deaths = before?.from === seq && before.to === seq ? before.deaths : 0;
    this.#suspects = { from: seq, to: seq, deaths: deaths + 1 };
  }

  /** Undefined: somebody has published what is none of a store's messages. @throws Error for one of a newer version. */
  #headOf({ data, seq }: JsMsg): Head | undefined {
    try {
      return decodeHead(data);
    } catch (error) {
      if (error instanceof NewerVersion) throw error;
      // In all copies alike: nobody would ever get beyond it otherwise.
      this.#options.log.crit(`stream ${this.#options.stream}: message ${seq} is left out`, error);
      return undefined;
    }
  }

  async #apply(head: Head | undefined, data: Uint8Array, seq: number): Promise<void> {
    const result = head && (await applyMessage(head, data, this.#options));
    if (result !== undefined) this.#remember(seq, result);
  }

  #advance(position: Position): void {
    this.#position = position;
    for (const waiting of this.#waiting) if (waiting.seq <= position.seq) waiting.resolve();
  }

  #look(): void {
    if (this.#isCaughtUp) this.#caughtUp = performance.now();
  }

  /** Resolves once at most so many bytes are being applied. */
  async #settled(bytes: number): Promise<void> {
    while (this.#applying && this.#applyingBytes > bytes) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** `first` undefined: the copy lacks messages that the stream has lost. */
  async #whereToBegin(
    manager: JetStreamManager,
  ): Promise<{ created: string; first: number | undefined; last: number }> {
    const { stream, log, lost, gap } = this.#options;
    const { created, state } = await manager.streams.info(stream);
    this.#created = created;
    const last = state.last_seq;
    const position = this.#position;
    const why = position && (await differenceOf(manager, stream, position, created, last));
    if (position && why !== undefined) {
      log.crit(
        `stream ${stream} is not as it was at message ${position.seq}: ${why}; it is read from its beginning, what this ` +
          'copy holds of before stays',
      );
      this.#remadeAt = performance.now();
      // Nothing of the new one is applied. What this copy has of the old one is compared with the other copies.
      this.#position = { created, seq: 0, time: '', before: { created: position.created, seq: position.seq } };
    }
    const first = this.applied + 1;
    // The first message of an empty stream is the one that comes next.
    if (state.first_seq > first && why === undefined) {
      if (!lost(state.first_seq)) return { created, first: undefined, last };
    }
    const begin = Math.max(first, state.first_seq);
    const gapEnd = state.num_deleted ? await endOfGap(manager, stream, begin) : undefined;
    if (gapEnd === undefined) return { created, first: begin, last };
    if (!gap(begin, gapEnd)) return { created, first: undefined, last };
    const before = this.#position?.before;
    this.#advance({ created, seq: gapEnd, time: '', ...(before && { before }) });
    return { created, first: gapEnd + 1, last };
  }
}

/** Whether a message has failed by itself, not for want of memory, disk or time. */
function isFault(error: unknown): boolean {
  return !(error instanceof StoreError) || error.code === 'INTERNAL';
}
