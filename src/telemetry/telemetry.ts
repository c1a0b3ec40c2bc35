import { Counter, Histogram, Registry } from 'prom-client';
import { type Logger, limited } from '../base/log.js';
import type { StoreConfig } from '../config/config.js';
import type { NatsState } from '../nats/state.js';
import type { Store } from '../store/store.js';
import { type ClusterGauges, clusterMetrics } from './cluster-metrics.js';
import { EventLoopLag } from './event-loop.js';
import { natsMetrics } from './nats-metrics.js';
import { Snapshot } from './snapshot.js';
import { storeMetrics } from './store-metrics.js';

/** A scrape does not wait longer for the workers; Prometheus itself gives up after 10 s. */
const STATS_TIMEOUT_MS = 5_000;
const LOG_SECONDS = 60;
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BODY_BYTES = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];
const JOB_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600];
/** Why PromQL queries are refused (src/http/route.ts). */
const REFUSALS = ['query', 'execution', 'limit', 'timeout', 'canceled', 'busy'];
const JOBS: readonly Job[] = ['checkpoint', 'retention', 'cleanup'];

/** What runs by itself now and then. `cleanup` deletes or archives old checkpoint data. */
export type Job = 'checkpoint' | 'retention' | 'cleanup';

export interface TelemetryOptions {
  store: Pick<Store, 'state' | 'stats'>;
  log: Logger;
  /** For the build info. */
  version: string;
  commit: string;
  /** Exposed so that alerts need not know the configuration; read at each scrape, for it may change. */
  config: Pick<StoreConfig, 'memoryCapBytes' | 'checkpointIntervalSeconds'>;
  /** Whether the hosts' clocks agree with ours. */
  clockIsTrusted(): boolean;
  /** Absent, or undefined: NATS is not configured, and its metrics are absent. */
  nats?: () => Readonly<NatsState> | undefined;
  /** Absent: the store is alone. */
  cluster?: () => ClusterGauges;
}

export interface Telemetry {
  /** The value of the Content-Type header that goes with `metrics`. */
  readonly contentType: string;
  /** Prometheus text. Never rejects: what cannot be read is left out and counted in `ccms_scrape_errors_total`. */
  metrics(): Promise<string>;
  /** One answered request. `route` is the path of the route, never that of the request; `bytes` received plus sent. */
  observe(route: string, seconds: number, status: number, bytes: number): void;
  /** One PromQL query, answered or refused: seconds by phase, samples looked at, the reason of a refusal. */
  query(figures: { seconds: Readonly<Record<string, number>>; samples: number; refusal: string | undefined }): void;
  /** One run of a job. */
  job(job: Job, seconds: number, failed: boolean): void;
  /** Blocks that the retention or the memory cap freed. */
  freed(blocks: number): void;
  /** Stops the event-loop monitor. */
  close(): void;
}

