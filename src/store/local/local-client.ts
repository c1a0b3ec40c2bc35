/** Main thread. The partitions of one shard of this process, asked in messages (protocol.ts). */
import { countReceived } from '../../base/heap.js';
import { StoreError } from '../../base/store-error.js';
import { writesTook } from '../../base/turns.js';
import type { Buffers } from '../buffers.js';
import type { CallName, Calls, PartitionClient, PartitionWrite, Written } from '../client.js';
import { fromFailure } from '../failure.js';
import type { LoadHelp } from '../load/protocol.js';
import type { Loading } from '../loading.js';
import type { FromWorker, Opened, ToWorker } from '../protocol.js';
import type { AnswerBudget } from '../query/budget.js';
import { type PackedPieces, Spares, unpack } from '../query/pack.js';
import { type PieceSource, PieceStream } from '../query/piece-stream.js';
import type { Question } from '../query/question.js';
import { PIECE, WHOLE } from '../query/sizes.js';
import type { ShardLink } from './shard-link.js';

/** Waits for the answer to a message. */
interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What all clients of a store share. */
export interface LocalClientOptions {
  /** Where bodies go when they are stored. */
  buffers: Buffers;
  budget: AnswerBudget;
  /** Told how far the load is. */
  loading: Loading;
  /** Told when the shard died: the process must end. */
  onFatal(error: Error): void;
}

export class LocalClient implements PartitionClient, PieceSource {
  readonly #link: ShardLink;
  readonly #buffers: Buffers;
  readonly #budget: AnswerBudget;
  readonly #loading: Loading;
  readonly #onFatal: (error: Error) => void;
  readonly #pending = new Map<number, Pending>();
  /** Buffers of pieces that were read: they go back with the next question. */
  readonly #spares = new Spares();
  /** Answers of more than one piece. */
  readonly #streams = new Map<number, PieceStream>();
  #gone: StoreError | undefined;
  #nextId = 1;

  /** @param link makes the link to the shard, with this as its listener. */
  constructor(link: (listener: LocalClient) => ShardLink, { buffers, budget, loading, onFatal }: LocalClientOptions) {
    this.#buffers = buffers;
    this.#budget = budget;
    this.#loading = loading;
    this.#onFatal = onFatal;
    this.#link = link(this);
  }

  /** Reads the partitions, which the directory must be locked for. @param help its ports are taken over. */
  load(help?: LoadHelp): Promise<void> {
    return this.#link.load(help);
  }

  /** Ends the shard. */
  end(): Promise<void> {
    return this.#link.end();
  }

  write(write: PartitionWrite): Promise<Written> {
    const id = this.#nextId++;
    return this.#request<Written>(id, { kind: 'write', id, ...write }, [write.body]);
  }

  call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    const id = this.#nextId++;
    return this.#request<Calls[N]['result']>(id, { kind: 'call', id, partition, name, args });
  }

  /** Has the shard read one more partition. Rejects with the reason when that can't be done. */
  open(partition: number): Promise<Opened> {
    const id = this.#nextId++;
    return this.#request<Opened>(id, { kind: 'open', id, partition });
  }

  /** Has the shard write, close and forget a partition. */
  close(partition: number): Promise<void> {
    const id = this.#nextId++;
    return this.#request<void>(id, { kind: 'close', id, partition });
  }

  ask(questions: readonly Question[]): Promise<PieceStream[]> {
    const id = this.#nextId;
    const { length } = questions;
    this.#nextId += length;
    const bytes = [PIECE, Math.floor(WHOLE / length)].find((size) => this.#budget.tryTake(length * size)) ?? 0;
    return new Promise((resolve, reject) => {
      const spares = this.#spares.takeAll();
      this.#post(id, { kind: 'ask', id, questions, bytes, spares }, spares, {
        resolve: (answers) => {
          this.#budget.release(length * bytes);
          resolve(this.#open(id, answers as PackedPieces));
        },
        reject: (error) => {
          this.#budget.release(length * bytes);
          reject(error);
        },
      });
    });
  }

  /** Answers whose first pieces are there. */
  #open(id: number, answers: PackedPieces): PieceStream[] {
    return unpack(answers).map((first, i) => {
      const stream = new PieceStream(id + i, first, this, this.#budget);
      if (!first.done) this.#streams.set(id + i, stream);
      return stream;
    });
  }

  more(id: number, bytes: number): void {
    const spares = this.#spares.takeAll();
    this.#link.post({ kind: 'more', id, bytes, spares }, spares);
  }

  recycle(buffer: ArrayBuffer): void {
    if (!this.#spares.give(buffer)) countReceived(buffer.byteLength);
  }

  leave(id: number): void {
    this.#streams.delete(id);
    this.#link.post({ kind: 'leave', id });
  }

  #request<T>(id: number, message: ToWorker, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#post(id, message, transfer, { resolve: resolve as Pending['resolve'], reject });
    });
  }

  /** Posts a message that is answered under this id. */
  #post(id: number, message: ToWorker, transfer: ArrayBuffer[], pending: Pending): void {
    if (this.#gone) {
      pending.reject(this.#gone);
      return;
    }
    this.#pending.set(id, pending);
    this.#link.post(message, transfer);
  }

  #taken(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  readonly receive = (message: FromWorker): void => {
    switch (message.kind) {
      case 'wrote':
        writesTook(message.took);
        for (const result of message.results) {
          // With strays the body is still needed.
          if (!result.batch?.strays.length) this.#buffers.give(result.body);
          this.#taken(result.id)?.resolve(result);
        }
        break;
      case 'answers':
        this.#taken(message.id)?.resolve(message);
        break;
      case 'piece': {
        const stream = this.#streams.get(message.id);
        const [piece] = unpack(message);
        if (piece?.done) this.#streams.delete(message.id);
        if (stream && piece) stream.receive(piece);
        else if (piece?.buffer) this.recycle(piece.buffer);
        break;
      }
      case 'failed': {
        const error = fromFailure(message.failure);
        this.#taken(message.id)?.reject(error);
        this.#streams.get(message.id)?.fail(error);
        this.#streams.delete(message.id);
        break;
      }
      case 'progress':
        this.#loading.progress(message.partition, message.bytes, message.of);
        break;
      case 'loaded':
        this.#loading.loaded(message.partition, message.figures);
        break;
      case 'reply':
        if (message.failure) this.#taken(message.id)?.reject(fromFailure(message.failure));
        else this.#taken(message.id)?.resolve(message.result);
        break;
    }
  };

  /** The shard is gone: nothing that waits for it will be answered. */
  readonly died = (cause: Error): void => {
    this.#gone = new StoreError('INTERNAL', cause.message, { cause });
    for (const pending of this.#pending.values()) pending.reject(this.#gone);
    for (const stream of this.#streams.values()) stream.fail(this.#gone);
    this.#pending.clear();
    this.#streams.clear();
    this.#onFatal(cause);
  };
}
