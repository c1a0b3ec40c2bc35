/**
 * This store as one of several (docs/cluster.md): a connection to NATS over which it publishes what is written, follows the streams
 * of its copies and says that it lives; and the way to the other stores, for questions.
 *
 *   connecting ──▶ layout agreed ──▶ joined ──▶ copies opened, streams followed       lost connection ──▶ connecting
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager, NatsConnection } from 'nats';
import { errorText, type Logger, limited } from '../base/log.js';
import type { ClusterConfig, Config } from '../config/config.js';
import { NatsLink } from '../nats/connection.js';
import { newNatsState } from '../nats/state.js';
import type { CheckedLines } from '../store/line-checker.js';
import type { Membership } from '../store/membership.js';
import type { Pool } from '../store/pool.js';
import { AnswerBudget } from '../store/query/budget.js';
import type { Lines } from '../store/writes.js';
import { Copies, SAVE_MS } from './copies/copies.js';
import { TRIM_MS, Trimming } from './copies/trimming.js';
import { Gateway } from './gateway.js';
import { Holders } from './holders.js';
import { LocalHolder } from './local-holder.js';
import { agreementOf, formsOf } from './members/agreement.js';
import { readIdentity, writeIdentity } from './members/identity.js';
import { type Heartbeat, type Member, Members } from './members/members.js';
import { MESSAGE_VERSION } from './message.js';
import { Door } from './peers/door.js';
import { Peer } from './peers/peer.js';
import { Secret } from './peers/signature.js';
import { Retaining } from './retaining.js';
import { type ClusterFigures, type ClusterStatus, gaugesOf, healthOf, newFigures, statusOf } from './state.js';
import { StreamUpkeep } from './stream-upkeep.js';
import { agreeOnLayout, ensureStreams, type Layout, MembershipError, NoRoom, openBucket } from './streams.js';

/** A start without NATS goes on after that, with what it has. */
const WITHOUT_NATS_MS = 15_000;
const ADJUST_MS = 1_000;
const RETRY_MS = 1_000;
/** What changes within that is said in one heartbeat. */
const SOON_MS = 200;
/** A connection over which NATS has not taken a heartbeat for so long is of no use. */
const SILENT_SECONDS = 15;

export interface ClusterOptions {
  config: Config;
  cluster: ClusterConfig;
  pool: Pool;
  version: string;
  log: Logger;
  /** Told of what this store can't live with. */
  onFatal(error: Error): void;
}

export class Cluster implements Membership {
  readonly client: Holders;
  readonly secret: Secret;
  readonly door: Door;
  readonly retaining: Retaining;
  readonly figures: ClusterFigures = newFigures();
  readonly #options: ClusterOptions;
  readonly #members: Members;
  readonly #copies: Copies;
  readonly #trimming: Trimming;
  readonly #linkState = newNatsState();
  readonly #link: NatsLink;
  readonly #gateway: Gateway;
  readonly #upkeep: StreamUpkeep;
  readonly #peers = new Map<string, Peer>();
  readonly #budget = new AnswerBudget();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Names of the metrics that are taken. */
  #agreed: string;
  #connection: NatsConnection | undefined;
  #manager: JetStreamManager | undefined;
  #state: Heartbeat['state'] = 'active';
  /** Partitions whose stream was lost, and when it was made anew. */
  #lost: Layout['lost'] = {};
  #soon: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Of the cluster that the data directory is of. */
  #identity: string | undefined;
  /** Why NATS can't be used at the moment, although it is reached. */
  #refused: string | undefined;
  /** False: NATS is there and can't be used, which nobody need wait for. */
  #started: { resolve(isUsable: boolean): void; reject(error: Error): void } | undefined;

