/** The figures of NATS ingest, for /metrics and /healthz; all counters are since start. */

export type NatsConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'draining' | 'closed';

export interface NatsState {
  connection: NatsConnectionState;
  /** host:port of the server that we are connected to; null: none. Never holds credentials. */
  server: string | null;
  /** Messages and their bytes as they came in, whatever became of them. */
  messages: number;
  bytes: number;
  /** Bytes that wait for the store or are on their way into it. */
  bufferedBytes: number;
  /** Batches that the store took. */
  batches: number;
  /** Lines by fate. */
  stored: number;
  skipped: number;
  badLines: number;
  /** Messages that are lost for good: the buffer was full, the store failed for good, or they were left at the stop. */
  droppedMessages: number;
  droppedBytes: number;
  /** Batches given to the store once more because it was overloaded, loading or could not write its log. */
  retries: number;
  /** JetStream: messages handed back to the server to be delivered again, and messages that came again. */
  returned: number;
  redelivered: number;
  /** Connections made after the first. */
  reconnects: number;
  /** Attempts to connect that failed; `authFailures` of them because the server refused the credentials. */
  connectFailures: number;
  authFailures: number;
  /** What went wrong last, also when it is over; null: nothing yet. */
  lastError: string | null;
}

export function newNatsState(): NatsState {
  return {
    connection: 'connecting',
    server: null,
    messages: 0,
    bytes: 0,
    bufferedBytes: 0,
    batches: 0,
    stored: 0,
    skipped: 0,
    badLines: 0,
    droppedMessages: 0,
    droppedBytes: 0,
    retries: 0,
    returned: 0,
    redelivered: 0,
    reconnects: 0,
    connectFailures: 0,
    authFailures: 0,
    lastError: null,
  };
}

/**
 * What /healthz says about NATS. Open to everybody, hence no address and no error text: those are in the log.
 */
export function natsHealth(state: Readonly<NatsState>): Record<string, string | number> {
  return { nats: state.connection, natsReconnects: state.reconnects, natsDroppedMessages: state.droppedMessages };
}

/** What /api/status says about NATS. Behind the token, hence with the address and the last error, neither of which holds credentials. */
export function natsStatus(state: Readonly<NatsState>): Record<string, string | number | null> {
  const { connection, server, messages, bufferedBytes, stored, badLines, droppedMessages, reconnects, lastError } =
    state;
  return { connection, server, messages, bufferedBytes, stored, badLines, droppedMessages, reconnects, lastError };
}
