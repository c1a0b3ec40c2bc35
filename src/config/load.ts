/** Reads a configuration file: all problems at once, or the checked configuration with its defaults and warnings. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import { DEFAULT_ADDRESS, parseAddress } from './address.js';
import { rewriteReferenceForms } from './compat.js';
import type {
  ClusterConfig,
  Config,
  MainConfig,
  MetricConfig,
  NatsConfig,
  NatsSubscription,
  PromqlConfig,
  StoreConfig,
} from './config.js';
import { parseGoDuration } from './duration.js';
import { tagProblems, tagRules } from './influx-tags.js';
import {
  isJsonObject,
  type JsonObject,
  type JsonPath,
  JsonSyntaxError,
  type JsonValue,
  type Position,
  parseJsonSource,
} from './json-source.js';
import { ConfigError, foundText, problemText } from './problems.js';
import { decodePublicKey } from './public-key.js';
import { configSchema, type RawConfig } from './schema.js';
import { describe, FORBIDDEN_KEYS, misplacedLists, unknownKeys } from './schema-walk.js';

export interface LoadedConfig {
  config: Config;
  /** Complete lines with file and key, for the log. */
  warnings: string[];
}

const BYTES_PER_GB = 1e9;
const MAX_WORKERS = 64;
const DEFAULT_CHECKPOINT_SECONDS = 12 * 3600;
const DEFAULT_FUTURE_LIMIT = '10m';
const DEFAULT_MAX_BODY_BYTES = 64 * 2 ** 20;
const DEFAULT_PARTITIONS = 32;
/** JetStream sets it aside for each stream: 32 GiB for 32 partitions, which a usual disk has. */
const DEFAULT_STREAM_BYTES = 2 ** 30;

/**
 * Relative paths in the file stay relative to the working directory, as in the reference.
 * @throws ConfigError when the file cannot be read or used
 */
export function loadConfig(path: string): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`${path}: cannot read the configuration: ${reason}; give its path with -config`], { cause });
  }
  return parseConfig(text, path);
}

/** `loadConfig` for text that is already there. @param file what messages call it */
export function parseConfig(text: string, file: string): LoadedConfig {
  const source = readSource(text, file);
  const warnings: string[] = [];
  const found: { position: Position; text: string }[] = [];
  const warn = (path: JsonPath, what: string) => {
    warnings.push(problemText(file, source.locate(path), path, what));
  };
  const problem = (path: JsonPath, what: string) => {
    const position = source.locate(path);
    found.push({ position, text: problemText(file, position, path, what) });
  };

  const root = source.value;
  if (!isJsonObject(root)) {
    const what = `expected an object, found ${foundText([], root)}`;
    throw new ConfigError([problemText(file, source.locate([]), [], what)]);
  }
  for (const path of source.duplicates) warn(path, 'stands more than once; the last one counts');
  if (source.trailing) warnings.push(problemText(file, source.trailing, [], 'text after the configuration is ignored'));

  rewriteReferenceForms(root, configSchema, warn);
  const lists = misplacedLists(configSchema, root);
  for (const path of lists) problem(path, `expected an object, found ${foundText(path, valueAt(root, path))}`);
  reportUnknownKeys(root, warn, problem);
  reportTogether(root, problem);
  const checked = v.safeParse(configSchema, root);
  if (checked.success) reportTags(checked.output, problem);
  // What a list lacks of the object that it should be is no news.
  if (!checked.success && lists.length === 0) reportIssues(root, checked.issues, problem);
  if (!checked.success || found.length > 0) {
    found.sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
    throw new ConfigError(found.map(({ text }) => text));
  }

  const config = withDefaults(checked.output, warn);
  return { config, warnings };
}

function readSource(text: string, file: string): ReturnType<typeof parseJsonSource> {
  try {
    return parseJsonSource(text);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new ConfigError([problemText(file, cause.position, [], `not valid JSON: ${cause.message}`)], { cause });
  }
}

type Report = (path: JsonPath, what: string) => void;

function reportUnknownKeys(root: JsonObject, warn: Report, problem: Report): void {
  for (const { path, known } of unknownKeys(configSchema, root)) {
    const hint = known.length === 0 ? '' : `; known here: ${known.join(', ')}`;
    const isSection = path.length === 1 && !FORBIDDEN_KEYS.has(String(path[0]));
    if (isSection) warn(path, `unknown section, ignored${hint}`);
    else problem(path, `unknown key${hint}`);
  }
}

