/**
 * Another store, asked over HTTP. One request asks it all its questions and brings their first pieces, which is all of nearly
 * every answer; each longer answer then comes over a request of its own, as fast as it is read.
 */
import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { errorText } from '../../base/log.js';
import type { CallName } from '../../store/client.js';
import { type Failure, fromFailure } from '../../store/failure.js';
import type { AnswerBudget } from '../../store/query/budget.js';
import { type PieceSource, PieceStream } from '../../store/query/piece-stream.js';
import type { Piece, Question } from '../../store/query/question.js';
import { StoreError } from '../../store/store.js';
import { decodeParcel, encodeParcel, parcelLength } from './parcel.js';
import type { Secret } from './signature.js';

/** Bytes of an answer that is not streamed. */
const MOST_BYTES = 1 << 30;
/** A peer that says nothing for so long does not answer any more. */
const SILENCE_MS = 10_000;
/** A store that was slow is asked last for so long. */
const SLOW_MS = 10_000;

/** This store can't answer now, others may: it is behind, ends, can't be reached. */
export class Elsewhere extends Error {
  override readonly name = 'Elsewhere';
}

/** A message that an answer must contain. */
export interface Minimum {
  seq: number;
  /** When its stream was made, as NATS says it; absent: the one that is followed will do. */
  created?: string;
}

/** What is asked of a store, beside the question. */
export interface Terms {
  /** What each partition must have applied. */
  minimums: Record<number, Minimum>;
  /** Answers of a store that is cut off will do. */
  stale: boolean;
}

/** A first piece, as it is sent. @see Piece */
export interface SentPiece {
  bytes: Uint8Array;
  marks: readonly number[];
  done: boolean;
  /** Names the rest of the answer. */
  token?: string;
}

/** What a store answers to another one. */
export interface PeerAnswer {
  pieces?: SentPiece[];
  result?: unknown;
  failure?: Failure;
  /** Why others must be asked. */
  elsewhere?: string;
}

export class Peer {
  readonly #url: URL;
  readonly #secret: Secret;
  readonly #budget: AnswerBudget;
  readonly #agent: HttpAgent;
  #slowUntil = Number.NEGATIVE_INFINITY;
  /** Requests that are not answered yet. */
  inFlight = 0;

  constructor(url: string, secret: Secret, budget: AnswerBudget) {
    this.#url = new URL(url);
    this.#secret = secret;
    this.#budget = budget;
    const options = { keepAlive: true, maxSockets: 256 };
    this.#agent = this.#url.protocol === 'https:' ? new TlsAgent(options) : new HttpAgent(options);
  }

  /** It is better to ask others first. */
  get isSlow(): boolean {
    return performance.now() < this.#slowUntil;
  }

