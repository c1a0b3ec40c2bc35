/** `-check-config`: what a configuration means in series, partitions and memory, before it is put into service. */
import { availableParallelism, totalmem } from 'node:os';
import { backendTokenProblem } from '../config/backend-token.js';
import type { ClusterConfig, Config, MetricConfig } from '../config/config.js';
import { formatSeconds } from '../config/duration.js';
import { atFullRetention, BASE_BYTES, DOUBLE_BYTES, SERIES_BYTES, THREE_DECIMALS_BYTES } from '../config/estimate.js';
import { withoutCredentials } from '../config/problems.js';
import { partitionCount } from '../config/topology.js';

export interface Assumptions {
  hosts: number;
  /** Series below one host, all levels together. */
  seriesPerHost: number;
  /** Bytes of memory of this machine. */
  machineBytes: number;
  /** Cores of this machine. */
  cores: number;
}

export interface ConfigReport {
  text: string;
  /** What the admin should look at again; part of the text as well. */
  warnings: string[];
}

const GB = 1e9;
/** A line of the collector's, as it is published. */
const LINE_BYTES = 95;
/** A partition of a cluster can't be divided any more. */
const MOST_PARTITION_BYTES = 3e9;
/** A stream is trimmed a quarter of an hour late, and a store may take as long to come back. */
const LEAST_SECONDS = 3600;
const LOOPBACK = /^(localhost|127\.|::1$)/;

/** @param given replaces the default assumptions: 1000 hosts of 743 series each, and this machine */
export function checkConfig(config: Config, given: Partial<Assumptions> = {}): ConfigReport {
  const assumed = {
    hosts: 1000,
    seriesPerHost: 743,
    machineBytes: totalmem(),
    cores: availableParallelism(),
    ...given,
  };
  const { main, metrics, store, nats, cluster } = config;
  const series = assumed.hosts * assumed.seriesPerHost;
  const { samples, sampleBytes, bytes } = atFullRetention(config, () => series / metrics.size);
  const warnings = warningsOf(config, assumed, bytes);

  const lines = [
    `Address:     ${main.tls ? 'https' : 'http'}://${main.host.includes(':') ? `[${main.host}]` : main.host || '*'}:${main.port}`,
    `Access:      ${main.jwtPublicKey ? 'JWT signed by the configured Ed25519 key' : 'anyone who reaches the port'}`,
    `Metrics:     ${metrics.size} (${describeMetrics(metrics)})`,
    `Retention:   ${formatSeconds(store.retentionSeconds)} in memory, then ${describeCleanup(config)}`,
    `Checkpoints: ${store.checkpoints.fileFormat} in ${store.checkpoints.directory}, every ${formatSeconds(store.checkpointIntervalSeconds)}, log synced: ${describeSync(config)}`,
    `Workers:     ${store.numWorkers === 0 ? 'none, all on the main thread' : store.numWorkers}, partitions: ${partitionCount(store)}`,
    `Memory cap:  ${store.memoryCapBytes === 0 ? 'none' : gigabytes(store.memoryCapBytes)}`,
    `Backend:     ${describeBackend(config)}`,
    `NATS:        ${nats ? `${withoutCredentials(nats.address)}, subjects: ${store.natsSubscriptions.map((s) => s.subject).join(', ') || 'none'}` : 'no'}`,
    ...(cluster ? [describeCluster(cluster)] : []),
    '',
    `Memory at full retention, for ${assumed.hosts} hosts with ${assumed.seriesPerHost} series each, spread evenly over the metrics:`,
    `  ${count(series)} series, ${count(samples)} samples: about ${gigabytes(bytes)}`,
    `  (${(sampleBytes / Math.max(samples, 1)).toFixed(1)} bytes a sample: ${DOUBLE_BYTES} for "double", ${THREE_DECIMALS_BYTES} with 3 decimals;`,
    `  ${SERIES_BYTES} bytes a series; ${gigabytes(BASE_BYTES)} for the process)`,
    ...(cluster ? clusterEstimate(cluster, bytes, series, config) : []),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `Warning: ${warning}`)] : []),
  ];
  return { text: `${lines.join('\n')}\n`, warnings };
}

function describeCluster({ name, id, partitions, replicas, streamReplicas }: ClusterConfig): string {
  return `Cluster:     ${name}, this store is ${id}; ${partitions} partitions, ${replicas} copies of each, ${streamReplicas} of a stream`;
}

