/**
 * Worker. Answers that are being made. The first piece is made at once, which is all of most answers; each further one when
 * the reader asks for it, so that an answer of any size takes a few pieces of memory. Between two pieces the worker stores
 * what has arrived.
 */
import type { Jobs } from '../../partition/jobs.js';
import type { Reads } from '../../wasm/reads.js';
import { toFailure } from '../failure.js';
import type { AskMessage, FromWorker, MoreMessage } from '../protocol.js';
import { Packer } from './pack.js';
import { type Producer, producers } from './producers.js';
import type { Question } from './question.js';

interface OpenAnswer {
  id: number;
  producer: Producer;
  /** Bytes of the pieces that were asked for. */
  wanted: number[];
  queued: boolean;
}

export class OpenAnswers {
  readonly #jobs: Jobs;
  readonly #readsOf: (partition: number) => Reads;
  readonly #post: (message: FromWorker, transfer: ArrayBuffer[]) => void;
  readonly #open = new Map<number, OpenAnswer>();
  readonly #packer = new Packer();

  constructor(
    jobs: Jobs,
    readsOf: (partition: number) => Reads,
    post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
  ) {
    this.#jobs = jobs;
    this.#readsOf = readsOf;
    this.#post = post;
  }

  /** Begins all answers and sends their first pieces in one message. */
  ask({ id, questions, bytes, spares }: AskMessage): void {
    this.#packer.keep(spares);
    try {
      questions.forEach((question, i) => {
        this.#begin(id + i, question, bytes);
      });
    } catch (error) {
      for (let i = 0; i < questions.length; i++) this.leave(id + i);
      this.#packer.drop();
      this.#fail(id, error);
      return;
    }
    this.#send('answers', id);
  }

  #begin(id: number, { partition, kind, request }: Question, bytes: number): void {
    const producer = producers[kind](this.#readsOf(partition), request);
    if (this.#make(producer, bytes) !== 'last') this.#open.set(id, { id, producer, wanted: [], queued: false });
  }

  /** Makes a piece, and ends the answer behind the last one. A further one without bytes is not to be sent. */
  #make(producer: Producer, size: number, isFirst = true): 'last' | 'more' | 'none' {
    let result: 'last' | 'more' | 'none' = 'last';
    try {
      const { bytes, marks, done } = producer.next(size);
      const isNone = !isFirst && bytes.length === 0 && !done;
      if (!isNone) this.#packer.add(bytes, marks, done);
      if (!done) result = isNone ? 'none' : 'more';
    } finally {
      if (result === 'last') producer.end();
    }
    return result;
  }

  #send(kind: 'answers' | 'piece', id: number): void {
    const { heads, shared, own } = this.#packer.take();
    this.#post({ kind, id, heads, shared, own }, shared.byteLength ? [shared, ...own] : own);
  }

  #fail(id: number, error: unknown): void {
    this.#post({ kind: 'failed', id, failure: toFailure(error) }, []);
  }

  more(message: MoreMessage): void {
    this.#packer.keep(message.spares);
    const answer = this.#open.get(message.id);
    if (!answer) return;
    answer.wanted.push(message.bytes);
    if (answer.queued) return;
    answer.queued = true;
    this.#jobs.add(() => this.#step(answer));
  }

  /** Sends one more piece, or gets on with it: what takes long is made in several steps. @returns whether another one is wanted. */
  #step(answer: OpenAnswer): boolean {
    const { id, producer, wanted } = answer;
    const next = wanted.shift();
    if (next === undefined || !this.#open.has(id)) return false;
    try {
      const result = this.#make(producer, next, false);
      if (result === 'none') wanted.unshift(next);
      else {
        if (result === 'last') this.#open.delete(id);
        this.#send('piece', id);
      }
    } catch (error) {
      this.#open.delete(id);
      this.#fail(id, error);
    }
    answer.queued = wanted.length > 0 && this.#open.has(id);
    return answer.queued;
  }

  /** No more of the answer is wanted. */
  leave(id: number): void {
    this.#open.get(id)?.producer.end();
    this.#open.delete(id);
  }
}
