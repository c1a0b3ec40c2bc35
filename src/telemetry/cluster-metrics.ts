import type { Snapshot } from './snapshot.js';

/** What a store says of its cluster; counters since start. */
export interface ClusterGauges {
  members: number;
  copiesMissing: number;
  partitionsMissing: number;
  /** This store's own copies. */
  copies: number;
  ready: number;
  /** Undefined: a copy was never caught up. */
  lagSeconds: number | undefined;
  isCutOff: boolean;
  messages: number;
  publishSeconds: number;
  publishFailures: number;
  failovers: number;
  staleAnswers: number;
  bootstrapBytes: number;
}

export function clusterMetrics(into: Snapshot, cluster: ClusterGauges): void {
  into.gauge('ccms_cluster_members', 'Living stores of the cluster, this one included.', cluster.members);
  into.gauge('ccms_cluster_copies', 'Partitions that this store holds.', cluster.copies);
  into.gauge('ccms_cluster_copies_ready', 'Partitions that this store holds and may be asked for.', cluster.ready);
  into.gauge(
    'ccms_cluster_copies_missing',
    'Copies of all stores that are not there or not ready.',
    cluster.copiesMissing,
  );
  into.gauge(
    'ccms_cluster_partitions_missing',
    'Partitions that no living store can answer for.',
    cluster.partitionsMissing,
  );
  if (cluster.lagSeconds !== undefined) {
    into.gauge('ccms_cluster_lag_seconds', 'How far the slowest copy of this store is behind.', cluster.lagSeconds);
  }
  into.gauge('ccms_cluster_cut_off', '1 when NATS has not been heard of for 6 s.', cluster.isCutOff ? 1 : 0);
  into.counter('ccms_cluster_messages_total', 'Messages that streams have acknowledged.', cluster.messages);
  into.counter(
    'ccms_cluster_publish_seconds_total',
    'Time until they were acknowledged, all together.',
    cluster.publishSeconds,
  );
  into.counter(
    'ccms_cluster_publish_failures_total',
    'Messages that were not acknowledged and published again.',
    cluster.publishFailures,
  );
  into.counter('ccms_cluster_failovers_total', 'Questions that went to another holder.', cluster.failovers);
  into.counter('ccms_cluster_stale_answers_total', 'Answers that may lack what was written.', cluster.staleAnswers);
  into.counter('ccms_cluster_bootstrap_bytes_total', 'Bytes copied from other stores.', cluster.bootstrapBytes);
}
