/** Questions under way. Each partition's answer is a stream of pieces; the workers are asked in one message each. */

import { type Buffers, isLarge, PIECE_BUFFER } from '../buffers.js';
import type { Piece, PiecesMessage, QueryPart, ToWorker } from '../protocol.js';
import { AnswerStream, type StreamLink } from './answer-stream.js';
import { unpackPieces } from './pieces.js';

export interface QuestionsOptions {
  /** Their number. */
  partitions: number;
  buffers: Buffers;
  workerOf(partition: number): number;
  post(worker: number, message: ToWorker, transfer?: ArrayBuffer[]): void;
}

export class Questions {
  readonly #partitions: number;
  readonly #buffers: Buffers;
  readonly #workerOf: QuestionsOptions['workerOf'];
  readonly #post: QuestionsOptions['post'];
  readonly #streams = new Map<number, AnswerStream>();
  readonly #link: StreamLink = {
    pull: ({ id, partition }) => {
      const buffer = this.#buffers.spare(PIECE_BUFFER);
      const worker = this.#workerOf(partition);
      if (buffer) this.#post(worker, { kind: 'pull', id, buffer }, [buffer]);
      else this.#post(worker, { kind: 'pull', id });
    },
    cancel: ({ id, partition }) => {
      this.#streams.delete(id);
      this.#post(this.#workerOf(partition), { kind: 'cancel', id });
    },
  };
  #nextId = 1;

  constructor({ partitions, buffers, workerOf, post }: QuestionsOptions) {
    this.#partitions = partitions;
    this.#buffers = buffers;
    this.#workerOf = workerOf;
    this.#post = post;
  }

  /** Asks the parts of a query. @returns the answers in the same order. */
  ask(parts: Omit<QueryPart, 'id'>[]): AnswerStream[] {
    const groups = new Map<number, QueryPart[]>();
    const streams = parts.map(({ partition, request }) => {
      const stream = this.#stream(this.#nextId++, partition);
      const { id } = stream;
      this.#gather(groups, partition, { id, partition, request });
      return stream;
    });
    for (const [worker, group] of groups) this.#post(worker, { kind: 'query', parts: group });
    return streams;
  }

  /** Asks all partitions for all their nodes. @returns the answers in the order of the partitions. */
  askAll(request: Uint8Array<ArrayBuffer>): AnswerStream[] {
    const firstId = this.#nextId;
    this.#nextId += this.#partitions;
    const groups = new Map<number, number[]>();
    const streams = Array.from({ length: this.#partitions }, (_, partition) => {
      this.#gather(groups, partition, partition);
      return this.#stream(firstId + partition, partition);
    });
    for (const [worker, partitions] of groups) {
      this.#post(worker, { kind: 'queryAll', id: firstId, request, partitions });
    }
    return streams;
  }

  /** Asks for a dump of what is below a selector. */
  dump(partition: number, selector: string[]): AnswerStream {
    const stream = this.#stream(this.#nextId++, partition);
    this.#post(this.#workerOf(partition), { kind: 'dump', id: stream.id, partition, selector });
    return stream;
  }

  #stream(id: number, partition: number): AnswerStream {
    const stream = new AnswerStream(id, partition, this.#link);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Adds what a worker has to be asked for. */
  #gather<T>(groups: Map<number, T[]>, partition: number, item: T): void {
    const worker = this.#workerOf(partition);
    const group = groups.get(worker);
    if (group) group.push(item);
    else groups.set(worker, [item]);
  }

  /** Takes what a worker has made. */
  receive(message: PiecesMessage): void {
    for (const piece of unpackPieces(message)) {
      if (isLarge(piece.bytes.length)) this.#buffers.lend(piece.bytes.buffer, piece.bytes.length);
      this.#pass(piece);
    }
  }

  /** Gives a piece to the stream that it is of. */
  #pass(piece: Piece): void {
    this.#streams.get(piece.id)?.receive(piece);
    if (piece.done) this.#streams.delete(piece.id);
  }

  /** A worker is gone: nothing will be answered any more. */
  fail(error: Error): void {
    for (const stream of this.#streams.values()) stream.fail(error);
  }
}
