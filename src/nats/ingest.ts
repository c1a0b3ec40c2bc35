import type { JsMsg, NatsConnection, Subscription } from 'nats';
import type { NatsConfig, NatsSubscription } from '../config/config.js';
import { errorText, type Logger, limited } from '../log.js';
import type { Store } from '../store/store.js';
import { Batcher, type BatcherLimits, type Receipt } from './batcher.js';
import { NatsLink } from './connection.js';
import { type Consumption, consume } from './jetstream.js';
import { type NatsState, newNatsState } from './state.js';
import { within } from './within.js';

const DEFAULT_LIMITS: BatcherLimits = { maxBufferedBytes: 256 << 20, batchBytes: 256 << 10, lingerMs: 5 };
const DEFAULT_LOG_SECONDS = 10;
const DEFAULT_DRAIN_MS = 10_000;
/** A subject that the server's permissions refuse is tried again after that: they may change while we are connected. */
const RESUBSCRIBE_MS = 30_000;

export interface NatsOptions extends Partial<BatcherLimits> {
  /** Least time between log lines of one cause. */
  logSeconds?: number;
}

export interface NatsIngest {
  /** Live figures; read, never write. */
  readonly state: Readonly<NatsState>;
  /**
   * Stops taking messages, writes what has arrived, acknowledges it and closes the connection. Call it before
   * `Store.stop`. What the store does not take within `timeoutMs` is dropped, counted and logged (JetStream keeps it).
   */
  drain(timeoutMs?: number): Promise<void>;
}

/**
 * Takes line protocol from NATS subjects, one or many lines a message, into the store. Returns at once: it connects,
 * and reconnects for ever, in the background. Bad messages and full buffers are counted and logged, never fatal.
 * Throws only when `config.address` cannot be read.
 */
export function startNats(
  config: NatsConfig,
  subscriptions: readonly NatsSubscription[],
  store: Pick<Store, 'takeBuffer' | 'write'>,
  log: Logger,
  options: NatsOptions = {},
): NatsIngest {
  const state = newNatsState();
  const limits = { ...DEFAULT_LIMITS, ...options };
  const limit = (): Logger => limited(log, options.logSeconds ?? DEFAULT_LOG_SECONDS);
  const logs = { dropped: limit(), badLines: limit(), store: limit() };
  const connectionLog = limit();
  const sources = subscriptions.map((subscription) => ({
    subscription,
    batcher: new Batcher(subscription, store, state, limits, logs),
  }));
  // Both belong to the current connection.
  let consumptions: Consumption[] = [];
  let subscribed: Subscription[] = [];

  const subscribe = (connection: NatsConnection, subject: string, batcher: Batcher): void => {
    if (connection.isClosed() || state.connection === 'draining') return;
    const subscription = connection.subscribe(subject, {
      callback: (error, message): void => {
        if (error === null) {
          batcher.push(message.data);
          return;
        }
        state.lastError = `subject "${subject}": ${errorText(error)}`;
        connectionLog.warn(`cannot subscribe, will try again: ${state.lastError}`);
        setTimeout(() => subscribe(connection, subject, batcher), RESUBSCRIBE_MS).unref();
      },
    });
    subscribed = subscribed.filter((each) => !each.isClosed());
    subscribed.push(subscription);
  };

  const link = new NatsLink(config, state, log, connectionLog, (connection) => {
    consumptions = [];
    subscribed = [];
    for (const { subscription, batcher } of sources) {
      const { subject, stream, durable } = subscription;
      if (stream === undefined || durable === undefined) {
        subscribe(connection, subject, batcher);
        continue;
      }
      const receive = (message: JsMsg): void => {
        if (message.redelivered) state.redelivered++;
        batcher.push(message.data, receiptOf(message));
      };
      consumptions.push(consume(connection, { stream, durable, subject }, receive, state, log, connectionLog));
    }
  });
  void link.run();

  return {
    state,
    async drain(timeoutMs = DEFAULT_DRAIN_MS): Promise<void> {
      const deadline = Date.now() + timeoutMs;
      state.connection = 'draining';
      link.stopReconnecting();
      for (const consumption of consumptions) consumption.stop();
      const open = subscribed.filter((each) => !each.isClosed());
      await within(timeoutMs, Promise.allSettled(open.map((each) => each.drain())));
      await Promise.all(sources.map(({ batcher }) => batcher.drain(deadline)));
      await link.close();
      // What the rate limit still holds back would be lost with the process.
      if (state.droppedMessages > 0) log.warn(`${state.droppedMessages} message(s) were dropped since start`);
    },
  };
}

/** The message goes on being held by its server until one of these; when the connection is gone, it comes again. */
function receiptOf(message: JsMsg): Receipt {
  const say = (what: () => void): void => {
    try {
      what();
    } catch {
      // The connection closed: not acknowledged, so JetStream delivers the message again.
    }
  };
  return { ack: () => say(() => message.ack()), giveBack: (delayMs) => say(() => message.nak(delayMs)) };
}
