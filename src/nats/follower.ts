/**
 * Reads a stream in order from where this store is in it. The position is the store's own (src/store/stream-positions.ts); the consumer at NATS
 * is thrown away and made anew whenever anything is in doubt, so that there is no redelivery and no reordering.
 */
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
  NatsError,
  nanos,
} from 'nats';
import { errorText, type Logger } from '../base/log.js';
import type { Position } from '../store/stream-positions.js';
import { PULL_BYTES } from './jetstream.js';
import { type Attempt, type Consumption, keepTrying } from './keep-trying.js';
import type { NatsState } from './state.js';

/** NATS forgets a consumer that nobody has asked for so long. */
const INACTIVE_MS = 30_000;
/** JetStream's API error code: the stream has no message of this number. */
const NO_MESSAGE = 10037;

export interface Followed {
  stream: string;
  subject: string;
}

export interface FollowerOptions {
  followed: Followed;
  /** Of the last message that `receive` was given; undefined: none yet. */
  position(): Position | undefined;
  /** Takes a message; resolves when the next one may come. @param now unix seconds at which the stream took it. */
  receive(data: Uint8Array, now: number, position: Position): Promise<void>;
  state: NatsState;
  log: Logger;
  /** Rate-limited. */
  failed: Logger;
}

/** Follows for as long as the connection lives. */
export function follow(connection: NatsConnection, options: FollowerOptions): Consumption {
  const { followed, receive, state, log, failed } = options;
  const name = `stream ${followed.stream}, subject "${followed.subject}"`;

  const once = async (attempt: Attempt): Promise<void> => {
    const manager = await connection.jetstreamManager();
    const { created, first } = await whereToBegin(manager, followed, options.position(), log);
    if (attempt.stopped) return;
    const { name: consumerName } = await manager.consumers.add(followed.stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
      filter_subject: followed.subject,
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const consumer = await connection.jetstream().consumers.get(followed.stream, consumerName);
    const messages = await consumer.consume({ max_bytes: PULL_BYTES, abort_on_missing_resource: true });
    attempt.onStop = (): void => messages.stop();
    if (attempt.stopped) attempt.onStop();
    log.info(`following ${name} from message ${first} on (JetStream)`);
    void attempt.ended.then(() => messages.stop());
    let expected = 1;
    for await (const message of messages) {
      // The consumer counts what it delivers: a message that is missing here was lost on the way.
      if (message.info.deliverySequence !== expected) {
        messages.stop();
        throw new Error(`message ${expected} of the consumer is missing; reading again from where it was`);
      }
      expected++;
      await receive(message.data, Math.floor(milliseconds(message) / 1000), {
        created,
        seq: message.seq,
        time: String(milliseconds(message)),
      });
      if (attempt.stopped) return;
    }
  };
  return keepTrying(connection, once, (error) => {
    state.lastError = `${name}: ${errorText(error)}`;
    failed.warn(`cannot follow ${state.lastError}`);
  });
}

/** When the stream took the message, milliseconds since 1970. */
export function milliseconds(message: JsMsg): number {
  return Math.floor(message.info.timestampNanos / 1e6);
}

/**
 * The next message to read. When the stream is not the one that the position is of (made anew, or set back by a loss of its
 * own), everything that it has is read; what this store holds of before stays.
 */
async function whereToBegin(
  manager: JetStreamManager,
  { stream, subject }: Followed,
  position: Position | undefined,
  log: Logger,
): Promise<{ created: string; first: number }> {
  const { created, state } = await manager.streams.info(stream);
  if (!position) return { created, first: Math.max(1, state.first_seq) };
  const why = await foundDifferent(manager, stream, position, created, state.last_seq);
  if (why !== undefined) {
    log.crit(`stream ${stream} is not as it was at message ${position.seq}: ${why}; it is read from its beginning`);
    return { created, first: Math.max(1, state.first_seq) };
  }
  const first = position.seq + 1;
  if (state.first_seq > first) {
    log.err(
      `stream ${stream} has dropped messages ${first} to ${state.first_seq - 1} before subject "${subject}" was read so far`,
    );
  }
  return { created, first: Math.max(first, state.first_seq) };
}

/** How the stream differs from the one that the position is of; undefined: it does not. */
export async function foundDifferent(
  manager: JetStreamManager,
  stream: string,
  position: Position,
  created: string,
  lastSeq: number,
): Promise<string | undefined> {
  if (created !== position.created) return `it was made at ${created}, and before at ${position.created}`;
  if (lastSeq < position.seq) return `its last message is ${lastSeq}`;
  try {
    const { time } = await manager.streams.getMessage(stream, { seq: position.seq });
    const found = String(time.getTime());
    return found === position.time ? undefined : 'that message has another time';
  } catch (error) {
    // Removed by the stream's limits: nothing to compare.
    if (error instanceof NatsError && error.jsError()?.err_code === NO_MESSAGE) return undefined;
    throw error;
  }
}
