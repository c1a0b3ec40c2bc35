/**
 * Messages between the main thread and the shard workers. Buffers are transferred, never copied: a write's body goes to the
 * worker and comes back with the answer to be used again; an answer's pieces go to the main thread, and their buffers come
 * back when more is asked for.
 */
import type { Position } from '../persistence/stream-position.js';
import type { CallName, Calls, PartitionWrite, Written } from './client.js';
import type { Failure } from './failure.js';
import type { LoadHelp, ThreadStart } from './load/protocol.js';
import type { LoadFigures } from './loading.js';
import type { PackedPieces } from './query/pack.js';
import type { Question } from './query/question.js';

/** What a worker is started with. */
export interface WorkerStart extends ThreadStart {
  worker: number;
  /** Partitions that this worker owns from the start, of `partitionCount`. */
  partitions: number[];
}

/** The directory is ours now: the worker reads its partitions. The first message. */
export interface LoadMessage {
  kind: 'load';
  /** Absent: the worker loads all of its partitions. */
  help?: LoadHelp;
}

export interface WriteMessage extends PartitionWrite {
  kind: 'write';
  id: number;
}

/** Questions to partitions of one worker: one message, for waking a thread costs more than most questions. */
export interface AskMessage {
  kind: 'ask';
  /** Of the first question's answer; that of question n has this id + n. */
  id: number;
  questions: readonly Question[];
  /** About so many bytes, each first piece; 0: there is no room, and it is empty. */
  bytes: number;
  /** Buffers of pieces that were read, to be used again. */
  spares: readonly ArrayBuffer[];
}

/** One more piece of an answer may be made, of about so many bytes. */
export interface MoreMessage {
  kind: 'more';
  id: number;
  bytes: number;
  /** See `AskMessage`. */
  spares: readonly ArrayBuffer[];
}

/** No more of an answer is wanted. */
export interface LeaveMessage {
  kind: 'leave';
  id: number;
}

export interface CallMessage<N extends CallName = CallName> {
  kind: 'call';
  id: number;
  partition: number;
  name: N;
  args: Calls[N]['args'];
}

/** One more partition is this worker's: it is read, and answered with `Opened` once it is. */
export interface OpenMessage {
  kind: 'open';
  id: number;
  partition: number;
}

export interface Opened {
  /** How far its samples go in its stream; undefined: it has none. */
  position: Position | undefined;
}

/** A partition is no longer this worker's: its files are written and closed. */
export interface CloseMessage {
  kind: 'close';
  id: number;
  partition: number;
}

export type ToWorker =
  | WriteMessage
  | AskMessage
  | MoreMessage
  | LeaveMessage
  | CallMessage
  | OpenMessage
  | CloseMessage;

/** Answers to all writes that one log write made safe. */
export interface WroteMessage {
  kind: 'wrote';
  results: (Written & { id: number })[];
  /** Milliseconds of the worker's time. */
  took: number;
}

/** The first pieces of all answers to one `ask`. */
export interface AnswersMessage extends PackedPieces {
  kind: 'answers';
  id: number;
}

/** A further piece of one answer. */
export interface PieceMessage extends PackedPieces {
  kind: 'piece';
  id: number;
}

/** An answer ends with an error; or all answers to one `ask` do, before their first pieces. */
export interface FailedMessage {
  kind: 'failed';
  id: number;
  failure: Failure;
}

export interface ReplyMessage {
  kind: 'reply';
  id: number;
  result?: unknown;
  failure?: Failure;
}

/** So many bytes of a partition's files are read. */
export interface ProgressMessage {
  kind: 'progress';
  partition: number;
  bytes: number;
  of: number;
}

/** Questions to the partition may be asked. */
export interface LoadedMessage {
  kind: 'loaded';
  partition: number;
  figures: LoadFigures;
}

/** All partitions are loaded. */
export interface ReadyMessage {
  kind: 'ready';
}

/** Loading failed in a way that a start must not survive. */
export interface FatalMessage {
  kind: 'fatal';
  message: string;
}

export type FromWorker =
  | WroteMessage
  | AnswersMessage
  | PieceMessage
  | FailedMessage
  | ReplyMessage
  | ProgressMessage
  | LoadedMessage
  | ReadyMessage
  | FatalMessage;
