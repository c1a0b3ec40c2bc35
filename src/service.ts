/**
 * The running server: what is started, in which order, and stopped in reverse.
 *
 *   port (answers 503 "loading") → privileges → lock → partitions loaded → NATS, retention → READY
 */
import type { Server as TlsServer } from 'node:https';
import type { Config } from './config/config.js';
import { Pool } from './core/pool.js';
import { settleHeap } from './heap.js';
import { type HttpServer, startHttp } from './http/server.js';
import { limited, logger } from './log.js';
import { type NatsIngest, startNats } from './nats/ingest.js';
import { natsHealth } from './nats/state.js';
import { acquireLock, type Lock } from './ops/lock.js';
import { dropPrivileges, lookUpIdentity, makeOwnedDirectory } from './ops/privileges.js';
import { sdNotify, startWatchdog } from './ops/sd-notify.js';
import { loadTls, reloadTlsOnHangup } from './ops/tls.js';
import { cleanUp } from './persistence/cleanup.js';
import { dumpToFile } from './persistence/dump-file.js';
import { keepJsonWindowSeconds } from './persistence/json-windows.js';
import { supersede } from './persistence/supersede.js';
import { type MemoryCap, startMemoryCap } from './retention/memory-cap.js';
import { type Retention, startRetention } from './retention/retention.js';
import { createTelemetry, type Telemetry } from './telemetry/telemetry.js';
import { buildInfo } from './version.js';

const log = logger('server');
/** Between two lines about requests that failed by the server's own fault. */
const HTTP_LOG_SECONDS = 10;

export class Service {
  readonly #config: Config;
  readonly #dev: boolean;
  readonly #pool: Pool;
  readonly #telemetry: Telemetry;
  #http: HttpServer | undefined;
  #lock: Lock | undefined;
  #nats: NatsIngest | undefined;
  #retention: Retention | undefined;
  #memoryCap: MemoryCap | undefined;
  readonly #undo: (() => void)[] = [];

  constructor(config: Config, dev: boolean) {
    this.#config = config;
    this.#dev = dev;
    this.#pool = new Pool({
      config,
      log: logger('store'),
      modulePath: new URL('./core.wasm', import.meta.url),
      onFatal: (error) => {
        log.crit('a part of the store is gone, so the server ends; what was acknowledged is in the log', error);
        process.exit(1);
      },
    });
    const { version, commit } = buildInfo();
    this.#telemetry = createTelemetry({
      store: this.#pool,
      log: logger('telemetry'),
      version,
      commit,
      memoryCapBytes: config.store.memoryCapBytes,
      checkpointIntervalSeconds: config.store.checkpointIntervalSeconds,
      ...(config.nats && { nats: () => this.#nats?.state }),
    });
  }

  /** Resolves once the store answers. @throws Error that says what could not be started. */
  async start(): Promise<void> {
    await this.#listen();
    const { main, store } = this.#config;
    const identity = lookUpIdentity(main.user, main.group);
    makeOwnedDirectory(store.checkpoints.directory, identity);
    if (store.cleanup.mode === 'archive') makeOwnedDirectory(store.cleanup.directory, identity);
    dropPrivileges(identity);
    this.#lock = acquireLock(store.checkpoints.directory);
    keepJsonWindowSeconds(store);
    await this.#pool.start(() => supersede(this.#config, logger('store')));
    this.#startJobs();
    settleHeap();
    log.info(`listening on ${main.host}:${this.#http?.port}`);
    await sdNotify('READY=1');
    this.#http?.warmUp().catch((error: unknown) => log.debug('warming up ended early', error));
    this.#undo.push(startWatchdog({ isAlive: async () => (await this.#pool.stats()).length > 0 }));
  }

  async #listen(): Promise<void> {
    const { tls: files } = this.#config.main;
    const tls = files && loadTls(files);
    this.#http = await startHttp({
      store: this.#pool,
      config: this.#config,
      dev: this.#dev,
      version: buildInfo().version,
      // A client can provoke the same failure at any rate.
      log: limited(logger('http'), HTTP_LOG_SECONDS),
      ...(tls && { tls }),
      metrics: () => this.#telemetry.metrics(),
      observe: (route, seconds, status, bytes) => this.#telemetry.observe(route, seconds, status, bytes),
      healthDetail: () => (this.#nats ? natsHealth(this.#nats.state) : {}),
    });
    const { server } = this.#http;
    this.#undo.push(reloadTlsOnHangup(files, (fresh) => (server as TlsServer).setSecureContext(fresh)));
  }

  #startJobs(): void {
    const config = this.#config;
    this.#memoryCap = startMemoryCap(this.#pool, config, logger('memory'), (blocks) => this.#telemetry.freed(blocks));
    this.#retention = startRetention({
      store: this.#pool,
      config,
      log: logger('retention'),
      cleanup: () => cleanUp(config, this.#pool, logger('cleanup')),
      onJob: (job, seconds, failed) => this.#telemetry.job(job, seconds, failed),
      onFreed: (blocks) => this.#telemetry.freed(blocks),
    });
    if (config.nats && config.store.natsSubscriptions.length) {
      this.#nats = startNats(config.nats, config.store.natsSubscriptions, this.#pool, logger('nats'));
    }
  }

  /** Stops accepting, finishes what is in flight, writes everything, gives the directory back. */
  async stop(): Promise<void> {
    await sdNotify('STOPPING=1');
    for (const undo of this.#undo) undo();
    await this.#nats?.drain();
    await this.#http?.close();
    await this.#memoryCap?.stop();
    await this.#retention?.stop();
    if (this.#config.main.dumpToFile) await dumpToFile(this.#pool, this.#config.main.dumpToFile, log);
    await this.#pool.stop();
    this.#telemetry.close();
    this.#lock?.release();
  }
}