/** What concerns two keys at once. */
function reportTogether(root: JsonObject, problem: Report): void {
  const both = (path: JsonPath, parent: JsonValue | undefined, first: string, second: string) => {
    if (!isJsonObject(parent) || (parent[first] === undefined) === (parent[second] === undefined)) return;
    const [given, missing] = parent[first] === undefined ? [second, first] : [first, second];
    problem([...path, missing], `missing: ${given} is given, expected both or none`);
  };
  both(['main'], root.main, 'https-cert-file', 'https-key-file');
  const { main } = root;
  if (isJsonObject(main) && main['backend-token'] !== undefined && main['backend-token-file'] !== undefined) {
    problem(['main', 'backend-token-file'], 'backend-token is given as well, expected one of the two');
  }
  const store = root['metric-store'];
  if (!isJsonObject(store)) return;
  if (isJsonObject(root.cluster)) reportCluster(root, root.cluster, store, problem);
  const { cleanup, 'nats-subscriptions': subscriptions } = store;
  if (isJsonObject(cleanup) && cleanup.mode === 'archive' && cleanup.directory === undefined) {
    problem(['metric-store', 'cleanup', 'directory'], 'missing: expected a directory, which mode "archive" needs');
  }
  for (const [index, subscription] of (Array.isArray(subscriptions) ? subscriptions : []).entries()) {
    if (isJsonObject(subscription) && subscription.durable !== undefined && subscription.stream === undefined) {
      const path = ['metric-store', 'nats-subscriptions', index, 'stream'];
      problem(path, 'missing: durable is given, expected the stream that it is of');
    }
  }
}

/** What a cluster needs of other sections, and what it can't have. */
function reportCluster(root: JsonObject, cluster: JsonObject, store: JsonObject, problem: Report): void {
  const { nats } = root;
  if (!isJsonObject(nats) || nats.address === undefined) {
    problem(['nats', 'address'], 'missing: expected a NATS server, which a cluster needs');
  }
  const { checkpoints, cleanup, 'nats-subscriptions': subscriptions } = store;
  if (isJsonObject(checkpoints) && checkpoints['file-format'] === 'json') {
    problem(['metric-store', 'checkpoints', 'file-format'], 'is "json", expected "wal" in a cluster');
  }
  if (isJsonObject(cleanup) && cleanup.mode === 'archive') {
    problem(['metric-store', 'cleanup', 'mode'], 'is "archive", expected "delete" in a cluster');
  }
  for (const [index, subscription] of (Array.isArray(subscriptions) ? subscriptions : []).entries()) {
    if (isJsonObject(subscription) && subscription.stream !== undefined && subscription.durable === undefined) {
      const path = ['metric-store', 'nats-subscriptions', index, 'durable'];
      problem(
        path,
        'missing: expected a durable that all stores of the cluster share, or each would read every message',
      );
    }
  }
  const { advertise } = cluster;
  if (cluster['secret-file'] !== undefined || typeof advertise !== 'string' || !URL.canParse(advertise)) return;
  if (!isLoopback(new URL(advertise).hostname)) {
    problem(['cluster', 'secret-file'], `missing: expected a file, for ${advertise} is not on loopback`);
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

function reportTags({ influx }: RawConfig, problem: Report): void {
  for (const [path, what] of tagProblems(influx?.tags ?? {})) problem(['influx', 'tags', ...path], what);
}

function reportIssues(root: JsonObject, issues: readonly v.BaseIssue<unknown>[], problem: Report): void {
  const told = new Set<string>();
  for (const issue of issues) {
    const path = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)));
    const key = JSON.stringify(path);
    // Unknown keys have been reported, all of them: valibot stops at an object's first. One message a value is enough.
    if (issue.expected === 'never' || told.has(key)) continue;
    told.add(key);
    const value = valueAt(root, path);
    if (value === undefined) {
      const description = describe(configSchema, path);
      problem(path, `required, but missing${description === undefined ? '' : ` (${description})`}`);
    } else {
      problem(path, `expected ${issue.message}, found ${foundText(path, value)}`);
    }
  }
}

function valueAt(root: JsonValue, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isJsonObject(value) ? value[key] : undefined;
  }
  return value;
}

function withDefaults(raw: RawConfig, warn: Report): Config {
  const metrics = new Map<string, MetricConfig>();
  for (const [name, { frequency, aggregation, precision, unit }] of Object.entries(raw.metrics)) {
    metrics.set(name, { frequency, aggregation, precision: precision ?? 'double', ...optional('unit', unit) });
  }
  if (metrics.size === 0) warn(['metrics'], 'names no metric: every line will be skipped');
  const nats = natsConfig(raw);
  if (nats === undefined && (raw['metric-store']['nats-subscriptions'] ?? []).length > 0) {
    warn(['metric-store', 'nats-subscriptions'], 'nothing will be received: nats.address is missing');
  }
  if (raw.main['backend-url'] === undefined) {
    for (const key of ['backend-token', 'backend-token-file'] as const) {
      if (raw.main[key] !== undefined) warn(['main', key], 'is not used: main.backend-url is missing');
    }
  }
  if (raw.main.debug?.gops) warn(['main', 'debug', 'gops'], 'is ignored: use node --inspect');
  return {
    main: mainConfig(raw),
    metrics,
    store: storeConfig(raw, warn),
    ...optional('nats', nats),
    ...optional('cluster', clusterConfig(raw)),
    promql: promqlConfig(raw),
    tagRules: tagRules(raw.influx?.tags),
  };
}

