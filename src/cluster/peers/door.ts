/** What this store answers to others of its cluster, behind src/http/routes/cluster.ts. Only reading calls pass. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { isCheckpointName } from '../../persistence/layout.js';
import { partitionDirectory } from '../../persistence/partition-directories.js';
import type { CallName } from '../../store/client.js';
import { toFailure } from '../../store/failure.js';
import type { PieceStream } from '../../store/query/piece-stream.js';
import type { Question } from '../../store/query/question.js';
import { StoreError, type StoreErrorCode } from '../../store/store.js';
import type { Copies } from '../copies/copies.js';
import { takeSnapshot } from '../copies/snapshot.js';
import type { LocalHolder } from '../local-holder.js';
import { decodeParcel, encodeParcel } from './parcel.js';
import { Elsewhere, type PeerAnswer, type SentPiece, type Terms } from './peer.js';

/** An answer whose rest nobody asks for is left after that. */
const ABANDONED_MS = 30_000;
const READING: ReadonlySet<string> = new Set<CallName | 'outcome'>([
  'clusters',
  'contents',
  'summary',
  'nodes',
  'levelNames',
  'treeChanges',
  'units',
  'health',
  'outcome',
]);

/** Of a store that begins or ends. */
const PASSING: ReadonlySet<StoreErrorCode> = new Set(['LOADING', 'STOPPING', 'UNAVAILABLE', 'OVERLOADED']);

interface Waiting {
  stream: PieceStream;
  timer: NodeJS.Timeout;
}

export class Door {
  readonly #local: LocalHolder;
  readonly #copies: Copies;
  readonly #root: string;
  readonly #partitions: number;
  readonly #waiting = new Map<string, Waiting>();

  /** @param root checkpoint directory. */
  constructor(local: LocalHolder, copies: Copies, root: string, partitions: number) {
    this.#local = local;
    this.#copies = copies;
    this.#root = root;
    this.#partitions = partitions;
  }

  /** Answers a request. @param body a parcel. @returns a parcel. Never rejects. */
  async answer(what: 'query' | 'call' | 'snapshot', body: Uint8Array): Promise<Uint8Array> {
    try {
      return encodeParcel(await this.#answer(what, decodeParcel(body)));
    } catch (error) {
      return encodeParcel(isElsewhere(error) ? { elsewhere: error.message } : { failure: toFailure(error) });
    }
  }

  async #answer(what: 'query' | 'call' | 'snapshot', request: unknown): Promise<PeerAnswer> {
    switch (what) {
      case 'query': {
        const { questions, ...terms } = request as { questions: Question[] } & Terms;
        const streams = await this.#local.ask(questions, terms);
        return { pieces: streams.map((stream) => this.#send(stream)) };
      }
      case 'call': {
        const { partition, name, args, ...terms } = request as {
          partition: number;
          name: string;
          args: unknown;
        } & Terms;
        if (!READING.has(name)) throw new Error(`the call ${name} is not for other stores`);
        return { result: await this.#local.call(partition, name as CallName, args, terms) };
      }
      case 'snapshot':
        return { result: await this.#snapshot((request as { partition: number }).partition) };
    }
  }

  /** A first piece; where there is more, the rest waits to be fetched. */
  #send(stream: PieceStream): SentPiece {
    const { bytes, marks, done } = stream.current;
    if (done) {
      // All that is kept of it is given back once it is copied into the parcel.
      setImmediate(() => stream.leave());
      return { bytes, marks, done };
    }
    const token = randomUUID();
    const timer = setTimeout(() => this.#take(token)?.leave(), ABANDONED_MS).unref();
    this.#waiting.set(token, { stream, timer });
    return { bytes, marks, done, token };
  }

  #take(token: string): PieceStream | undefined {
    const waiting = this.#waiting.get(token);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(token);
    return waiting?.stream;
  }

  /** The rest of an answer, a parcel a piece; undefined: there is none of that name. To be read or left. */
  rest(token: string): AsyncIterable<Uint8Array> | undefined {
    const stream = this.#take(token);
    return stream && restOf(stream);
  }

  async #snapshot(partition: number): Promise<unknown> {
    const copy = this.#copies.of(partition);
    const position = copy?.follower.position;
    if (!copy || !position || !this.#copies.isReady(partition))
      throw new Elsewhere(`partition ${partition} is not held here, or not ready`);
    return takeSnapshot(partition, copy.client, position, partitionDirectory(this.#root, partition, this.#partitions));
  }

  /** A file of a partition that is held here; undefined: there is none of that name. */
  file(partition: number, name: string): AsyncIterable<Uint8Array> | undefined {
    if (!this.#copies.of(partition) || !isCheckpointName(name)) return undefined;
    return createReadStream(join(partitionDirectory(this.#root, partition, this.#partitions), name), {
      highWaterMark: 1 << 20,
    });
  }
}

/** Whether others may answer what this store can't. */
function isElsewhere(error: unknown): error is Error {
  if (error instanceof StoreError) return PASSING.has(error.code);
  return error instanceof Elsewhere;
}

async function* restOf(stream: PieceStream): AsyncGenerator<Uint8Array> {
  try {
    while (await stream.next()) {
      const { bytes, marks, done } = stream.current;
      yield encodeParcel({ bytes, marks, done } satisfies SentPiece);
    }
  } finally {
    stream.leave();
  }
}
