import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
  NatsError,
  nanos,
} from 'nats';
import { errorText, type Logger } from '../base/log.js';
import { type Attempt, type Consumption, keepTrying } from './keep-trying.js';
import type { NatsState } from './state.js';

/** Messages that the server may have on their way or unacknowledged; bounds what it sends while the store is slow. */
const MAX_ACK_PENDING = 16_384;
/** Bytes of messages asked for at a time. With 64 MiB unread the server takes a client for a slow one and cuts it off. */
export const PULL_BYTES = 16 << 20;
/** Unacknowledged messages come again after that: longer than any write of the log should take. */
const ACK_WAIT_MS = 30_000;
/** JetStream's API error code for an unknown consumer. */
const CONSUMER_NOT_FOUND = 10014;

/** A durable consumer by name, and the subject it filters when it has to be made. */
export interface Durable {
  stream: string;
  durable: string;
  subject: string;
}

/**
 * Consumes a durable consumer for as long as the connection lives, making it if it is missing. Stream and JetStream
 * itself may come later or go: it is tried again, with a rate-limited warning.
 * @param receive is given each message and must see to it that it is acknowledged or given back.
 */
export function consume(
  connection: NatsConnection,
  durable: Durable,
  receive: (message: JsMsg) => void,
  state: NatsState,
  log: Logger,
  failed: Logger,
): Consumption {
  const once = async (attempt: Attempt): Promise<void> => {
    await ensureDurable(await connection.jetstreamManager(), durable, log);
    if (attempt.stopped) return;
    const consumer = await connection.jetstream().consumers.get(durable.stream, durable.durable);
    const messages = await consumer.consume({
      max_bytes: PULL_BYTES,
      abort_on_missing_resource: true,
      callback: receive,
    });
    attempt.onStop = (): void => void messages.close();
    if (attempt.stopped) attempt.onStop();
    log.info(`consuming ${durable.stream}/${durable.durable} (JetStream)`);
    const reason = await Promise.race([messages.closed(), attempt.ended]);
    // Also when the connection is gone: the library's heartbeat timer would go on.
    await messages.close();
    if (reason instanceof Error) throw reason;
  };
  return keepTrying(connection, once, (error) => {
    state.lastError = `stream ${durable.stream}, durable ${durable.durable}: ${errorText(error)}`;
    failed.warn(`cannot consume ${state.lastError}`);
  });
}

/** Makes the durable if it is missing. Rejects if one of that name exists that cannot give what is promised. */
async function ensureDurable(manager: JetStreamManager, durable: Durable, log: Logger): Promise<void> {
  let info: ConsumerInfo;
  try {
    info = await manager.consumers.info(durable.stream, durable.durable);
  } catch (error) {
    if (!(error instanceof NatsError) || error.jsError()?.err_code !== CONSUMER_NOT_FOUND) throw error;
    info = await manager.consumers.add(durable.stream, {
      durable_name: durable.durable,
      filter_subject: durable.subject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: MAX_ACK_PENDING,
    });
    log.info(`made the durable consumer ${durable.stream}/${durable.durable} for subject "${durable.subject}"`);
  }
  if (info.config.ack_policy !== AckPolicy.Explicit) {
    throw new Error(`its ack policy is "${info.config.ack_policy}", expected "explicit": delete it or name another`);
  }
  if (info.config.deliver_subject !== undefined) {
    throw new Error('it is a push consumer, expected a pull consumer: delete it or name another');
  }
}
