/**
 * What differs between the configuration that a server runs with and the file as it is now: what can change while it runs, and
 * what needs a restart. Free of effects; reload.ts of the service applies it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config, MetricConfig } from './config.js';
import { formatSeconds } from './duration.js';

export interface ConfigChanges {
  /** Metrics that are new, or whose aggregation or precision is another. */
  metrics: Map<string, MetricConfig>;
  tags: boolean;
  /** Retention, memory cap, intervals, cleanup, the backend: what the clock's jobs work by. */
  jobs: boolean;
  /** NATS connection or subscriptions. */
  nats: boolean;
  key: boolean;
  level: boolean;
  /** What is done, a line each. */
  done: string[];
  /** Keys that keep their old value until a restart. */
  restart: string[];
}

type Named<Section> = readonly [key: string, value: (section: Section) => unknown];

/** What is compared, by the key that an administrator knows. */
const RESTART_MAIN: readonly Named<Config['main']>[] = [
  ['main.addr', ({ host, port }) => [host, port]],
  ['main.https-cert-file', ({ tls }) => tls !== undefined],
  ['main.user', ({ user }) => user],
  ['main.group', ({ group }) => group],
];
const RESTART_STORE: readonly Named<Config['store']>[] = [
  ['metric-store.checkpoints', ({ checkpoints }) => checkpoints],
  ['metric-store.num-workers', ({ numWorkers }) => numWorkers],
  ['metric-store.wal-sync', ({ walSync }) => walSync],
  ['metric-store.max-body-size', ({ maxBodySize }) => maxBodySize],
];
const JOBS_MAIN: readonly Named<Config['main']>[] = [
  ['main.backend-url', ({ backendUrl }) => backendUrl],
  ['main.backend-token', ({ backendToken }) => backendToken],
];
const JOBS_STORE: readonly Named<Config['store']>[] = [
  ['metric-store.retention-in-memory', ({ retentionSeconds }) => formatSeconds(retentionSeconds)],
  ['metric-store.memory-cap', ({ memoryCapBytes }) => memoryCapBytes / 1e9],
  ['metric-store.checkpoint-interval', ({ checkpointIntervalSeconds }) => formatSeconds(checkpointIntervalSeconds)],
  ['metric-store.cleanup', ({ cleanup }) => cleanup],
  ['metric-store.future-limit', ({ futureLimitSeconds }) => formatSeconds(futureLimitSeconds)],
];
/** Values that are told; others may be secret, or long. */
const TOLD = new Set(JOBS_STORE.map(([key]) => key));

/** Compares the running configuration with a fresh one, which is valid. */
export function compareConfigs(old: Config, fresh: Config): ConfigChanges {
  const done: string[] = [];
  const restart = [
    ...differing(RESTART_MAIN, old.main, fresh.main).map(([key]) => key),
    ...differing(RESTART_STORE, old.store, fresh.store).map(([key]) => key),
    ...(isDeepStrictEqual(old.promql, fresh.promql) ? [] : ['promql']),
    ...(isDeepStrictEqual(old.cluster, fresh.cluster) ? [] : ['cluster']),
  ];
  const jobs = [...differing(JOBS_MAIN, old.main, fresh.main), ...differing(JOBS_STORE, old.store, fresh.store)];
  for (const [key, value] of jobs)
    done.push(TOLD.has(key) ? `${key} is now ${JSON.stringify(value)}` : `${key} was changed`);
  const metrics = new Map<string, MetricConfig>();
  for (const [name, metric] of fresh.metrics)
    compareMetric(name, old.metrics.get(name), metric, { metrics, done, restart });
  for (const name of old.metrics.keys()) if (!fresh.metrics.has(name)) restart.push(`metrics.${name} (removed)`);
  const changed = (what: string, a: unknown, b: unknown): boolean => {
    if (isDeepStrictEqual(a, b)) return false;
    done.push(`${what} changed`);
    return true;
  };
  return {
    metrics,
    jobs: jobs.length > 0,
    tags: changed('influx.tags', old.tagRules, fresh.tagRules),
    nats: changed('nats', [old.nats, old.store.natsSubscriptions], [fresh.nats, fresh.store.natsSubscriptions]),
    level: changed('main.log-level', old.main.logLevel, fresh.main.logLevel),
    key: changed('main.jwt-public-key', old.main.jwtPublicKey, fresh.main.jwtPublicKey),
    done,
    restart,
  };
}

/**
 * Makes the running configuration what the fresh one says, in place, but for what needs a restart: whoever holds it sees the new
 * values when it looks again.
 */
export function takeOver(config: Config, fresh: Config, { metrics }: ConfigChanges): void {
  const all = config.metrics as Map<string, MetricConfig>;
  // New ones stand last: a metric's place is its number.
  for (const [name, metric] of metrics) all.set(name, metric);
  const { backendUrl, backendToken, jwtPublicKey, logLevel, dumpToFile, tls } = fresh.main;
  replace(config.main, { backendUrl, backendToken, jwtPublicKey, logLevel, dumpToFile });
  if (config.main.tls && tls) config.main.tls = tls;
  const { retentionSeconds, memoryCapBytes, checkpointIntervalSeconds, cleanup, futureLimitSeconds } = fresh.store;
  Object.assign(config.store, {
    retentionSeconds,
    memoryCapBytes,
    checkpointIntervalSeconds,
    cleanup,
    futureLimitSeconds,
  });
  config.store.natsSubscriptions = fresh.store.natsSubscriptions;
  config.tagRules = fresh.tagRules;
  replace(config, { nats: fresh.nats });
}

/** Sets the values, and takes away those that are undefined. */
function replace<Section extends object>(
  section: Section,
  values: { [Key in keyof Section]?: Section[Key] | undefined },
): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) delete section[key as keyof Section];
    else section[key as keyof Section] = value as Section[keyof Section];
  }
}

function differing<Section>(keys: readonly Named<Section>[], old: Section, fresh: Section): [string, unknown][] {
  return keys
    .filter(([, value]) => !isDeepStrictEqual(value(old), value(fresh)))
    .map(([key, value]): [string, unknown] => [key, value(fresh)]);
}

/** Bins of samples that are held have the old width: with another one, the series would have to be made anew. */
function compareMetric(
  name: string,
  old: MetricConfig | undefined,
  fresh: MetricConfig,
  into: Pick<ConfigChanges, 'metrics' | 'done' | 'restart'>,
): void {
  if (old === undefined) {
    into.metrics.set(name, fresh);
    into.done.push(`metrics.${name} is new: every ${formatSeconds(fresh.frequency)}`);
    return;
  }
  if (old.frequency !== fresh.frequency) into.restart.push(`metrics.${name}.frequency`);
  if (old.aggregation === fresh.aggregation && old.precision === fresh.precision) return;
  into.metrics.set(name, { ...fresh, frequency: old.frequency });
  if (old.aggregation !== fresh.aggregation) into.done.push(`metrics.${name}.aggregation is now ${fresh.aggregation}`);
  if (old.precision !== fresh.precision) {
    into.done.push(`metrics.${name}.precision is now ${fresh.precision}, for samples from here on`);
  }
}
