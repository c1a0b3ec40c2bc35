import type { PartitionStats } from '../store/store.js';
import type { Snapshot } from './snapshot.js';

/** The store's figures: sums over all partitions, except where a single one may run full or fail. */
export function storeMetrics(into: Snapshot, partitions: readonly PartitionStats[]): void {
  const sum = (figure: (partition: PartitionStats) => number): number =>
    partitions.reduce((total, partition) => total + figure(partition), 0);
  const each = (figure: (partition: PartitionStats) => number): [{ partition: string }, number][] =>
    partitions.map((partition) => [{ partition: String(partition.partition) }, figure(partition)]);

  into.counter(
    'ccms_lines_total',
    'Lines of line protocol read, whatever became of them.',
    sum((p) => p.lines),
  );
  into.counter(
    'ccms_samples_stored_total',
    'Samples stored and logged.',
    sum((p) => p.stored),
  );
  into.counter(
    'ccms_lines_skipped_total',
    'Lines, or fields of lines of several, of metrics that the config does not name.',
    sum((p) => p.skipped),
  );
  into.counter(
    'ccms_fields_left_out_total',
    'Fields of lines of several that hold no number.',
    sum((p) => p.leftOut),
  );
  into.counter('ccms_lines_refused_total', 'Bad lines, by reason.', refusals(partitions));

  into.gauge('ccms_partitions', 'Partitions that the series are spread over.', partitions.length);
  into.gauge(
    'ccms_series',
    'Series held in memory.',
    sum((p) => p.series),
  );
  into.gauge(
    'ccms_hosts',
    'Hosts with at least one sample in memory.',
    sum((p) => p.hosts),
  );
  into.gauge(
    'ccms_samples',
    'Samples held in memory.',
    sum((p) => p.samples),
  );
  into.gauge('ccms_memory_bytes', 'Bytes in use in linear memory, by kind.', [
    [{ kind: 'index' }, sum((p) => p.memory.index)],
    [{ kind: 'open_blocks' }, sum((p) => p.memory.openBlocks)],
    [{ kind: 'sealed_blocks' }, sum((p) => p.memory.sealedBlocks)],
    [{ kind: 'rollups' }, sum((p) => p.memory.rollups)],
  ]);
  into.gauge(
    'ccms_memory_used_bytes',
    'Bytes in use in linear memory, of all kinds, by partition; a partition holds 4 GiB at most.',
    each((p) => p.memory.total),
  );
  into.gauge(
    'ccms_linear_memory_bytes',
    'Size of the linear memory of a partition; freed parts are reused, it never shrinks.',
    each((p) => p.linearMemory),
  );
  into.gauge('ccms_blocks', 'Sealed blocks, by codec.', blocks(partitions));

  into.gauge(
    'ccms_log_bytes',
    'Bytes of the write-ahead log.',
    sum((p) => p.log.bytes),
  );
  into.gauge(
    'ccms_log_segments',
    'Files of the write-ahead log.',
    sum((p) => p.log.segments),
  );
  into.counter(
    'ccms_log_writes_total',
    'Writes to the log, each of one or many batches.',
    sum((p) => p.log.writes),
  );
  into.counter(
    'ccms_log_syncs_total',
    'Syncs of the log to the disk.',
    sum((p) => p.log.syncs),
  );
  into.counter(
    'ccms_log_sync_seconds_total',
    'Time spent in syncs of the log.',
    sum((p) => p.log.syncSeconds),
  );
  into.gauge(
    'ccms_log_failed',
    '1 while the log of a partition cannot be written and its writes are refused.',
    each((p) => (p.log.failed === null ? 0 : 1)),
  );

  into.gauge(
    'ccms_missing_files',
    'Log segments and checkpoint files that the start did not find although others name them, whole or in part.',
    each((p) => p.missingFiles),
  );

  into.counter(
    'ccms_checkpoints_total',
    'Checkpoints written, one a partition.',
    sum((p) => p.checkpoint.count),
  );
  into.gauge(
    'ccms_checkpoint_last_timestamp_seconds',
    'When the last checkpoint was written, of the partition where that is longest ago; 0: never since start.',
    partitions.reduce((least, p) => Math.min(least, p.checkpoint.last), partitions[0]?.checkpoint.last ?? 0),
  );
  into.gauge(
    'ccms_checkpoint_last_duration_seconds',
    'Time that the last checkpoint took, of the partition where it took longest.',
    partitions.reduce((most, p) => Math.max(most, p.checkpoint.seconds), 0),
  );
  into.counter(
    'ccms_checkpoint_written_bytes_total',
    'Bytes that checkpoints wrote.',
    sum((p) => p.checkpoint.bytes),
  );
}

function refusals(partitions: readonly PartitionStats[]): [{ reason: string }, number][] {
  const counts = new Map<string, number>();
  for (const { refusals: reasons } of partitions) {
    for (const { reason, count } of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].map(([reason, count]) => [{ reason }, count]);
}

function blocks(partitions: readonly PartitionStats[]): [{ codec: string }, number][] {
  const counts = new Map<string, number>();
  for (const { blocks } of partitions) {
    for (const [codec, count] of Object.entries(blocks)) counts.set(codec, (counts.get(codec) ?? 0) + count);
  }
  return [...counts].map(([codec, count]) => [{ codec }, count]);
}
