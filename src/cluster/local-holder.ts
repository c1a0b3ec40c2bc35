/**
 * This store as a holder of partitions: asked by itself and by others on the same terms. It answers when its copy is ready and has
 * the messages that the answer must contain; else it says why others must be asked.
 */
import type { CallName, PartitionClient } from '../store/client.js';
import type { PieceStream } from '../store/query/piece-stream.js';
import type { Question } from '../store/query/question.js';
import type { Copies } from './copies/copies.js';
import type { Members } from './members/members.js';
import { Elsewhere, type Terms } from './peers/peer.js';

/** How long a copy may take to get what the answer must contain. */
const CATCH_UP_MS = 2_000;

export class LocalHolder {
  readonly #copies: Copies;
  readonly #members: Members;

  constructor(copies: Copies, members: Members) {
    this.#copies = copies;
    this.#members = members;
  }

  /** First pieces, in the order of the questions. Rejects with `Elsewhere`, or the error that is the answer. */
  async ask(questions: readonly Question[], terms: Terms): Promise<PieceStream[]> {
    const partitions = [...new Set(questions.map(({ partition }) => partition))];
    const clients = new Map<number, PartitionClient>();
    await Promise.all(
      partitions.map(async (partition) => {
        clients.set(partition, await this.#ready(partition, terms));
      }),
    );
    const groups = new Map<PartitionClient, number[]>();
    for (const [index, { partition }] of questions.entries()) {
      const client = clients.get(partition) as PartitionClient;
      groups.set(client, [...(groups.get(client) ?? []), index]);
    }
    const streams: PieceStream[] = [];
    const settled = await Promise.allSettled(
      [...groups].map(async ([client, indices]) => {
        const some = await client.ask(indices.map((index) => questions[index] as Question));
        for (const [n, index] of indices.entries()) streams[index] = some[n] as PieceStream;
      }),
    );
    const failed = settled.find((one) => one.status === 'rejected');
    if (!failed) return streams;
    for (const stream of streams) stream?.leave();
    throw failed.reason;
  }

  /** @param name of a call that reads, or `outcome`: what a command had as its result. Rejects as `ask`. */
  async call(partition: number, name: CallName | 'outcome', args: unknown, terms: Terms): Promise<unknown> {
    const client = await this.#ready(partition, terms);
    if (name !== 'outcome') return client.call(partition, name, args as never);
    return this.#copies.of(partition)?.follower.outcomeOf((args as { seq: number }).seq) ?? 0;
  }

  /** Who answers for a partition, once its copy has what it must. Rejects with `Elsewhere`. */
  async #ready(partition: number, { minimums, stale }: Terms): Promise<PartitionClient> {
    const copy = this.#copies.of(partition);
    if (!copy) throw new Elsewhere(`partition ${partition} is not held here`);
    if (stale) return copy.client;
    if (this.#members.isCutOff) throw new Elsewhere('cut off from NATS');
    const { follower } = copy;
    if (!this.#copies.isReady(partition)) throw new Elsewhere(`partition ${partition} is behind`);
    const { seq, created } = minimums[partition] ?? { seq: 0 };
    if (created !== undefined && created !== follower.created) {
      follower.lookAgain();
      throw new Elsewhere(`partition ${partition} follows another stream than that of ${created}`);
    }
    if (!(await follower.reached(seq, CATCH_UP_MS))) {
      throw new Elsewhere(`partition ${partition} is at message ${follower.applied}, asked for ${seq}`);
    }
    return copy.client;
  }
}
