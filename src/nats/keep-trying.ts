import type { NatsConnection } from 'nats';

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 10_000;

/** Ends a running consumption: no new message is asked for. What was handed out stays to be dealt with. */
export interface Consumption {
  stop(): void;
}

/** What one attempt at consuming can ask, and be told. */
export interface Attempt {
  /** `stop` was called, or the connection is closed. */
  readonly stopped: boolean;
  /** Resolves when the connection is closed. */
  readonly ended: Promise<void>;
  /** Run at `stop`. */
  onStop: (() => void) | undefined;
}

/**
 * Consumes again and again for as long as the connection lives: stream, consumer and JetStream itself may come later or go.
 * @param once resolves when the consumption is over, for whatever reason. @param failed told why it could not be.
 */
export function keepTrying(
  connection: NatsConnection,
  once: (attempt: Attempt) => Promise<void>,
  failed: (error: unknown) => void,
): Consumption {
  let wake: (() => void) | undefined;
  const attempt = {
    stopped: false,
    ended: connection.closed().then(() => {
      attempt.stopped = true;
      wake?.();
    }),
    onStop: undefined as (() => void) | undefined,
  };
  const run = async (): Promise<void> => {
    for (let wait = FIRST_WAIT_MS; !attempt.stopped; wait = Math.min(2 * wait, MAX_WAIT_MS)) {
      const since = Date.now();
      try {
        await once(attempt);
      } catch (error) {
        // The end of the connection is reported where it is kept.
        if (attempt.stopped || connection.isClosed()) return;
        failed(error);
      }
      if (Date.now() - since > MAX_WAIT_MS) wait = FIRST_WAIT_MS;
      if (attempt.stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait).unref();
        wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  void run();
  return {
    stop(): void {
      attempt.stopped = true;
      attempt.onStop?.();
      wake?.();
    },
  };
}
