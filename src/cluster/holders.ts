/**
 * Asks whoever holds a partition: this store if it does, else the ready one with the fewest questions under way, and the next one
 * when that can't answer. A store that has not begun within a second has company: the next one is asked as well, and the first
 * to begin wins. An answer is complete or an error that names the partition, within eight seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallName, Calls, Consistency, PartitionClient, Written } from '../store/client.js';
import type { PieceStream } from '../store/query/piece-stream.js';
import type { Question } from '../store/query/question.js';
import { StoreError } from '../store/store.js';
import type { Copies } from './copies/copies.js';
import type { LocalHolder } from './local-holder.js';
import type { Member, Members } from './members/members.js';
import type { Head } from './message.js';
import { Elsewhere, type Minimum, type Peer, type Terms } from './peers/peer.js';

/** cc-backend gives up after 10 s. */
const GIVE_UP_MS = 8_000;
const HEDGE_MS = 1_000;
const AGAIN_MS = 200;

/** A store that may be asked. */
type Holder = Pick<Peer, 'ask' | 'call'> & { id: string; peer?: Peer };

export interface HoldersOptions {
  id: string;
  members: Members;
  copies: Copies;
  local: LocalHolder;
  peerOf(member: Member): Peer;
  /** Message that a partition's answer must contain. */
  minimumOf(partition: number, isStrong: boolean): Promise<Minimum>;
  /** Publishes a command. @returns its number. */
  command(partition: number, head: Head): Promise<number>;
  /** Told that another holder had to be asked. */
  failedOver(): void;
  /** Told that a copy has answered which may lack what was written since. */
  answeredStale(): void;
}

export class Holders implements PartitionClient {
  readonly #options: HoldersOptions;

  constructor(options: HoldersOptions) {
    this.#options = options;
  }

  /** Lines of a cluster are published, not written to one of its stores. */
  write(): Promise<Written> {
    return Promise.reject(new Error('BUG: lines are written past the stream'));
  }

