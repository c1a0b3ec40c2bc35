/**
 * The configuration file as valibot schemas: the one place that knows keys, types, limits and their descriptions.
 * What the reference also accepts has been rewritten before (`compat.ts`); defaults are filled in after (`load.ts`).
 */
import * as v from 'valibot';
import { parseAddress } from './address.js';
import { isToken } from './backend-token.js';
import { parseGoDuration } from './duration.js';
import { decodePublicKey } from './public-key.js';

/** Frequencies are 32-bit in the core. */
const MAX_FREQUENCY = 2 ** 31 - 1;
const MAX_BODY_BYTES = 2 ** 30;

const text = (description: string) =>
  v.pipe(v.string('text'), v.nonEmpty('text that is not empty'), v.description(description));
const flag = (description: string) => v.pipe(v.boolean('true or false'), v.description(description));
const whole = (minimum: number, what: string, description: string, maximum = Number.MAX_SAFE_INTEGER) =>
  v.pipe(
    v.number(what),
    v.integer(what),
    v.minValue(minimum, what),
    v.maxValue(maximum, what),
    v.description(description),
  );
const choice = <const Options extends readonly string[]>(options: Options, description: string) =>
  v.pipe(v.picklist(options, options.map((option) => `"${option}"`).join(' or ')), v.description(description));
const duration = (accepts: (seconds: number) => boolean, what: string, description: string) =>
  v.pipe(
    v.string(what),
    v.check((value) => {
      const seconds = parseGoDuration(value);
      return seconds !== undefined && accepts(seconds);
    }, what),
    v.description(description),
  );
const object = <Entries extends v.ObjectEntries>(entries: Entries, description: string) =>
  v.pipe(v.strictObject(entries, 'an object'), v.description(description));

const TOKEN = 'a JWT: printable characters without blanks';

const isHttpUrl = (value: string) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

export const mainSchema = object(
  {
    addr: v.optional(
      v.pipe(
        v.string('"host:port"'),
        v.check((value) => parseAddress(value) !== undefined, '"host:port", ":port" or "[IPv6]:port"'),
        v.description('Address to listen on, "host:port"; default "localhost:8080"'),
      ),
    ),
    'https-cert-file': v.optional(text('PEM certificate chain; with https-key-file: serve HTTPS')),
    'https-key-file': v.optional(text('PEM private key of https-cert-file')),
    'jwt-public-key': v.optional(
      v.pipe(
        v.string('base64 of a raw 32-byte Ed25519 public key'),
        v.check(
          (value) => typeof decodePublicKey(value) !== 'string',
          (issue) => `base64 of a raw 32-byte Ed25519 public key (this is ${decodePublicKey(issue.input)})`,
        ),
        v.description('Base64 of the raw 32-byte Ed25519 key that tokens are signed with; absent: no authentication'),
      ),
    ),
    'log-level': v.optional(
      choice(
        ['debug', 'info', 'warn', 'err', 'crit'],
        'What is logged, this and what is more severe; the flag -loglevel wins; default "warn"',
      ),
    ),
    user: v.optional(text('User to become once the port is bound and files are open')),
    group: v.optional(text('Group to become once the port is bound and files are open')),
    'backend-url': v.optional(
      v.pipe(
        v.string('an http or https URL'),
        v.check(isHttpUrl, 'an http or https URL'),
        v.description("cc-backend's base URL: nodes of its running jobs keep their data beyond the retention"),
      ),
    ),
    'backend-token': v.optional(
      v.pipe(
        v.string(TOKEN),
        v.check(isToken, TOKEN),
        v.description('JWT of a cc-backend user with the role "api", for backend-url; or backend-token-file'),
      ),
    ),
    'backend-token-file': v.optional(text('File with that JWT, read again at each question: it may be replaced')),
    debug: v.optional(
      object(
        {
          'dump-to-file': v.optional(text('Path of a debug dump that is written on shutdown')),
          gops: v.optional(flag('Accepted and ignored')),
        },
        'Debugging',
      ),
    ),
  },
  'The server',
);

const PRECISION = '"double", "single" or a whole number of decimals from 0 to 9';