/** What the partitions of a cluster take, of all hosts together. */
function clusterEstimate(cluster: ClusterConfig, bytes: number, series: number, { metrics }: Config): string[] {
  const { partitions, replicas, streamMaxBytes, streamReplicas } = cluster;
  const streamed = streamedAnHour(series, metrics);
  return [
    `  In the cluster: about ${gigabytes((bytes - BASE_BYTES) / partitions)} a partition, ` +
      `${gigabytes((bytes - BASE_BYTES) * replicas)} for all copies; of three stores each ${gigabytes(((bytes - BASE_BYTES) * Math.min(replicas, 3)) / 3)}`,
    `  Streams: about ${gigabytes(streamed)} an hour, of which some 15 minutes are kept; NATS sets ` +
      `${gigabytes(partitions * streamMaxBytes)} aside for each of their ${streamReplicas} copies, which hold ` +
      `${formatSeconds(secondsUntilFull(cluster, streamed))} while a store is away`,
  ];
}

/** Bytes of lines that all streams together take in an hour. */
function streamedAnHour(series: number, metrics: Config['metrics']): number {
  const linesASecond = [...metrics.values()].reduce((n, { frequency }) => n + series / metrics.size / frequency, 0);
  return linesASecond * LINE_BYTES * 3600;
}

/** How long streams that nobody trims take writes, whole seconds. @param streamed bytes an hour, of all of them. */
function secondsUntilFull({ partitions, streamMaxBytes }: ClusterConfig, streamed: number): number {
  return Math.round((partitions * streamMaxBytes * 3600) / Math.max(streamed, 1));
}

function warningsOf({ main, metrics, store, cluster }: Config, assumed: Assumptions, bytes: number): string[] {
  const warnings: string[] = [];
  const ofPartition = cluster ? (bytes - BASE_BYTES) / cluster.partitions : 0;
  if (cluster && ofPartition > MOST_PARTITION_BYTES) {
    warnings.push(
      `a partition would take ${gigabytes(ofPartition)} of its 4 GiB: raise cluster.partitions before the first start, it can't be changed then`,
    );
  }
  if (cluster) {
    const seconds = secondsUntilFull(cluster, streamedAnHour(assumed.hosts * assumed.seriesPerHost, metrics));
    if (seconds < LEAST_SECONDS) {
      warnings.push(
        `the streams are full after ${formatSeconds(seconds)} while a store is away, and writes are refused then: ` +
          'raise cluster.stream-max-bytes',
      );
    }
  }
  const cap = store.memoryCapBytes;
  if (cap > 0 && cap < bytes) {
    warnings.push(
      `memory-cap (${gigabytes(cap)}) is below that: about ${formatSeconds((store.retentionSeconds * cap) / bytes)} of ` +
        `${formatSeconds(store.retentionSeconds)} will fit, older data is freed early`,
    );
  }
  const needed = cap > 0 ? Math.min(cap, bytes) : bytes;
  if (needed > assumed.machineBytes) {
    warnings.push(`this machine has only ${gigabytes(assumed.machineBytes)} of memory`);
  }
  if (store.numWorkers > assumed.cores) {
    warnings.push(`num-workers is ${store.numWorkers}, but this machine has only ${assumed.cores} cores`);
  }
  if (!LOOPBACK.test(main.host)) {
    if (main.jwtPublicKey === undefined) warnings.push('the port can be reached from outside, without jwt-public-key');
    else if (main.tls === undefined)
      warnings.push('tokens and data cross the network unencrypted, without https-cert-file');
  }
  if (store.walSync === 'off')
    warnings.push('wal-sync is "off": a power failure loses what the kernel has not written yet');
  const tokenProblem = backendTokenProblem(main);
  if (tokenProblem !== undefined) warnings.push(tokenProblem);
  if (metrics.size === 0) warnings.push('no metric is configured: every line will be skipped');
  return warnings;
}

function describeMetrics(metrics: ReadonlyMap<string, MetricConfig>): string {
  const counts = new Map<number, number>();
  for (const { frequency } of metrics.values()) counts.set(frequency, (counts.get(frequency) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return (
    sorted.map(([frequency, metricCount]) => `${metricCount} every ${formatSeconds(frequency)}`).join(', ') || 'none'
  );
}

function describeCleanup({ store: { cleanup } }: Config): string {
  return cleanup.mode === 'delete' ? 'deleted' : `archived as Parquet in ${cleanup.directory}`;
}

function describeBackend({ main }: Config): string {
  if (main.backendUrl === undefined) return 'none, hosts of running jobs are not spared';
  return `${withoutCredentials(main.backendUrl)}, ${main.backendToken === undefined ? 'without a token' : 'with a token'}`;
}

function describeSync({ store }: Config): string {
  return { always: 'before each answer', interval: 'every second', off: 'by the kernel' }[store.walSync];
}

function gigabytes(bytes: number): string {
  return bytes < GB ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / GB).toFixed(1)} GB`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