  async ask(questions: readonly Question[]): Promise<PieceStream[]> {
    const isStrong = questions.some((question) => question.isStrong);
    const terms = await this.#terms(
      questions.map(({ partition }) => partition),
      isStrong,
    );
    return this.#ask(questions, terms, new Set(), performance.now() + GIVE_UP_MS);
  }

  async call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    if (name === 'free') return (await this.#free(partition, args as Calls['free']['args'])) as Calls[N]['result'];
    const isStrong = (args as Consistency).isStrong === true;
    const terms = await this.#terms([partition], isStrong);
    return (await this.#call(partition, name, args, terms, isStrong)) as Calls[N]['result'];
  }

  /** Frees in all copies. @returns blocks freed in the one that is asked. */
  async #free(partition: number, { to, selectors }: Calls['free']['args']): Promise<number> {
    const seq = await this.#options.command(partition, { kind: 'free', to, selectors });
    const terms = { minimums: { [partition]: { seq } }, stale: false };
    return (await this.#call(partition, 'outcome', { seq }, terms, true)) as number;
  }

  async #terms(partitions: readonly number[], isStrong: boolean): Promise<Terms> {
    const distinct = [...new Set(partitions)];
    const minimums = await Promise.all(distinct.map((partition) => this.#options.minimumOf(partition, isStrong)));
    return {
      minimums: Object.fromEntries(distinct.map((partition, i) => [partition, minimums[i] ?? { seq: 0 }])),
      stale: false,
    };
  }

  /** Who may be asked about a partition, the best one first. */
  #holdersOf(partition: number, stale: boolean): Holder[] {
    const { id, members, copies, local, peerOf } = this.#options;
    const own = copies.of(partition);
    const isOwnGood = copies.isReady(partition) && !members.isCutOff;
    const others = members.others
      .filter(
        (member) =>
          member.heartbeat.state !== 'stopped' &&
          (stale || member.heartbeat.state !== 'leaving') &&
          (stale || members.isCutOff || members.isAlive(member)) &&
          (stale ? member.heartbeat.holds[partition] : member.heartbeat.holds[partition]?.[2] === 1),
      )
      .map((member): Required<Holder> => {
        const peer = peerOf(member);
        return { id: member.id, peer, ask: peer.ask.bind(peer), call: peer.call.bind(peer) };
      })
      .sort((a, b) => Number(a.peer.isSlow) - Number(b.peer.isSlow) || a.peer.inFlight - b.peer.inFlight);
    const self: Holder = { id, ask: local.ask.bind(local), call: local.call.bind(local) };
    if (isOwnGood) return [self, ...others];
    return own && stale ? [...others, self] : others;
  }

  async #ask(
    questions: readonly Question[],
    terms: Terms,
    tried: ReadonlySet<string>,
    deadline: number,
  ): Promise<PieceStream[]> {
    const groups = new Map<string, { holder: Holder; indices: number[] }>();
    const nobody: number[] = [];
    for (const [index, { partition }] of questions.entries()) {
      const holder = this.#holdersOf(partition, terms.stale).find(({ id }) => !tried.has(id));
      if (!holder) nobody.push(index);
      else if (groups.has(holder.id)) groups.get(holder.id)?.indices.push(index);
      else groups.set(holder.id, { holder, indices: [index] });
    }
    const asked = [...groups.values()].map(async ({ holder, indices }) => {
      const some = indices.map((index) => questions[index] as Question);
      return { indices, streams: await this.#askOne(holder, some, terms, tried, deadline) };
    });
    if (nobody.length) {
      const some = nobody.map((index) => questions[index] as Question);
      asked.push(
        this.#later(some, terms, deadline).then(async (again) => ({
          indices: nobody,
          streams: await this.#ask(some, again, new Set(), deadline),
        })),
      );
    }
    const settled = await Promise.allSettled(asked);
    const streams: PieceStream[] = [];
    for (const one of settled) {
      if (one.status === 'fulfilled')
        for (const [n, index] of one.value.indices.entries()) {
          streams[index] = one.value.streams[n] as PieceStream;
        }
    }
    const failed = settled.find((one) => one.status === 'rejected');
    if (!failed) return streams;
    for (const stream of streams) stream?.leave();
    throw failed.reason;
  }

  /** All that could be asked were. Waits before it is tried again. @returns the terms of the next try. */
  async #later(
    questions: readonly Pick<Question, 'partition' | 'isStrong'>[],
    terms: Terms,
    deadline: number,
  ): Promise<Terms> {
    const { members } = this.#options;
    // Whoever asks for all there is wants no less.
    const isStrong = questions.some((question) => question.isStrong);
    if (members.isCutOff && !terms.stale && !isStrong) return { ...terms, stale: true };
    if (performance.now() + AGAIN_MS > deadline) {
      const partitions = [...new Set(questions.map(({ partition }) => partition))];
      throw unavailable(partitions);
    }
    await sleep(AGAIN_MS);
    return terms;
  }

  /** Asks a store, and others where it can't answer, or not soon. */
  async #askOne(
    holder: Holder,
    questions: readonly Question[],
    terms: Terms,
    tried: ReadonlySet<string>,
    deadline: number,
  ): Promise<PieceStream[]> {
    const others = new Set([...tried, holder.id]);
    const next = (): Promise<PieceStream[]> => {
      this.#options.failedOver();
      return this.#ask(questions, terms, others, deadline);
    };
    const first = holder.ask(questions, terms);
    if (terms.stale) first.then(this.#options.answeredStale, () => {});
    if (!holder.peer) return orElsewhere(first, next);
    const isSlow = await Promise.race([first.then(no, no), sleep(HEDGE_MS, true, { ref: false })]);
    if (!isSlow) return orElsewhere(first, next);
    holder.peer.noteSlow();
    // Somebody else for each of them, or the work would be done twice by the same store.
    const hasCompany = questions.every(({ partition }) =>
      this.#holdersOf(partition, terms.stale).some(({ id }) => !others.has(id)),
    );
    return hasCompany ? firstOf(first, next()) : orElsewhere(first, next);
  }

  async #call(
    partition: number,
    name: CallName | 'outcome',
    args: unknown,
    terms: Terms,
    isStrong: boolean,
  ): Promise<unknown> {
    const deadline = performance.now() + GIVE_UP_MS;
    let current = terms;
    for (;;) {
      for (const holder of this.#holdersOf(partition, current.stale)) {
        try {
          const result = await holder.call(partition, name, args, current);
          if (current.stale) this.#options.answeredStale();
          return result;
        } catch (error) {
          if (!(error instanceof Elsewhere)) throw error;
          this.#options.failedOver();
        }
      }
      current = await this.#later([{ partition, isStrong }], current, deadline);
    }
  }
}

function no(): boolean {
  return false;
}

function unavailable(partitions: readonly number[]): StoreError {
  const names = partitions.length > 8 ? `${partitions.length} partitions` : `partition ${partitions.join(', ')}`;
  return new StoreError(
    'UNAVAILABLE',
    `no store that holds ${names} has answered within ${GIVE_UP_MS / 1000} s; see /api/cluster`,
  );
}

async function orElsewhere(first: Promise<PieceStream[]>, next: () => Promise<PieceStream[]>): Promise<PieceStream[]> {
  try {
    return await first;
  } catch (error) {
    if (error instanceof Elsewhere) return next();
    throw error;
  }
}

/** The answers that come first; the others are left. Rejects when both fail. */
function firstOf(a: Promise<PieceStream[]>, b: Promise<PieceStream[]>): Promise<PieceStream[]> {
  let winner: Promise<PieceStream[]> | undefined;
  return new Promise((resolve, reject) => {
    let failures = 0;
    for (const one of [a, b]) {
      one.then(
        (streams) => {
          winner ??= one;
          if (winner === one) resolve(streams);
          else for (const stream of streams) stream.leave();
        },
        (error: unknown) => {
          if (++failures === 2) reject(error);
        },
      );
    }
  });
}