  noteSlow(): void {
    this.#slowUntil = performance.now() + SLOW_MS;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The first pieces of the answers, in order. Rejects with `Elsewhere`, or with the error that is the answer. */
  async ask(questions: readonly Question[], terms: Terms): Promise<PieceStream[]> {
    const { pieces } = await this.#exchange('/cluster/v1/query', { questions, ...terms });
    if (pieces?.length !== questions.length) throw new Elsewhere('an answer without its pieces');
    return pieces.map((piece) => this.#open(piece));
  }

  /** The result of a call. Rejects as `ask`. */
  async call(partition: number, name: CallName | 'outcome', args: unknown, terms: Terms): Promise<unknown> {
    return (await this.#exchange('/cluster/v1/call', { partition, name, args, ...terms })).result;
  }

  /** What a partition is copied from. Rejects as `ask`. */
  async snapshot(partition: number): Promise<unknown> {
    return (await this.#exchange('/cluster/v1/snapshot', { partition })).result;
  }

  /** A file of a partition whose snapshot was taken, as it is read. */
  file(partition: number, name: string): Promise<IncomingMessage> {
    return this.#request('GET', `/cluster/v1/files/${partition}/${name}`, new Uint8Array(0));
  }

  async #exchange(path: string, value: unknown): Promise<PeerAnswer> {
    this.inFlight++;
    try {
      const answer = decodeParcel(await read(await this.#request('POST', path, encodeParcel(value)))) as PeerAnswer;
      if (answer.elsewhere !== undefined) throw new Elsewhere(answer.elsewhere);
      if (answer.failure) throw fromFailure(answer.failure);
      return answer;
    } catch (error) {
      if (error instanceof StoreError || error instanceof Elsewhere) throw error;
      throw new Elsewhere(errorText(error), { cause: error });
    } finally {
      this.inFlight--;
    }
  }

  /** Resolves when an answer of status 200 begins. */
  #request(method: string, path: string, body: Uint8Array): Promise<IncomingMessage> {
    const authorization = this.#secret.sign(method, path, body);
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      timeout: SILENCE_MS,
      headers: { 'Content-Length': body.length, ...(authorization && { Authorization: authorization }) },
    };
    return new Promise((resolve, reject) => {
      const send = this.#url.protocol === 'https:' ? requestTls : request;
      const asking = send(new URL(path, this.#url), options, (response) => {
        if (response.statusCode === 200) resolve(response);
        else {
          response.resume();
          reject(new Error(`${this.#url.origin} answers ${response.statusCode} to ${path}`));
        }
      });
      asking.on('timeout', () => asking.destroy(new Error(`${this.#url.origin} says nothing`)));
      asking.on('error', reject);
      asking.end(body);
    });
  }

  #open({ bytes, marks, done, token }: SentPiece): PieceStream {
    const first: Piece = { bytes: bytes as Uint8Array<ArrayBuffer>, marks, buffer: undefined, done };
    const rest = new Rest(() => this.#request('GET', `/cluster/v1/pieces/${token}`, new Uint8Array(0)));
    rest.stream = new PieceStream(0, first, rest, this.#budget);
    return rest.stream;
  }
}

/** The rest of one answer, read piece by piece. */
class Rest implements PieceSource {
  readonly #request: () => Promise<IncomingMessage>;
  stream: PieceStream | undefined;
  #response: IncomingMessage | undefined;
  #wanted = 0;
  #begun = false;
  #left = false;
  /** Bytes that have come and are not given on. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(request: () => Promise<IncomingMessage>) {
    this.#request = request;
  }

  more(): void {
    this.#wanted++;
    if (!this.#begun) {
      this.#begun = true;
      this.#request().then(
        (response) => this.#begin(response),
        (error: Error) => this.stream?.fail(error),
      );
    } else this.#give();
  }

  leave(): void {
    this.#left = true;
    if (this.#begun) this.#response?.destroy();
    // So that nothing is kept for it there.
    else
      this.#request().then(
        (response) => response.destroy(),
        () => {},
      );
  }

  #begin(response: IncomingMessage): void {
    this.#response = response;
    if (this.#left) response.destroy();
    response.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
      this.#give();
    });
    response.on('error', (error) => this.stream?.fail(error));
    response.on('close', () => {
      if (!response.complete) this.stream?.fail(new Error('a store broke off its answer'));
    });
  }

  /** Gives whole pieces on, as many as are wanted. */
  #give(): void {
    for (;;) {
      const length = parcelLength(this.#rest);
      if (length === undefined || this.#rest.length < length) break;
      if (!this.#wanted) {
        this.#response?.pause();
        return;
      }
      const { bytes, marks, done } = decodeParcel(this.#rest.subarray(0, length)) as SentPiece;
      this.#rest = this.#rest.subarray(length);
      this.#wanted--;
      this.stream?.receive({ bytes: bytes as Uint8Array<ArrayBuffer>, marks, buffer: undefined, done });
    }
    if (this.#wanted) this.#response?.resume();
  }
}

async function read(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Error(`an answer of more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