/** The collector of /metrics: figures that are kept here, and those that are read from the store and NATS at a scrape. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { store, nats } = options;
  const log = limited(options.log, LOG_SECONDS);
  const registry = new Registry();
  const registers = [registry];
  const lag = new EventLoopLag();
  const requests = new Counter({
    name: 'ccms_http_requests_total',
    help: 'Answered HTTP requests, by route and status.',
    labelNames: ['route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'ccms_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by route.',
    labelNames: ['route'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const sizes = new Histogram({
    name: 'ccms_http_body_bytes',
    help: 'Body bytes of a request plus those of its answer, as on the wire, by route.',
    labelNames: ['route'],
    buckets: BODY_BYTES,
    registers,
  });
  const querySeconds = new Counter({
    name: 'ccms_promql_seconds_total',
    help: 'Time that PromQL queries took, by phase: waiting for their turn, evaluation, sending the answer.',
    labelNames: ['phase'],
    registers,
  });
  const querySamples = new Counter({
    name: 'ccms_promql_samples_total',
    help: 'Samples that selectors and windows of PromQL queries looked at.',
    registers,
  });
  const queryRefusals = new Counter({
    name: 'ccms_promql_refused_total',
    help: 'PromQL queries that were not answered, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const jobDurations = new Histogram({
    name: 'ccms_job_duration_seconds',
    help: 'Time that a checkpoint, retention or cleanup took.',
    labelNames: ['job'],
    buckets: JOB_SECONDS,
    registers,
  });
  const jobFailures = new Counter({
    name: 'ccms_job_failures_total',
    help: 'Checkpoints, retentions and cleanups that failed.',
    labelNames: ['job'],
    registers,
  });
  const freedBlocks = new Counter({
    name: 'ccms_freed_blocks_total',
    help: 'Blocks of samples freed because they were older than the retention.',
    registers,
  });
  const scrapeErrors = new Counter({
    name: 'ccms_scrape_errors_total',
    help: 'Scrapes at which the store did not give its figures.',
    registers,
  });
  // So that rates are defined before the first event.
  for (const phase of ['queue', 'evaluation', 'answer']) querySeconds.inc({ phase }, 0);
  for (const reason of REFUSALS) queryRefusals.inc({ reason }, 0);
  for (const job of JOBS) {
    jobFailures.inc({ job }, 0);
    jobDurations.zero({ job });
  }

  const readStore = async (into: Snapshot): Promise<void> => {
    into.gauge('ccms_ready', '1 when checkpoints are loaded and the server takes requests.', ready(store.state));
    if (store.state !== 'ready') return;
    try {
      storeMetrics(into, await inTime(store.stats()));
    } catch (error) {
      scrapeErrors.inc();
      log.warn('the store does not give its figures for /metrics', error);
    }
  };

  return {
    contentType: registry.contentType,
    async metrics(): Promise<string> {
      const snapshot = new Snapshot();
      const { version, commit } = options;
      snapshot.gauge('ccms_build_info', 'Which build this is; always 1.', [
        [{ version, commit, node: process.versions.node }, 1],
      ]);
      snapshot.gauge('ccms_memory_cap_bytes', 'The configured memory-cap; 0: none.', options.config.memoryCapBytes);
      snapshot.gauge(
        'ccms_checkpoint_interval_seconds',
        'The configured checkpoint-interval.',
        options.config.checkpointIntervalSeconds,
      );
      snapshot.gauge(
        'ccms_clock_trusted',
        "1 unless most hosts' clocks are ahead of this server's: then no sample is refused for its time.",
        options.clockIsTrusted() ? 1 : 0,
      );
      await readStore(snapshot);
      const natsState = nats?.();
      if (natsState !== undefined) natsMetrics(snapshot, natsState);
      if (options.cluster) clusterMetrics(snapshot, options.cluster());
      processMetrics(snapshot);
      return (await Promise.all([snapshot.text(), registry.metrics()])).join('') + lag.text();
    },
    observe(route, seconds, status, bytes): void {
      requests.inc({ route, status: String(status) });
      durations.observe({ route }, seconds);
      sizes.observe({ route }, bytes);
    },
    query({ seconds, samples, refusal }): void {
      for (const [phase, value] of Object.entries(seconds)) querySeconds.inc({ phase }, value);
      querySamples.inc(samples);
      if (refusal !== undefined) queryRefusals.inc({ reason: refusal });
    },
    job(job, seconds, failed): void {
      jobDurations.observe({ job }, seconds);
      if (failed) jobFailures.inc({ job });
    },
    freed(blocks): void {
      freedBlocks.inc(blocks);
    },
    close(): void {
      lag.close();
    },
  };
}

function ready(state: Store['state']): number {
  return state === 'ready' ? 1 : 0;
}

/** Of the whole process, workers included. */
function processMetrics(into: Snapshot): void {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  into.gauge('ccms_process_resident_memory_bytes', 'Resident memory of the process.', rss);
  into.gauge('ccms_process_heap_bytes', 'JavaScript heap in use by the main thread.', heapUsed);
  into.counter('ccms_process_cpu_seconds_total', 'CPU time of the process, user and system.', (user + system) / 1e6);
  into.gauge('ccms_process_start_time_seconds', 'When the process started, unix time.', performance.timeOrigin / 1000);
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STATS_TIMEOUT_MS} ms`)), STATS_TIMEOUT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
