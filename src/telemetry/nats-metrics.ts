import type { NatsState } from '../nats/state.js';
import type { Snapshot } from './snapshot.js';

/** The figures of NATS ingest, over all subjects. */
export function natsMetrics(into: Snapshot, nats: Readonly<NatsState>): void {
  into.gauge(
    'ccms_nats_connected',
    '1 while connected to NATS and subscribed.',
    nats.connection === 'connected' ? 1 : 0,
  );
  into.counter('ccms_nats_messages_total', 'Messages received from NATS.', nats.messages);
  into.counter('ccms_nats_received_bytes_total', 'Bytes of messages received from NATS.', nats.bytes);
  into.counter('ccms_nats_batches_total', 'Batches of messages that the store took.', nats.batches);
  into.counter('ccms_nats_bad_lines_total', 'Bad lines in messages from NATS.', nats.badLines);
  into.counter('ccms_nats_dropped_messages_total', 'Messages from NATS that were lost.', nats.droppedMessages);
  into.counter('ccms_nats_dropped_bytes_total', 'Bytes of messages from NATS that were lost.', nats.droppedBytes);
  into.counter('ccms_nats_retries_total', 'Batches that the store refused for the time being.', nats.retries);
  into.counter('ccms_nats_returned_messages_total', 'JetStream messages given back for later.', nats.returned);
  into.counter('ccms_nats_redelivered_messages_total', 'JetStream messages that came again.', nats.redelivered);
  into.gauge('ccms_nats_buffered_bytes', 'Bytes from NATS that the store has not taken yet.', nats.bufferedBytes);
  into.counter('ccms_nats_reconnects_total', 'Connections to NATS made after the first.', nats.reconnects);
  into.counter('ccms_nats_connect_failures_total', 'Failed attempts to connect to NATS.', nats.connectFailures);
  into.counter('ccms_nats_auth_failures_total', 'Attempts that NATS refused for the credentials.', nats.authFailures);
}
