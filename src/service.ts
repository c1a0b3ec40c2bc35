/**
 * The running server: what is started, in which order, and stopped in reverse.
 *
 *   port and NATS's subjects (take writes) → partitions loaded (answer) → what was written meanwhile applied →
 *   NATS's streams, retention → READY
 *
 * The store is open before the port is (server.ts), unless the process becomes another user: then port → privileges → store.
 *
 * What is not needed to answer the first query (NATS, archives, Swagger, tokens where there are none) is imported when it is
 * needed: reading modules is most of a start without data.
 */
import type { Server as TlsServer } from 'node:https';
import { fileURLToPath } from 'node:url';
import { settleHeap } from './base/heap.js';
import { limited, logger } from './base/log.js';
import type { Cluster } from './cluster/cluster.js';
import type { Flags } from './commands/cli.js';
import type { Config } from './config/config.js';
import type { EarlyPort } from './early-port.js';
import { type HttpServer, startHttp } from './http/server.js';
import type { NatsIngest } from './nats/ingest.js';
import { natsHealth, natsStatus } from './nats/state.js';
import { within } from './nats/within.js';
import { type OpenStore, openStore } from './open-store.js';
import { dumpToFile } from './ops/dump-file.js';
import { sdNotify, startWatchdog } from './ops/sd-notify.js';
import { loadTls } from './ops/tls.js';
import { JobTimes } from './persistence/job-times.js';
import { MetricUnits } from './persistence/metric-units.js';
import { type Reloadable, reloadOnHangup } from './reload.js';
import { type MemoryCap, startMemoryCap } from './retention/memory-cap.js';
import { type OwnClock, startOwnClock } from './retention/own-clock.js';
import { type Retention, startRetention } from './retention/retention.js';
import type { Pool } from './store/pool.js';
import { createTelemetry, type Telemetry } from './telemetry/telemetry.js';
import { buildInfo } from './version.js';

const log = logger('server');
/** Between two lines about requests that failed by the server's own fault. */
const HTTP_LOG_SECONDS = 10;
/** How long a stop waits for what is not lost without. */
const UNITS_MS = 1_000;

export interface ServiceOptions {
  config: Config;
  flags: Flags;
  pool: Pool;
  /** The pool's, if it is open already; absent: it is opened once the port is bound. */
  store?: OpenStore;
  /** If it is bound already. */
  port?: EarlyPort;
  /** That the store is of; absent: it is alone. */
  cluster?: Cluster;
}

export class Service {
  readonly #config: Config;
  readonly #flags: Flags;
  readonly #pool: Pool;
  readonly #telemetry: Telemetry;
  readonly #units: MetricUnits;
  #http: HttpServer | undefined;
  #store: OpenStore | undefined;
  readonly #port: EarlyPort | undefined;
  readonly #cluster: Cluster | undefined;
  #nats: NatsIngest | undefined;
  #retention: Retention | undefined;
  #memoryCap: MemoryCap | undefined;
  #ownClock: OwnClock | undefined;
  readonly #undo: (() => void)[] = [];