export const metricSchema = object(
  {
    frequency: whole(1, 'a whole number of seconds > 0', 'Seconds between samples', MAX_FREQUENCY),
    aggregation: v.pipe(
      v.nullable(v.picklist(['sum', 'avg'], '"sum", "avg" or null')),
      v.description('How children are combined for a level above them; null: they are not'),
    ),
    precision: v.optional(
      v.pipe(
        v.union([v.picklist(['double', 'single'], PRECISION), whole(0, PRECISION, 'Decimals', 9)], PRECISION),
        v.description('"double" (default) keeps every bit, "single" 32 bits, a number that many decimals'),
      ),
    ),
    unit: v.optional(text('Unit of the samples, such as "W" or "GB/s"; shown to people')),
  },
  'One metric',
);

export const metricsSchema = v.pipe(
  v.record(v.string(), metricSchema, 'an object'),
  v.description('Metric name -> how it is sampled; lines of other metrics are skipped'),
);

const subscriptionSchema = object(
  {
    'subscribe-to': text('Subject; wildcards as NATS has them'),
    'cluster-tag': v.optional(v.pipe(v.string('text'), v.description('Cluster of lines that carry no cluster tag'))),
    fields: v.optional(
      choice(['value', 'all'], 'Fields of a line: "value" (default), the only one; "all", a sample each (influx.tags)'),
    ),
    stream: v.optional(text('JetStream stream to read, in order unless durable is given')),
    durable: v.optional(text('Durable JetStream consumer that stores may share')),
  },
  'One subscription',
);

export const storeSchema = object(
  {
    'retention-in-memory': duration(
      (seconds) => seconds > 0,
      'a duration such as "48h" or "1h30m"',
      'How long samples stay in memory, e.g. "48h"',
    ),
    'memory-cap': whole(
      0,
      'a whole number of GB, 0 for none',
      'GB of memory above which the oldest data is freed; 0: none',
    ),
    checkpoints: v.optional(
      object(
        {
          'file-format': v.optional(choice(['wal', 'json'], '"wal" (default): log and binary checkpoints; "json"')),
          directory: v.optional(text('Where checkpoints and logs are kept; default "./var/checkpoints"')),
          'max-wal-size': v.optional(
            whole(
              0,
              'a whole number of bytes, 0 for no limit',
              "Bytes of a partition's log that bring a checkpoint forward; 0: never; absent: 48 MiB in all, or more",
            ),
          ),
        },
        'Checkpoint files',
      ),
    ),
    'checkpoint-interval': v.optional(
      duration((seconds) => seconds > 0, 'a duration > 0 such as "12h"', 'Time between checkpoints; default "12h"'),
    ),
    'future-limit': v.optional(
      duration(
        (seconds) => seconds >= 0,
        'a duration such as "10m", "0" for none',
        'How far samples may be ahead of the clock of this server; default "10m"; "0": any',
      ),
    ),
    'num-workers': v.optional(
      whole(0, 'a whole number of workers', 'Worker threads; default: one a core, less one; 0: all on the main thread'),
    ),
    cleanup: v.optional(
      object(
        {
          mode: v.optional(choice(['delete', 'archive'], 'What happens to checkpoint data older than the retention')),
          directory: v.optional(text('Where "archive" puts its Parquet files')),
        },
        'What is done with data older than the retention',
      ),
    ),
    'nats-subscriptions': v.optional(
      v.pipe(
        v.array(subscriptionSchema, 'a list of subscriptions'),
        v.description('Subjects to take line protocol from'),
      ),
    ),
    'wal-sync': v.optional(
      choice(
        ['always', 'interval', 'off'],
        'When the log is synced: before each answer, every second (default), never',
      ),
    ),
    'max-body-size': v.optional(
      whole(1, `a number of bytes from 1 to ${MAX_BODY_BYTES}`, 'Bytes of one write; default 64 MiB', MAX_BODY_BYTES),
    ),
  },
  'The store',
);

export const natsSchema = object(
  {
    address: v.optional(text('NATS server, e.g. "nats://localhost:4222"; several separated by commas')),
    username: v.optional(v.pipe(v.string('text'), v.description('User name'))),
    password: v.optional(v.pipe(v.string('text'), v.description('Password'))),
    'creds-file': v.optional(text('Credentials file (JWT and seed)')),
    'nkey-file': v.optional(text('NKey seed file')),
  },
  'The NATS connection',
);

const positive = (seconds: number) => seconds > 0;

const NAME = /^[A-Za-z0-9_-]{1,32}$/;
const NAME_TEXT = '1 to 32 of A-Z, a-z, 0-9, "_" and "-"';
const identifier = (description: string) =>
  v.pipe(v.string(NAME_TEXT), v.regex(NAME, NAME_TEXT), v.description(description));

