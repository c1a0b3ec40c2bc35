import type { JsMsg, NatsConnection, Subscription } from 'nats';
import { errorText, type Logger, limited } from '../base/log.js';
import type { NatsConfig, NatsSubscription } from '../config/config.js';
import type { Store } from '../store/store.js';
import { type Position, Positions } from '../store/stream-positions.js';
import { Batcher, type BatcherLimits, type Receipt } from './batcher.js';
import { NatsLink } from './connection.js';
import { follow } from './follower.js';
import { consume } from './jetstream.js';
import type { Consumption } from './keep-trying.js';
import { OrderedWriter } from './ordered-writer.js';
import { type NatsState, newNatsState } from './state.js';
import { within } from './within.js';

const DEFAULT_LIMITS: BatcherLimits = { maxBufferedBytes: 256 << 20, batchBytes: 256 << 10, lingerMs: 5 };
const DEFAULT_LOG_SECONDS = 10;
const DEFAULT_DRAIN_MS = 10_000;
/** A subject that the server's permissions refuse is tried again after that: they may change while we are connected. */
const RESUBSCRIBE_MS = 30_000;
/** Between two looks whether positions have changed: so much is read again after a crash. */
const SAVE_MS = 1_000;

export interface NatsOptions extends Partial<BatcherLimits> {
  /** Least time between log lines of one cause. */
  logSeconds?: number;
  /**
   * Resolves once the store is loaded: streams are read from then on, for they keep their messages. Other subjects are subscribed to
   * at once. Default: it is.
   */
  loaded?: Promise<void>;
  /** Subscribers of one queue share the messages; absent: this one gets all. */
  queue?: string;
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
 * @param directory where positions in streams are kept.
 * @throws Error when `config.address`, or the file with the positions, cannot be read.
 */
export function startNats(
  config: NatsConfig,
  subscriptions: readonly NatsSubscription[],
  store: Pick<Store, 'takeBuffer' | 'write' | 'sync'>,
  directory: string,
  log: Logger,
  options: NatsOptions = {},
): NatsIngest {
  const state = newNatsState();
  const limits = { ...DEFAULT_LIMITS, ...options };
  const limit = (): Logger => limited(log, options.logSeconds ?? DEFAULT_LOG_SECONDS);
  const logs = { dropped: limit(), badLines: limit(), store: limit() };
  const connectionLog = limit();
  const sources = subscriptions
    .filter((each) => !isFollowed(each))
    .map((subscription) => ({
      subscription,
      batcher: new Batcher(subscription, store, state, limits, logs),
    }));
  const positions = new Positions(directory);
  const followers = subscriptions.filter(isFollowed).map((subscription) => {
    const { subject, stream } = subscription;
    const writer = new OrderedWriter({
      subscription,
      store,
      state,
      badLines: logs.badLines,
      refused: logs.store,
      stored: (position) => positions.set(stream, subject, position),
    });
    // Of the newest message that the writer has; it may not be stored yet.
    return { stream, subject, writer, received: positions.of(stream, subject) as Position | undefined };
  });
  const save = (): Promise<void> =>
    positions
      .save(() => store.sync())
      .catch((error: unknown) => {
        state.lastError = errorText(error);
        logs.store.err(
          `the positions in the streams can't be saved: ${state.lastError}; more is read again at the next start`,
        );
      });
  const saving = followers.length ? setInterval(() => void save(), SAVE_MS) : undefined;
  // Both belong to the current connection.
  let consumptions: Consumption[] = [];
  let subscribed: Subscription[] = [];

  const subscribe = (connection: NatsConnection, subject: string, batcher: Batcher): void => {
    if (connection.isClosed() || state.connection === 'draining') return;
    const subscription = connection.subscribe(subject, {
      ...(options.queue !== undefined && { queue: options.queue }),
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

  /** Reads a stream once the store is loaded. */
  const read = (connection: NatsConnection, begin: () => Consumption): void => {
    const belongsTo = consumptions;
    const start = (): void => {
      if (belongsTo !== consumptions || connection.isClosed() || state.connection === 'draining') return;
      consumptions.push(begin());
    };
    // A start that fails ends the process.
    void (options.loaded ?? Promise.resolve()).then(start, () => {});
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
        batcher.push(message.data, receiptOf(message), message.redelivered);
      };
      read(connection, () => consume(connection, { stream, durable, subject }, receive, state, log, connectionLog));
    }
    for (const follower of followers) {
      read(connection, () =>
        follow(connection, {
          followed: follower,
          position: () => follower.received,
          receive: (data, now, position) => {
            follower.received = position;
            follower.writer.push(data, now, position);
            return follower.writer.room();
          },
          state,
          log,
          failed: connectionLog,
        }),
      );
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
      await Promise.all([
        ...sources.map(({ batcher }) => batcher.drain(deadline)),
        ...followers.map(({ writer }) => writer.drain(deadline)),
      ]);
      clearInterval(saving);
      if (followers.length) await save();
      await link.close();
      // What the rate limit still holds back would be lost with the process.
      if (state.droppedMessages > 0) log.warn(`${state.droppedMessages} message(s) were dropped since start`);
    },
  };
}

/** Whether a subscription reads a stream in order, with a position of its own. */
function isFollowed(subscription: NatsSubscription): subscription is NatsSubscription & { stream: string } {
  return subscription.stream !== undefined && subscription.durable === undefined;
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