function mainConfig({ main }: RawConfig): MainConfig {
  const address = parseAddress(main.addr ?? DEFAULT_ADDRESS);
  if (address === undefined) throw new Error(`BUG: address ${main.addr} passed the schema`);
  const key = main['jwt-public-key'] === undefined ? undefined : decodePublicKey(main['jwt-public-key']);
  if (typeof key === 'string') throw new Error(`BUG: jwt-public-key passed the schema: ${key}`);
  const { 'https-cert-file': certFile, 'https-key-file': keyFile, user, group } = main;
  const tokenFile = main['backend-token-file'];
  return {
    ...address,
    ...(certFile !== undefined && keyFile !== undefined ? { tls: { certFile, keyFile } } : {}),
    ...optional('jwtPublicKey', key),
    ...optional('logLevel', main['log-level']),
    ...optional('user', user),
    ...optional('group', group),
    ...optional('backendUrl', main['backend-url']?.replace(/\/+$/, '')),
    ...optional('backendToken', main['backend-token'] ?? (tokenFile === undefined ? undefined : { file: tokenFile })),
    ...optional('dumpToFile', main.debug?.['dump-to-file']),
  };
}

function storeConfig({ 'metric-store': store, cluster }: RawConfig, warn: Report): StoreConfig {
  let numWorkers = store['num-workers'] ?? Math.max(1, availableParallelism() - 1);
  if (numWorkers > MAX_WORKERS) {
    warn(['metric-store', 'num-workers'], `is more than ${MAX_WORKERS}; ${MAX_WORKERS} is used`);
    numWorkers = MAX_WORKERS;
  }
  const { checkpoints, cleanup } = store;
  return {
    retentionSeconds: wholeSeconds(store['retention-in-memory'], 0),
    futureLimitSeconds: Math.ceil(parseGoDuration(store['future-limit'] ?? DEFAULT_FUTURE_LIMIT) ?? 0),
    memoryCapBytes: store['memory-cap'] * BYTES_PER_GB,
    checkpoints: {
      fileFormat: checkpoints?.['file-format'] ?? 'wal',
      directory: checkpoints?.directory ?? './var/checkpoints',
      ...(checkpoints?.['max-wal-size'] !== undefined && { maxWalSize: checkpoints['max-wal-size'] }),
    },
    checkpointIntervalSeconds: wholeSeconds(store['checkpoint-interval'], DEFAULT_CHECKPOINT_SECONDS),
    numWorkers,
    ...optional('partitions', cluster && (cluster.partitions ?? DEFAULT_PARTITIONS)),
    cleanup: cleanup?.mode === 'archive' ? { mode: 'archive', directory: cleanup.directory ?? '' } : { mode: 'delete' },
    natsSubscriptions: (store['nats-subscriptions'] ?? []).map(
      (subscription): NatsSubscription => ({
        subject: subscription['subscribe-to'],
        clusterTag: subscription['cluster-tag'] ?? '',
        ...optional('fields', subscription.fields),
        ...optional('stream', subscription.stream),
        ...optional('durable', subscription.durable),
      }),
    ),
    walSync: store['wal-sync'] ?? 'interval',
    maxBodySize: store['max-body-size'] ?? DEFAULT_MAX_BODY_BYTES,
  };
}

function clusterConfig({ cluster }: RawConfig): ClusterConfig | undefined {
  if (cluster === undefined) return undefined;
  return {
    name: cluster.name,
    id: cluster.id,
    advertise: cluster.advertise.replace(/\/+$/, ''),
    ...optional('secretFile', cluster['secret-file']),
    partitions: cluster.partitions ?? DEFAULT_PARTITIONS,
    replicas: cluster.replicas ?? 2,
    streamReplicas: cluster['stream-replicas'] ?? 3,
    streamMaxBytes: cluster['stream-max-bytes'] ?? DEFAULT_STREAM_BYTES,
    rebalanceAfterSeconds: parseGoDuration(cluster['rebalance-after'] ?? '5m') ?? 0,
    zone: cluster.zone ?? '',
    weight: cluster.weight ?? 1,
    readConsistency: cluster['read-consistency'] ?? 'session',
  };
}

function promqlConfig({ promql }: RawConfig): PromqlConfig {
  return {
    lookbackSeconds: parseGoDuration(promql?.['lookback-delta'] ?? '5m') ?? 0,
    lookbackAdapts: promql?.['lookback-delta'] === undefined,
    timeoutSeconds: parseGoDuration(promql?.timeout ?? '2m') ?? 0,
    maxSamples: promql?.['max-samples'] ?? 50_000_000,
    maxQueries: promql?.['max-queries'] ?? 20,
    maxMemoryBytes: (promql?.['max-memory'] ?? 256) * 2 ** 20,
  };
}

function natsConfig({ nats }: RawConfig): NatsConfig | undefined {
  if (nats?.address === undefined) return undefined;
  return {
    address: nats.address,
    ...optional('username', nats.username),
    ...optional('password', nats.password),
    ...optional('credsFile', nats['creds-file']),
    ...optional('nkeyFile', nats['nkey-file']),
  };
}

/** A duration in seconds, at least 1: nothing here is finer. */
function wholeSeconds(duration: string | undefined, absent: number): number {
  return Math.max(1, Math.round(duration === undefined ? absent : (parseGoDuration(duration) ?? absent)));
}

/** `{[key]: value}`, or nothing: `exactOptionalPropertyTypes` wants absent members left out. */
function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}
