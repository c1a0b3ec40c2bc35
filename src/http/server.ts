import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { SecureVersion } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { type Address, listenAddress } from '../config/address.js';
import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import { errorHeaders, JSON_TYPE, send } from './answer.js';
import { makeApp, routesOf } from './app.js';
import { Authenticator } from './auth.js';
import { ReceiveBudget } from './body/body.js';
import { Connections, lacksHost, portOf, serverOptions } from './connection/connections.js';
import { connectToSelf } from './connection/self-connection.js';
import { errorBody } from './errors.js';
import type { ClusterApi, Figures, HttpContext, HttpLog, Observe, ObserveQuery } from './route.js';
import { type WarmUpOptions, warmUpWhenIdle } from './warm-up.js';
import { Writers } from './writers.js';

export interface HttpOptions {
  store: Store;
  config: Config;
  /** The port, if it is bound already; absent: `config.main` says which. */
  port?: { handOver(server: Server): Promise<void> };
  /** Swagger UI's files: dist/swagger. Absent: neither they nor the OpenAPI document are served. */
  swaggerDirectory?: string;
  /** The built page: dist/web. */
  pageDirectory: string;
  version: string;
  /** Abbreviated git hash; absent: unknown. */
  commit?: string;
  log: HttpLog;
  /** PEM texts; absent: plain HTTP. */
  tls?: { key: string | Buffer; cert: string | Buffer; minVersion: SecureVersion };
  /** Prometheus text of /metrics; absent: no such route. */
  metrics?: () => Promise<string>;
  /** Figures of NATS; absent, or undefined: not configured, or not started. */
  nats?: () => Figures | undefined;
  /** Units of metrics that lines have brought; absent: none are known. */
  units?: () => Promise<ReadonlyMap<string, string>>;
  /** Further members of /healthz's answer. */
  healthDetail?: () => Record<string, string | number | boolean | null>;
  observe?: Observe;
  observeQuery?: ObserveQuery;
  /** Absent: this store is alone. */
  cluster?: ClusterApi;
}

export interface HttpServer {
  server: Server | TlsServer;
  /** The port it listens on, also when the config asked for port 0. */
  port: number;
  /** Tokens are checked against another key from now on; undefined: none are asked for. */
  setKey(publicKey: Uint8Array | undefined): Promise<void>;
  /** Has V8 optimise what queries pass, once there is data and time. @returns what gives that up. */
  warmUp(failed: WarmUpOptions['failed'], look?: WarmUpOptions['look']): () => void;
  /** Stops accepting, answers what is in flight, closes all connections. */
  close(): Promise<void>;
}

/** Milliseconds that requests in flight are given to finish. */
const CLOSE_GRACE = 30_000;

/** Milliseconds for a TLS handshake. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Bodies being received hold at most this together, or four of the longest allowed. */
const RECEIVE_BYTES = 256 << 20;

/**
 * Serves the HTTP API. Resolves once the port is bound.
 * @throws Error that names `main.addr` when it cannot be bound.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { store, config, version, log } = options;
  const context: HttpContext = {
    store,
    config,
    version,
    commit: options.commit ?? 'unknown',
    swaggerDirectory: options.swaggerDirectory,
    pageDirectory: options.pageDirectory,
    log,
    startedAt: Date.now(),
    authenticator: await authenticatorOf(config.main.jwtPublicKey),
    ownSockets: new WeakSet(),
    budget: new ReceiveBudget(Math.max(RECEIVE_BYTES, 4 * config.store.maxBodySize)),
    writers: new Writers(),
    metrics: options.metrics,
    nats: options.nats,
    units: options.units,
    healthDetail: options.healthDetail,
    observe: options.observe,
    observeQuery: options.observeQuery,
    cluster: options.cluster,
  };
  const listener = makeListener(context);
  const server =
    options.tls === undefined
      ? createServer(serverOptions)
      : createTlsServer({ ...serverOptions, ...options.tls, handshakeTimeout: HANDSHAKE_TIMEOUT });
  const connections = new Connections(server, (status) => options.observe?.('malformed', 0, status, 0));
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    connections.begin(incoming, outgoing);
    listener(incoming, outgoing);
  };
  server.on('request', onRequest);
  // The body reader says `100 Continue` itself, after the checks that need no body.
  server.on('checkContinue', onRequest);
  await (options.port ? options.port.handOver(server) : listen(server, config.main));
  server.on('error', (error) => log.err('the HTTP server failed', error));
  return {
    server,
    port: portOf(server),
    warmUp: (failed, look) =>
      warmUpWhenIdle({
        store,
        metrics: [...config.metrics.keys()],
        retentionSeconds: config.store.retentionSeconds,
        connect: async () => {
          const { near, far } = await connectToSelf(server);
          context.ownSockets.add(far);
          return near;
        },
        isBusy: () => connections.inFlight > 0,
        failed,
        ...(look && { look }),
      }),
    setKey: async (publicKey) => {
      context.authenticator = await authenticatorOf(publicKey);
    },
    close: async () => {
      const unfinished = await connections.close(CLOSE_GRACE);
      if (unfinished > 0)
        log.err(`${unfinished} request(s) did not end within ${CLOSE_GRACE / 1000} s and were cut off`);
    },
  };
}

async function authenticatorOf(publicKey: Uint8Array | undefined): Promise<Authenticator | undefined> {
  return publicKey === undefined ? undefined : await Authenticator.create(publicKey);
}

/** Hono behind Node's server. Requests that make no URL are refused here, before Hono sees them. */
function makeListener(context: HttpContext): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const app = makeApp(routesOf(context), context);
  const listener = getRequestListener(app.fetch, {
    // For HTTP/1.0, which may leave the Host header out.
    hostname: 'localhost',
    overrideGlobalObjects: false,
    // Unread bodies are `unread.ts`'s matter.
    autoCleanupIncoming: false,
    errorHandler: (error) => {
      const message = error instanceof Error ? error.message : String(error);
      return new Response(errorBody(400, `bad request target or Host header: ${message}`), {
        status: 400,
        headers: errorHeaders(),
      });
    },
  });
  return (incoming, outgoing) => {
    if (lacksHost(incoming)) {
      const exchange = { incoming, outgoing, param: () => undefined, segment: () => undefined, received: 0, sent: 0 };
      send(exchange, 400, JSON_TYPE, errorBody(400, 'the Host header is missing'));
      return;
    }
    void listener(incoming, outgoing);
  };
}

async function listen(server: Server | TlsServer, { host, port }: Address): Promise<void> {
  try {
    const found = await listenAddress(host);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(found !== undefined && { host: found }) }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    throw new Error(`main.addr: cannot listen on ${host}:${port}: ${cause.code ?? cause.message}`, { cause });
  }
}
