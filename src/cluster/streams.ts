/**
 * What a cluster has in NATS: a stream for each partition, and a bucket of keys that says how the cluster is laid out and who is
 * a member. Whoever finds something missing makes it; where that is done twice it is the same.
 *
 *   stream CCMS_<name>_<i>   subject ccms.<name>.p.<i>: what changes partition i, in order
 *   bucket ccms_<name>       layout, store.<id>
 */
import { randomUUID } from 'node:crypto';
import {
  DiscardPolicy,
  type JetStreamManager,
  type KV,
  type NatsConnection,
  NatsError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats';
import { errorText, type Logger } from '../base/log.js';
import type { ClusterConfig } from '../config/config.js';

/** JetStream's API error codes. */
export const STREAM_NOT_FOUND = 10059;
const MESSAGE_TOO_OLD = 10037;
const WRONG_LAST_SEQUENCE = 10071;
/** A single server has less room than is to be set aside for a stream; of several too few have, or are there. */
const NO_STORAGE = 10047;
const NO_PEERS = 10005;
/** A single server was asked for several copies. */
const NO_REPLICAS = 10074;
const GIB = 2 ** 30;
/** A message has at most 256 KiB. */
const MAX_MESSAGE = 1 << 20;

export function streamName(cluster: string, partition: number): string {
  return `CCMS_${cluster}_${partition}`;
}

export function subjectOf(cluster: string, partition: number): string {
  return `ccms.${cluster}.p.${partition}`;
}

function bucketName(cluster: string): string {
  return `ccms_${cluster}`;
}

/** JetStream's code of an error; undefined: it is none of JetStream's. */
export function apiCode(error: unknown): number | undefined {
  return error instanceof NatsError ? error.jsError()?.err_code : undefined;
}

/** What JetStream says of an error, with its code; undefined: it is none of JetStream's. */
export function apiText(error: unknown): string | undefined {
  const found = error instanceof NatsError ? error.jsError() : null;
  return found ? `${found.description} (${found.err_code})` : undefined;
}

/** Whether a change of a key was refused because somebody else has changed it. */
export function isConflict(error: unknown): boolean {
  return apiCode(error) === WRONG_LAST_SEQUENCE;
}

/** Whether a stream has no message of that number. */
export function isNoMessage(error: unknown): boolean {
  return apiCode(error) === MESSAGE_TOO_OLD;
}

/** What all stores of a cluster agree on. */
export interface Layout {
  version: 1;
  /** Another cluster of the same name has another one. */
  identity: string;
  partitions: number;
  replicas: number;
  /** All streams were made once: one that is missing is lost. */
  made: boolean;
  /** Partitions whose stream was lost, and when it was made anew, as NATS says it. */
  lost: Record<number, string>;
}

/** Why a store can't be one of the cluster's. */
export class MembershipError extends Error {
  override readonly name = 'MembershipError';
}

/** NATS has no room for the streams, and will have none until somebody makes some. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
}

function gib(bytes: number): string {
  return `${Number((bytes / GIB).toFixed(1))} GiB`;
}

/** The layout's key. */
export const LAYOUT = 'layout';

/** Opens the bucket, making it if it is missing. @throws NatsError */
export async function openBucket(connection: NatsConnection, config: ClusterConfig): Promise<KV> {
  try {
    return await connection.jetstream().views.kv(bucketName(config.name), {
      history: 1,
      replicas: config.streamReplicas,
      storage: StorageType.File,
    });
  } catch (error) {
    throw withHint(error, config);
  }
}

/** Says which key of the configuration wants more than NATS has. */
function withHint(error: unknown, { name, partitions, streamReplicas, streamMaxBytes }: ClusterConfig): unknown {
  const code = apiCode(error);
  if (code === NO_STORAGE || code === NO_PEERS) {
    // Peers may be there in a moment.
    const Kind = code === NO_STORAGE ? NoRoom : Error;
    return new Kind(
      `NATS can't make the streams of cluster ${name}: ${errorText(error)} (${code}); ${partitions} streams of ` +
        `${streamMaxBytes} bytes want ${gib(partitions * streamMaxBytes)} of its file store set aside, in each of ` +
        `${streamReplicas} copies (cluster.stream-max-bytes; max_file_store of NATS)`,
      { cause: error },
    );
  }
  // Whatever else is wrong, a missing leader for one, may be over in a moment.
  if (code !== NO_REPLICAS) return error;
  return new MembershipError(
    `NATS can't keep ${streamReplicas} copies of a stream: ${errorText(error)} ` +
      '(cluster.stream-replicas; one NATS server needs 1)',
    { cause: error },
  );
}

/**
 * The cluster's layout, made or changed as the configuration says. @param identity of the data directory; undefined: it is of no
 * cluster yet. @throws MembershipError when the store does not belong to this cluster.
 */
export async function agreeOnLayout(
  bucket: KV,
  { name, partitions, replicas }: ClusterConfig,
  identity: string | undefined,
  log: Logger,
): Promise<Layout> {
  for (;;) {
    const entry = await bucket.get(LAYOUT);
    if (entry === null || entry.operation !== 'PUT') {
      // Who knows the cluster's identity already has lost the bucket, and the streams with it or not.
      const made = identity !== undefined;
      const layout: Layout = { version: 1, identity: identity ?? randomUUID(), partitions, replicas, made, lost: {} };
      if (await wins(bucket.create(LAYOUT, JSON.stringify(layout)))) {
        log.warn(`the cluster ${name} is new: ${partitions} partitions, ${replicas} copies of each`);
        return layout;
      }
      continue;
    }
    const layout = entry.json<Layout>();
    if (layout.version !== 1)
      throw new MembershipError(`cluster ${name} has a layout of version ${layout.version}, expected 1`);
    if (identity !== undefined && identity !== layout.identity) {
      throw new MembershipError(
        `the data directory is of another cluster (${identity}) than ${name} at NATS (${layout.identity}); empty it to join`,
      );
    }
    if (layout.partitions !== partitions) {
      throw new MembershipError(
        `cluster.partitions is ${partitions}, but cluster ${name} was made with ${layout.partitions}; that can't be changed`,
      );
    }
    if (layout.replicas === replicas) return layout;
    log.warn(`cluster ${name} had ${layout.replicas} copies of each partition; there will be ${replicas}`);
    const changed = { ...layout, replicas };
    if (await wins(bucket.update(LAYOUT, JSON.stringify(changed), entry.revision))) return changed;
  }
}

/** False: somebody else was faster. */
async function wins(change: Promise<number>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/**
 * Makes the streams that are missing, and gives the others the configured limit.
 * @returns the layout, which says which ones were lost.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  bucket: KV,
  config: ClusterConfig,
  log: Logger,
): Promise<Layout> {
  const { name, partitions, streamMaxBytes } = config;
  // Read before the streams are: what is missing then was lost, and not made by somebody else meanwhile.
  const wasMade = (await bucket.get(LAYOUT))?.json<Layout>().made === true;
  const limits = new Map<string, number>();
  for await (const stream of manager.streams.list(`ccms.${name}.p.*`))
    limits.set(stream.config.name, stream.config.max_bytes);
  const made: Record<number, string> = {};
  for (let partition = 0; partition < partitions; partition++) {
    const stream = streamName(name, partition);
    const limit = limits.get(stream) ?? (await limitOf(manager, stream));
    if (limit === undefined) {
      made[partition] = await makeStream(manager, config, partition);
    } else if (limit !== streamMaxBytes) {
      try {
        await manager.streams.update(stream, { max_bytes: streamMaxBytes });
      } catch (error) {
        throw withHint(error, config);
      }
    }
  }
  const count = Object.keys(made).length;
  if (count) log.info(`made ${count} streams of cluster ${name}`);
  return noteMade(bucket, wasMade ? made : {}, log);
}

/** Undefined: there is no such stream. One whose servers say nothing at the moment is not in the list. */
async function limitOf(manager: JetStreamManager, stream: string): Promise<number | undefined> {
  try {
    return (await manager.streams.info(stream)).config.max_bytes;
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Notes in the layout that all streams are there. @param remade partitions whose stream was there before, and when it was made anew. */
async function noteMade(bucket: KV, remade: Readonly<Record<number, string>>, log: Logger): Promise<Layout> {
  for (;;) {
    const entry = await bucket.get(LAYOUT);
    if (entry === null) throw new Error('the layout of the cluster is gone');
    const layout = entry.json<Layout>();
    const lost = Object.keys(remade).filter(
      (partition) => layout.lost[Number(partition)] !== remade[Number(partition)],
    );
    if (layout.made && !lost.length) return layout;
    if (lost.length) log.crit(`the streams of partitions ${lost.join(', ')} were lost, and are made anew`);
    const changed = { ...layout, made: true, lost: { ...layout.lost, ...remade } };
    if (await wins(bucket.update(LAYOUT, JSON.stringify(changed), entry.revision))) return changed;
  }
}

/** @returns when it was made, also if somebody else has just made it. */
async function makeStream(manager: JetStreamManager, config: ClusterConfig, partition: number): Promise<string> {
  const stream: Partial<StreamConfig> & { name: string } = {
    name: streamName(config.name, partition),
    subjects: [subjectOf(config.name, partition)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // Rather no write than one that is lost before all copies have it.
    discard: DiscardPolicy.New,
    max_bytes: config.streamMaxBytes,
    max_msg_size: MAX_MESSAGE,
    num_replicas: config.streamReplicas,
    deny_delete: true,
  };
  try {
    return (await manager.streams.add(stream)).created;
  } catch (error) {
    throw withHint(error, config);
  }
}