export const clusterSchema = object(
  {
    name: identifier('Names streams, subjects and the bucket; several clusters may share NATS'),
    id: identifier('This store among those of the cluster, the same over restarts and disks'),
    advertise: v.pipe(
      v.string('an http or https URL'),
      v.check((value) => isHttpUrl(value) && new URL(value).pathname === '/', 'an http or https URL without a path'),
      v.description('Where the other stores reach this one, e.g. "https://store1.example.org:8080"'),
    ),
    'secret-file': v.optional(
      text('File with at least 32 bytes that all stores share; a line more is accepted too. Not needed on loopback'),
    ),
    partitions: v.optional(
      whole(1, 'a whole number from 1 to 1024', 'Partitions; fixed once the cluster is made; default 32', 1024),
    ),
    replicas: v.optional(whole(1, 'a whole number from 1 to 5', 'Copies of each partition; default 2', 5)),
    'stream-replicas': v.optional(
      v.pipe(v.picklist([1, 3, 5], '1, 3 or 5'), v.description('Copies that NATS keeps of each stream; default 3')),
    ),
    'stream-max-bytes': v.optional(
      whole(
        1 << 20,
        'a whole number of bytes from 1048576',
        'Most bytes of one stream, set aside at NATS; a write that finds it full is answered 503; default 1 GiB',
      ),
    ),
    'rebalance-after': v.optional(
      duration(positive, 'a duration > 0 such as "5m"', 'Absence after which a store loses its place; default "5m"'),
    ),
    zone: v.optional(
      v.pipe(v.string('text'), v.description('Copies go to different zones where there are enough; default ""')),
    ),
    weight: v.optional(whole(0, 'a whole number from 0 to 100', 'Share of partitions; 0: none; default 1', 100)),
    'read-consistency': v.optional(
      choice(['session', 'strong'], 'What a query has to see: what was acknowledged here (default), or anywhere'),
    ),
  },
  'One of several stores, on NATS JetStream',
);

export const promqlSchema = object(
  {
    'lookback-delta': v.optional(
      duration(
        positive,
        'a duration > 0 such as "5m"',
        'How far back a selector looks for a sample; default "5m", of metrics that come more seldom two frequencies',
      ),
    ),
    timeout: v.optional(
      duration(positive, 'a duration > 0 such as "2m"', 'Time after which a query is given up; default "2m"'),
    ),
    'max-samples': v.optional(
      whole(1, 'a whole number of samples > 0', 'Samples that one query may hold; default 50 000 000'),
    ),
    'max-queries': v.optional(
      whole(1, 'a whole number of queries > 0', 'Queries at once; as many again wait, others get 503; default 20'),
    ),
    'max-memory': v.optional(
      whole(1, 'a whole number of MB > 0', 'MB that the results of all queries may take together; default 256'),
    ),
  },
  'PromQL queries',
);

const tagSchema = v.pipe(
  v.nullable(
    object(
      {
        type: v.optional(text('Type of the level that the tag makes; default: the tag')),
        cut: v.optional(text('What the tag\'s values begin with and the level\'s id does not, such as "cpu"')),
        node: v.optional(text('Value that means the node itself, such as "cpu-total"')),
        unless: v.optional(
          v.pipe(v.array(v.string('a tag'), 'a list of tags'), v.description('Tags beside which this one is ignored')),
        ),
      },
      'How a tag becomes a level',
    ),
  ),
  v.description('How a tag becomes a level; null: it is ignored'),
);

export const influxSchema = object(
  {
    tags: v.optional(
      v.pipe(
        v.record(v.string(), tagSchema, 'an object'),
        v.description("Tag -> level, for lines of several fields; beside the defaults for Telegraf's inputs"),
      ),
    ),
  },
  "What InfluxDB's writers send",
);

/** Other sections are allowed and ignored, with a warning. */
export const configSchema = v.pipe(
  v.looseObject({
    main: mainSchema,
    metrics: metricsSchema,
    'metric-store': storeSchema,
    nats: v.optional(natsSchema),
    cluster: v.optional(clusterSchema),
    promql: v.optional(promqlSchema),
    influx: v.optional(influxSchema),
  }),
  v.description('Configuration of cc-metric-store'),
);

/** A configuration file that passed, defaults not yet filled in. */
export type RawConfig = v.InferOutput<typeof configSchema>;
