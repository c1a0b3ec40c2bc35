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
import { errorText, type Logger } from '../log.js';
import type { NatsState } from './state.js';

/** Messages that the server may have on their way or unacknowledged; bounds what it sends while the store is slow. */
const MAX_ACK_PENDING = 16_384;
/** Messages asked for at a time. */
const PULL_MESSAGES = 4_096;
/** Unacknowledged messages come again after that: longer than any write of the log should take. */
const ACK_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 10_000;
/** JetStream's API error code for an unknown consumer. */
const CONSUMER_NOT_FOUND = 10014;

/** A durable consumer by name, and the subject it filters when it has to be made. */
export interface Durable {
  stream: string;
  durable: string;
  subject: string;
}

/** Ends a running consumption: no new message is asked for. What was handed out stays to be acknowledged. */
export interface Consumption {
  stop(): void;
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
  let stopped = false;
  let stopMessages: (() => void) | undefined;
  let wake: (() => void) | undefined;
  const ended = connection.closed().then(() => {
    stopped = true;
    wake?.();
  });

  const once = async (): Promise<void> => {
    await ensureDurable(await connection.jetstreamManager(), durable, log);
    if (stopped) return;
    const consumer = await connection.jetstream().consumers.get(durable.stream, durable.durable);
    const messages = await consumer.consume({
      max_messages: PULL_MESSAGES,
      abort_on_missing_resource: true,
      callback: receive,
    });
    stopMessages = (): void => void messages.close();
    if (stopped) stopMessages();
    log.info(`consuming ${durable.stream}/${durable.durable} (JetStream)`);
    const reason = await Promise.race([messages.closed(), ended]);
    // Also when the connection is gone: the library's heartbeat timer would go on.
    await messages.close();
    if (reason instanceof Error) throw reason;
  };

  const run = async (): Promise<void> => {
    for (let wait = FIRST_WAIT_MS; !stopped; wait = Math.min(2 * wait, MAX_WAIT_MS)) {
      const since = Date.now();
      try {
        await once();
      } catch (error) {
        // The end of the connection is reported where it is kept.
        if (stopped || connection.isClosed()) return;
        state.lastError = `stream ${durable.stream}, durable ${durable.durable}: ${errorText(error)}`;
        failed.warn(`cannot consume ${state.lastError}`);
      }
      if (Date.now() - since > MAX_WAIT_MS) wait = FIRST_WAIT_MS;
      if (!stopped) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait).unref();
          wake = (): void => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  };
  void run();

  return {
    stop(): void {
      stopped = true;
      stopMessages?.();
      wake?.();
    },
  };
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
