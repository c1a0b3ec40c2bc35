/**
 * What this store publishes, for itself and for clients: one publisher a partition, and how far each stream is by what was
 * acknowledged here and elsewhere.
 */
import type { JetStreamClient, JetStreamManager } from 'nats';
import { errorText, type Logger, limited } from '../base/log.js';
import type { ClusterConfig } from '../config/config.js';
import type { CheckedLines } from '../store/line-checker.js';
import { StoreError } from '../store/store.js';
import type { Lines } from '../store/writes.js';
import type { Members } from './members/members.js';
import { encodeHead, type Head } from './message.js';
import type { Minimum } from './peers/peer.js';
import { Publisher } from './publisher.js';
import type { ClusterFigures } from './state.js';
import { apiText, streamName, subjectOf } from './streams.js';

const MOST_OVERTAKEN = 16;
/** Of one try; the election of a stream's leader takes 4 to 9 s. */
const ACKNOWLEDGED_MS = 5_000;
const LOG_SECONDS = 10;

export interface GatewayOptions {
  config: ClusterConfig;
  members: Members;
  figures: ClusterFigures;
  log: Logger;
  /** A message was not acknowledged: its stream may be lost. */
  doubted(): void;
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #publishers: readonly Publisher[];
  /** Last message of each partition that was acknowledged here. */
  readonly #acked = new Map<number, number>();
  #jetstream: JetStreamClient | undefined;
  #manager: JetStreamManager | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { partitions } = options.config;
    this.#publishers = Array.from({ length: partitions }, (_, partition) => this.#makePublisher(partition));
  }

  /** Publishes over a new connection from now on; without one, publishing waits for the next. */
  connect(jetstream: JetStreamClient | undefined, manager: JetStreamManager | undefined): void {
    this.#jetstream = jetstream;
    this.#manager = manager;
  }

  #makePublisher(partition: number): Publisher {
    const { config, figures, log, doubted } = this.#options;
    const stream = streamName(config.name, partition);
    const warned = limited(log, LOG_SECONDS);
    return new Publisher({
      subject: subjectOf(config.name, partition),
      stream,
      publish: (subject, data, timeout) => {
        if (!this.#jetstream) return Promise.reject(new Error('no connection to NATS'));
        return this.#jetstream.publish(subject, data, { timeout: Math.min(timeout, ACKNOWLEDGED_MS) });
      },
      acknowledged: (seq, seconds) => {
        const last = this.#acked.get(partition) ?? 0;
        // A stream that was made anew begins at 1; acknowledgements that overtake each other are of a few numbers.
        this.#acked.set(partition, seq < last - MOST_OVERTAKEN ? seq : Math.max(seq, last));
        figures.published(seconds);
      },
      failed: (error) => {
        figures.publishFailures++;
        warned.warn(`stream ${stream} has not acknowledged a message: ${apiText(error) ?? errorText(error)}`);
        doubted();
      },
    });
  }

  #publisherOf(partition: number): Publisher {
    const publisher = this.#publishers[partition];
    if (!publisher) throw new Error(`BUG: there is no partition ${partition}`);
    return publisher;
  }

  /** Last message of each partition that was acknowledged here. */
  get acked(): Record<number, number> {
    return Object.fromEntries(this.#acked);
  }

  /** The partition's stream was made anew: numbers of the old one would be waited for in vain. */
  forget(partition: number): void {
    this.#acked.delete(partition);
  }

  /** Resolves once every good line of a body is in its stream. Rejects UNAVAILABLE. */
  async publish({ body, length, cluster, perSecond, fields }: Lines, { runs, now }: CheckedLines): Promise<void> {
    const head = this.#encode({ kind: 'lines', cluster, perSecond, fields, now });
    const text = new Uint8Array(body, 0, length);
    const byPartition = new Map<number, Uint8Array[]>();
    for (const { partition, offset, length: bytes } of runs) {
      const lines = byPartition.get(partition);
      const run = text.subarray(offset, offset + bytes);
      if (lines) lines.push(run);
      else byPartition.set(partition, [run]);
    }
    // All of them, for the body is not free before.
    const settled = await Promise.allSettled(
      [...byPartition].map(([partition, lines]) => this.#publisherOf(partition).lines(head, lines)),
    );
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Publishes a command. @returns its number. Rejects UNAVAILABLE. */
  command(partition: number, head: Head): Promise<number> {
    return this.#publisherOf(partition).command(this.#encode(head));
  }

  /** In the version that all members read. */
  #encode(head: Head): string {
    return encodeHead(head, this.#options.members.version);
  }

  /** Message that an answer must contain: what anybody was acknowledged, as far as it is known here; strong: all there is. */
  async minimumOf(partition: number, isStrong: boolean): Promise<Minimum> {
    const { config, members } = this.#options;
    if (isStrong) return this.#lastOf(partition);
    if (config.readConsistency === 'strong' && !members.isCutOff) return this.#lastOf(partition);
    let minimum = this.#acked.get(partition) ?? 0;
    for (const { heartbeat } of members.others) minimum = Math.max(minimum, heartbeat.acked[partition] ?? 0);
    return { seq: minimum };
  }

  /** Last message of a partition's stream, by the word of NATS. Rejects UNAVAILABLE. */
  async #lastOf(partition: number): Promise<Minimum> {
    const stream = streamName(this.#options.config.name, partition);
    try {
      if (!this.#manager) throw new Error('no connection to NATS');
      const { created, state } = await this.#manager.streams.info(stream);
      return { seq: state.last_seq, created };
    } catch (error) {
      const text = `stream ${stream} does not say how far it is, which a strong answer needs: ${errorText(error)}`;
      throw new StoreError('UNAVAILABLE', text, { cause: error });
    }
  }
}