  /** Connects to nothing yet. @throws Error when the secret or NATS's address can't be read. */
  constructor(options: ClusterOptions) {
    const { config, cluster, pool, version, log } = options;
    if (!config.nats) throw new Error('BUG: a cluster without NATS passed the schema');
    this.#options = options;
    this.secret = new Secret(cluster.secretFile, log);
    const root = config.store.checkpoints.directory;
    this.#agreed = [...config.metrics.keys()].join('\n');
    this.#members = new Members({
      config: cluster,
      root,
      log,
      describe: () => ({
        state: this.#state,
        metrics: formsOf(config.metrics),
        acked: this.#gateway.acked,
        holds: this.#copies.holds,
        version,
        speaks: MESSAGE_VERSION,
      }),
      replaced: () =>
        options.onFatal(
          new Error(`another process is store ${cluster.id} of cluster ${cluster.name} now; this one ends`),
        ),
      laidOut: (layout) => this.#laidOut(layout),
      changed: () => {
        this.#agree();
        this.#copies.compare();
        void this.#adjust();
      },
    });
    this.#upkeep = new StreamUpkeep({ cluster, log, laidOut: (layout) => this.#laidOut(layout) });
    this.#gateway = new Gateway({
      config: cluster,
      members: this.#members,
      figures: this.figures,
      log,
      doubted: () => void this.#upkeep.look(),
    });
    this.#copies = new Copies({
      config: cluster,
      root,
      local: () => pool.local,
      members: this.#members,
      takeBuffer: (bytes) => pool.takeBuffer(bytes),
      peerOf: (member) => this.#peerOf(member),
      log,
      version,
      begun: () => this.#beatSoon(),
      fetched: (bytes) => {
        this.figures.bootstrapBytes += bytes;
      },
    });
    const local = new LocalHolder(this.#copies, this.#members);
    this.door = new Door(local, this.#copies, root, cluster.partitions);
    this.client = new Holders({
      id: cluster.id,
      members: this.#members,
      copies: this.#copies,
      local,
      peerOf: (member) => this.#peerOf(member),
      minimumOf: (partition, isStrong) => this.#gateway.minimumOf(partition, isStrong),
      command: (partition, head) => this.#gateway.command(partition, head),
      failedOver: () => {
        this.figures.failovers++;
      },
      answeredStale: () => {
        this.figures.staleAnswers++;
      },
    });
    this.retaining = new Retaining({
      id: cluster.id,
      pool,
      members: this.#members,
      copies: this.#copies,
      command: (partition, head) => this.#gateway.command(partition, head),
    });
    this.#trimming = new Trimming(cluster.name, cluster.id, this.#members, this.#copies);
    const failed = limited(log, 10);
    this.#link = new NatsLink(config.nats, this.#linkState, log, failed, (connection) => {
      void this.#connected(connection);
    });
  }

  #laidOut({ replicas, lost }: Layout): void {
    this.#copies.agree(replicas, lost);
    // Numbers of a stream that is no more would be waited for in vain.
    for (const [partition, made] of Object.entries(lost)) {
      if (this.#lost[Number(partition)] !== made) this.#gateway.forget(Number(partition));
    }
    this.#lost = lost;
  }

  #peerOf({ heartbeat: { url } }: Member): Peer {
    const known = this.#peers.get(url);
    if (known) return known;
    const peer = new Peer(url, this.secret, this.#budget);
    this.#peers.set(url, peer);
    return peer;
  }

  /**
   * Opens the copies that lie in the directory, and joins. Resolves when this store can answer, or NATS does not come.
   * @throws Error that says why it can't be a store of this cluster.
   */
  async start(): Promise<void> {
    const { log } = this.#options;
    const started = new Promise<boolean>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    // Awaited below; it may fail while the copies are opened.
    started.catch(() => {});
    this.#identity = readIdentity(this.#options.config.store.checkpoints.directory);
    await this.#copies.openExisting();
    void this.#link.run();
    this.#timers.push(
      setInterval(() => void this.#adjust(), ADJUST_MS),
      setInterval(() => this.#save(), SAVE_MS),
      setInterval(() => void this.#trim(), TRIM_MS),
    );
    const isUsable = await Promise.race([started, sleep(WITHOUT_NATS_MS, false, { ref: false })]);
    this.#started = undefined;
    if (isUsable) return;
    const why = this.#refused ?? this.#linkState.lastError ?? 'it has not answered yet';
    log.err(
      `NATS can't be used: ${why}; questions are answered with what this store has, writes are refused until then`,
    );
  }

  async #connected(connection: NatsConnection): Promise<void> {
    const { log, onFatal } = this.#options;
    let unwatch = (): void => {};
    void connection.closed().then(() => {
      unwatch();
      if (this.#connection === connection) {
        this.#connection = undefined;
        this.#manager = undefined;
        this.#upkeep.connect(undefined);
        this.#gateway.connect(undefined, undefined);
      }
    });
    // Its streams are where they were. With a server of NATS missing, all the rest may take longer than a write may wait.
    if (this.#members.hasJoined) {
      this.#gateway.connect(connection.jetstream(), await connection.jetstreamManager({ checkAPI: false }));
    }
    while (!connection.isClosed()) {
      try {
        unwatch = await this.#join(connection);
        this.#refused = undefined;
        this.#started?.resolve(true);
        return;
      } catch (error) {
        if (connection.isClosed()) return;
        if (error instanceof MembershipError) {
          if (this.#started) this.#started.reject(error);
          else onFatal(error);
          return;
        }
        this.#refused = errorText(error);
        log.warn(`NATS can't be used yet: ${this.#refused}`);
        if (error instanceof NoRoom) this.#started?.resolve(false);
        await sleep(RETRY_MS);
      }
    }
  }

  /** @returns what ends the watch of the members. */
  async #join(connection: NatsConnection): Promise<() => void> {
    const { config, cluster, log } = this.#options;
    const root = config.store.checkpoints.directory;
    const bucket = await openBucket(connection, cluster);
    const { identity } = await agreeOnLayout(bucket, cluster, this.#identity, log);
    if (this.#identity === undefined) writeIdentity(root, cluster.name, identity);
    this.#identity = identity;
    const manager = await connection.jetstreamManager({ checkAPI: false });
    const isMember = this.#members.hasJoined;
    if (!isMember) this.#laidOut(await ensureStreams(manager, bucket, cluster, log));
    const unwatch = await this.#members.watch(bucket);
    this.#connection = connection;
    this.#manager = manager;
    this.#upkeep.connect({ manager, bucket });
    this.#gateway.connect(connection.jetstream(), manager);
    this.#copies.follow(connection);
    if (isMember) void this.#upkeep.lookAtAll(() => connection.isClosed());
    // With copies of its own it answers, while it makes sure that nobody else has its id.
    if (this.#copies.all.size) this.#started?.resolve(true);
    await this.#members.join();
    // Others answer for what it has to copy from them first, which may take minutes.
    this.#started?.resolve(true);
    await this.#adjust();
    return unwatch;
  }

  /** Takes lines of those metrics only that all living stores have. */
  #agree(): void {
    const { config, pool, log } = this.#options;
    const alive = this.#members.others.filter((member) => this.#members.isAlive(member));
    const { names, missing } = agreementOf(formsOf(config.metrics), alive);
    const text = names.join('\n');
    if (text === this.#agreed) return;
    this.#agreed = text;
    for (const { metric, store } of missing) {
      log.warn(`lines of metric ${metric} are skipped: store ${store} does not have it in this form`);
    }
    pool.acceptMetrics(new Set(names));
  }

  #adjust(): Promise<void> {
    // A watch, or a connection, that has died without a word: a new connection gets a new watch.
    const isSilent = this.#members.secondsSinceBeat > SILENT_SECONDS || !this.#members.seesItself;
    if (this.#connection && this.#members.hasJoined && isSilent) {
      this.#options.log.warn('the heartbeats of this store do not come back to it: it connects anew');
      void this.#connection.close();
    }
    this.#copies.compare();
    return this.#copies.adjust();
  }

  /** Others learn what has changed here, without a heartbeat for each copy. */
  #beatSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#members.beat();
    }, SOON_MS).unref();
  }

  #save(): void {
    this.#saving = this.#saving.then(() => this.#copies.save());
  }

  async #trim(): Promise<void> {
    if (!this.#manager || this.#members.isCutOff) return;
    try {
      await this.#trimming.run(this.#manager);
    } catch (error) {
      this.#options.log.warn(`a stream can't be trimmed: ${errorText(error)}`);
    }
  }

  publish(lines: Lines, checked: CheckedLines): Promise<void> {
    return this.#gateway.publish(lines, checked);
  }

  /**
   * To be called when a request comes. @returns what says, once its answer is there, since how many seconds it may lack what was
   * written; undefined: no copy has answered meanwhile that may lack something, neither this request nor another one.
   */
  staleness(): () => number | undefined {
    const before = this.figures.staleAnswers;
    return () =>
      this.figures.staleAnswers > before ? Math.min(this.#members.secondsSinceBeat, process.uptime()) : undefined;
  }

  /** What the HTTP routes need. */
  get api() {
    return {
      problem: this.secret.problem.bind(this.secret),
      answer: this.door.answer.bind(this.door),
      rest: this.door.rest.bind(this.door),
      file: this.door.file.bind(this.door),
      status: () => this.status,
      staleness: () => this.staleness(),
      drain: () => this.drain(),
      acceptLoss: (partition: number) => this.acceptLoss(partition),
    };
  }

  get health(): Record<string, string | number | null> {
    return healthOf(this.status);
  }

  get gauges() {
    return gaugesOf(this.status, this.figures, this.#copies, this.#members.isCutOff);
  }

  get status(): ClusterStatus {
    const { cluster } = this.#options;
    return statusOf(cluster, this.#members, this.#copies, this.#state);
  }

  /** Gives all partitions up, to others; `status` says when that is done. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    await this.#members.beat();
  }

  /** @returns why not; undefined: the partition goes on without what is lost of it. */
  acceptLoss(partition: number): string | undefined {
    return this.#copies.acceptLoss(partition);
  }

  /** Tells the others that this store ends; they are asked from now on. */
  async leave(): Promise<void> {
    if (this.#state === 'active') this.#state = 'leaving';
    await this.#members.beat();
  }

  /** Ends what changes the partitions. To be called before the pool is stopped. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#saving;
    await this.#copies.stop();
    this.#state = 'stopped';
    await this.#members.stop();
    await this.#link.close();
    for (const peer of this.#peers.values()) peer.close();
  }
}