  constructor({ config, flags, pool, store, port, cluster }: ServiceOptions) {
    this.#config = config;
    this.#cluster = cluster;
    this.#flags = flags;
    this.#pool = pool;
    this.#store = store;
    this.#port = port;
    this.#units = new MetricUnits(config.store.checkpoints.directory, logger('units'), () => pool.units());
    const { version, commit } = buildInfo();
    this.#telemetry = createTelemetry({
      store: this.#pool,
      log: logger('telemetry'),
      version,
      commit,
      clockIsTrusted: () => this.#ownClock?.problem === undefined,
      config: config.store,
      nats: () => this.#nats?.state,
      ...(cluster && { cluster: () => cluster.gauges }),
    });
  }

  /** Resolves once the store answers. @throws Error that says what could not be started. */
  async start(): Promise<void> {
    let started = (): void => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    // Listens at once, for the signal would end the process; what it asks for waits.
    this.#undo.push(reloadOnHangup(running, this.#config, this.#flags, this.#reloadable));
    await this.#listen();
    this.#store ??= openStore(this.#config, this.#pool, this.#cluster);
    this.#ownClock = startOwnClock(this.#pool, logger('clock'));
    await this.#startNats();
    await this.#store.ready;
    this.#startClock();
    settleHeap();
    log.info(`listening on ${this.#config.main.host}:${this.#http?.port}`);
    await sdNotify('READY=1');
    started();
    const warming = this.#http?.warmUp((error) => log.debug('warming up failed, it is tried again later', error));
    if (warming) this.#undo.push(warming);
    this.#undo.push(
      startWatchdog({ isAlive: async () => (await this.#pool.stats()).length > 0 || this.#cluster !== undefined }),
    );
  }

  async #listen(): Promise<void> {
    const { tls: files } = this.#config.main;
    const { version, commit } = buildInfo();
    const tls = files && loadTls(files);
    this.#http = await startHttp({
      store: this.#pool,
      config: this.#config,
      ...(this.#port && { port: this.#port }),
      pageDirectory: fileURLToPath(new URL('./web', import.meta.url)),
      ...(this.#flags.dev && { swaggerDirectory: fileURLToPath(new URL('./swagger', import.meta.url)) }),
      version,
      commit,
      // A client can provoke the same failure at any rate.
      log: limited(logger('http'), HTTP_LOG_SECONDS),
      ...(tls && { tls }),
      metrics: () => this.#telemetry.metrics(),
      observe: (route, seconds, status, bytes) => this.#telemetry.observe(route, seconds, status, bytes),
      observeQuery: (figures) => this.#telemetry.query(figures),
      nats: () => this.#nats && natsStatus(this.#nats.state),
      units: () => this.#units.all(),
      ...(this.#cluster && { cluster: this.#cluster.api }),
      healthDetail: () => ({
        ...this.#cluster?.health,
        ...(this.#nats && natsHealth(this.#nats.state)),
        ...(this.#ownClock?.problem && { clock: this.#ownClock.problem }),
        ...(this.#pool.missing.length > 0 && { missing: some(this.#pool.missing) }),
        ...(this.#pool.withoutLog.length > 0 && { log: logProblem(this.#pool.withoutLog) }),
      }),
    });
  }

  /** What runs by the clock. */
  #startClock(): void {
    const config = this.#config;
    const retaining = this.#cluster?.retaining;
    this.#memoryCap = startMemoryCap(retaining?.capped ?? this.#pool, config, logger('memory'), (blocks) =>
      this.#telemetry.freed(blocks),
    );
    this.#retention = startRetention({
      store: retaining?.retained ?? this.#pool,
      config,
      log: logger('retention'),
      times: new JobTimes(config.store.checkpoints.directory, logger('retention')),
      cleanup: async () => {
        const { cleanUp } = await import('./retention/cleanup.js');
        await cleanUp(config, this.#pool.local, logger('cleanup'));
      },
      onJob: (job, seconds, failed) => {
        this.#telemetry.job(job, seconds, failed);
        if (job === 'checkpoint') void this.#noteUnits();
      },
      onFreed: (blocks) => this.#telemetry.freed(blocks),
    });
  }

  /** Writes down which units have come. Nothing is lost without: the next series that sends brings its unit again. */
  async #noteUnits(): Promise<void> {
    await this.#units.all().catch((error: unknown) => log.debug('units of metrics were not noted', error));
  }

  async #stopClock(): Promise<void> {
    await this.#memoryCap?.stop();
    await this.#retention?.stop();
  }

  async #startNats(): Promise<void> {
    const { nats, store } = this.#config;
    this.#nats = undefined;
    if (!nats || !store.natsSubscriptions.length) return;
    const { startNats } = await import('./nats/ingest.js');
    const { cluster } = this.#config;
    this.#nats = startNats(nats, store.natsSubscriptions, this.#pool, store.checkpoints.directory, logger('nats'), {
      ...(this.#store && { loaded: this.#store.ready }),
      // In a cluster each message reaches one store, which publishes it for all.
      ...(cluster && { queue: `ccms-${cluster.name}` }),
    });
  }

  /** What a fresh configuration can change; `this.#config` says how it is by then. */
  get #reloadable(): Reloadable {
    return {
      store: (change) => this.#pool.reconfigure(change),
      clock: async () => {
        await this.#stopClock();
        this.#startClock();
      },
      nats: async () => {
        await this.#nats?.drain();
        await this.#startNats();
      },
      key: async (key) => this.#http?.setKey(key),
      certificate: (fresh) => {
        if (this.#http) (this.#http.server as TlsServer).setSecureContext(fresh);
      },
      secret: () => this.#cluster?.secret.reload(logger('cluster')),
    };
  }

  /** Stops accepting, finishes what is in flight, writes everything, gives the directory back. */
  async stop(): Promise<void> {
    await sdNotify('STOPPING=1');
    for (const undo of this.#undo) undo();
    await this.#nats?.drain();
    await this.#cluster?.leave();
    await this.#http?.close();
    // Other stores of a cluster may be stopping too.
    await within(UNITS_MS, this.#noteUnits());
    await this.#ownClock?.stop();
    await this.#stopClock();
    if (this.#config.main.dumpToFile) await dumpToFile(this.#pool, this.#config.main.dumpToFile, log);
    await this.#cluster?.stop();
    await this.#pool.stop();
    this.#telemetry.close();
    this.#store?.lock.release();
  }
}

/** Lines of a list that are said of it. */
const SOME = 5;

function some(lines: readonly string[]): string {
  const more = lines.length - SOME;
  return `${lines.slice(0, SOME).join('; ')}${more > 0 ? `; and ${more} more, which the server's log names` : ''}`;
}

/** Without the reason, which names a path: everybody may ask for the health. */
function logProblem(partitions: readonly number[]): string {
  return `the log of partition ${partitions.join(', ')} can't be written, writes are refused; the reason is in the server's log`;
}
