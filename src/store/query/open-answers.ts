/**
 * Worker. Answers that are being made. The first piece is made at once, which is all of most answers; each further one when
 * the reader asks for it, so that an answer of any size takes a few pieces of memory. Between two pieces the worker stores
 * what has arrived.
 *
 * What open answers hold in linear memory, which never shrinks, is bounded: a question that finds no room waits. Meanwhile
 * answers are broken off whose readers take nothing, those first that have not for the longest.
 */

import { countReceived } from '../../base/heap.js';
import type { Jobs } from '../../base/jobs.js';
import { StoreError } from '../../base/store-error.js';
import type { Reads } from '../../wasm/reads.js';
import { toFailure } from '../failure.js';
import type { AskMessage, FromWorker, MoreMessage } from '../protocol.js';
import { Packer } from './pack.js';
import { type Producer, producers } from './producers.js';
import type { Question } from './question.js';
import { IDLE_SECONDS, OPEN_BYTES, SMALL_REQUEST } from './sizes.js';

interface OpenAnswer {
  id: number;
  producer: Producer;
  /** Bytes of the pieces that were asked for. */
  wanted: number[];
  queued: boolean;
  /** When the last piece was made, milliseconds. */
  since: number;
}

/** Milliseconds between two looks for readers who take nothing. */
const LOOK_MS = 1000;

function requestBytes({ questions }: AskMessage): number {
  return questions.reduce((sum, { request }) => sum + request.length, 0);
}

/** What a dashboard asks never waits for those who ask for everything. */
function isSmall(message: AskMessage): boolean {
  return requestBytes(message) <= SMALL_REQUEST && message.questions.every(({ kind }) => !kind.endsWith('-all'));
}

export class OpenAnswers {
  readonly #jobs: Jobs;
  readonly #readsOf: (partition: number) => Reads;
  readonly #post: (message: FromWorker, transfer: ArrayBuffer[]) => void;
  readonly #open = new Map<number, OpenAnswer>();
  readonly #packer = new Packer();
  /** Bytes that the open ones hold. */
  #held = 0;
  readonly #waiting: AskMessage[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    jobs: Jobs,
    readsOf: (partition: number) => Reads,
    post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
  ) {
    this.#jobs = jobs;
    this.#readsOf = readsOf;
    this.#post = post;
  }

  /** Begins all answers and sends their first pieces in one message, when there is room. */
  ask(message: AskMessage): void {
    this.#packer.keep(message.spares);
    const bytes = requestBytes(message);
    // What the messages of a burst held is garbage by now, which a heap as small as a worker's has no reason to collect.
    countReceived(bytes);
    if (isSmall(message) || (!this.#waiting.length && this.#hasRoom(bytes))) {
      this.#answer(message);
    } else if (this.#waitingBytes + bytes > OPEN_BYTES) {
      this.#fail(message.id, new StoreError('OVERLOADED', 'too many questions wait for answers that nobody reads'));
    } else {
      this.#waiting.push(message);
      this.#waitingBytes += bytes;
      this.#look();
    }
  }

  /** One that is alone has room, whatever it takes. */
  #hasRoom(bytes: number): boolean {
    return this.#open.size === 0 || this.#held + bytes <= OPEN_BYTES;
  }

  /** Answers what waits, as far as there is room. */
  #admit(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoom(requestBytes(next)); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= requestBytes(next);
      this.#answer(next);
    }
  }

  /** Looks for readers who take nothing, as long as something waits. */
  #look(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const idle = performance.now() - IDLE_SECONDS * 1000;
      // In the order of their beginning, which is that of their ends, as nearly as it matters.
      for (const { id, wanted, since } of this.#open.values()) {
        if (!this.#waiting.length) return;
        if (wanted.length || since > idle) continue;
        this.leave(id);
        this.#fail(id, new StoreError('OVERLOADED', 'the answer was not read while others waited for its place'));
      }
      if (this.#waiting.length) this.#look();
    }, LOOK_MS).unref();
  }

  #answer({ id, questions, bytes }: AskMessage): void {
    try {
      questions.forEach((question, i) => {
        this.#begin(id + i, question, bytes);
      });
    } catch (error) {
      this.#packer.drop();
      for (let i = 0; i < questions.length; i++) this.leave(id + i);
      this.#fail(id, error);
      return;
    }
    this.#send('answers', id);
  }

  #begin(id: number, { partition, kind, request }: Question, bytes: number): void {
    const producer = producers[kind](this.#readsOf(partition), request);
    if (this.#make(producer, bytes) === 'last') return;
    this.#held += producer.bytes;
    this.#open.set(id, { id, producer, wanted: [], queued: false, since: performance.now() });
    producer.rest();
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
        answer.since = performance.now();
        this.#send('piece', id);
        if (result === 'last') this.#closed(answer);
        else if (!wanted.length) producer.rest();
      }
    } catch (error) {
      this.#closed(answer);
      this.#fail(id, error);
    }
    answer.queued = wanted.length > 0 && this.#open.has(id);
    return answer.queued;
  }

  /** No more of the answer is wanted. */
  leave(id: number): void {
    const answer = this.#open.get(id);
    if (!answer) return;
    answer.producer.end();
    this.#closed(answer);
  }

  /** The answer has ended, and its place is free. */
  #closed({ id, producer }: OpenAnswer): void {
    this.#open.delete(id);
    this.#held -= producer.bytes;
    this.#admit();
  }
}
