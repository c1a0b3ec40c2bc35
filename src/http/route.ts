import type { Socket } from 'node:net';
import type { GenericSchema } from 'valibot';
import type { Logger } from '../base/log.js';
import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import type { Authenticator } from './auth.js';
import type { ReceiveBudget } from './body/body.js';
import type { HttpError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Writers } from './writers.js';

/** Where the HTTP layer reports what it cannot tell a client. */
export type HttpLog = Pick<Logger, 'err'>;

/**
 * Called once a request, after its answer was handed to the socket.
 * @param route the route's path; `unknown` for paths that no route has, `malformed` for what was no HTTP request.
 * @param status what was answered; 499 when the client left before its request was complete.
 * @param bytes body bytes received plus sent.
 */
export type Observe = (route: string, seconds: number, status: number, bytes: number) => void;

/** Why a PromQL query was not answered. */
export type QueryRefusal = 'query' | 'execution' | 'limit' | 'timeout' | 'canceled' | 'busy';

/** One PromQL query, once it is answered or refused. */
export interface QueryFigures {
  /** Seconds of its phases, as far as it came. */
  readonly seconds: Readonly<Partial<Record<'queue' | 'evaluation' | 'answer', number>>>;
  /** Samples that its selectors and windows looked at. */
  readonly samples: number;
  readonly refusal: QueryRefusal | undefined;
}

export type ObserveQuery = (figures: QueryFigures) => void;

/** What another part of the server says about itself, ready for an answer. */
export type Figures = Readonly<Record<string, string | number | boolean | null>>;

/** What the routes of a cluster ask of it (src/cluster). */
export interface ClusterApi {
  /** Why a request of another store is refused; undefined: it is signed as it must be. */
  problem(method: string, path: string, authorization: string | undefined, body: Uint8Array): string | undefined;
  /** Answers another store. Never rejects. */
  answer(what: 'query' | 'call' | 'snapshot', body: Uint8Array): Promise<Uint8Array>;
  /** The rest of an answer; undefined: there is none of that name. */
  rest(token: string): AsyncIterable<Uint8Array> | undefined;
  /** A file of a partition; undefined: there is none of that name. */
  file(partition: number, name: string): AsyncIterable<Uint8Array> | undefined;
  /** Members, partitions, copies. */
  status(): unknown;
  /** To be called when a request comes. @returns see `Exchange.staleSeconds`. */
  staleness(): () => number | undefined;
  /** Gives all partitions to others. */
  drain(): Promise<void>;
  /** Goes on without what is lost of a partition. @returns why not; undefined: it does. */
  acceptLoss(partition: number): string | undefined;
}

/** What every route may use. Fixed once the server is made. */
export interface HttpContext {
  readonly store: Store;
  readonly config: Config;
  readonly version: string;
  /** Abbreviated git hash; `unknown` without git. */
  readonly commit: string;
  /** Swagger UI's files: dist/swagger. Absent: neither they nor the OpenAPI document are served. */
  readonly swaggerDirectory: string | undefined;
  /** The built page: dist/web. */
  readonly pageDirectory: string;
  readonly log: HttpLog;
  /** Unix milliseconds at which the server was made. */
  readonly startedAt: number;
  /** Absent: no authentication. */
  authenticator: Authenticator | undefined;
  readonly budget: ReceiveBudget;
  readonly writers: Writers;
  /** The server's ends of connections to itself: requests on them need no token and are not counted. */
  readonly ownSockets: WeakSet<Socket>;
  /** Prometheus text; absent: no /metrics. */
  readonly metrics: (() => Promise<string>) | undefined;
  /** Figures of NATS; absent, or undefined: not configured, or not started. */
  readonly nats: (() => Figures | undefined) | undefined;
  /** Further members of /healthz's answer, such as the state of NATS. */
  /** Units of metrics that lines have brought; absent: none are known. */
  readonly units: (() => Promise<ReadonlyMap<string, string>>) | undefined;
  readonly healthDetail: (() => Record<string, string | number | boolean | null>) | undefined;
  readonly observe: Observe | undefined;
  readonly observeQuery: ObserveQuery | undefined;
  /** Absent: this store is alone. */
  readonly cluster: ClusterApi | undefined;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

export interface Parameter {
  name: string;
  in: 'query' | 'path';
  description: string;
  required?: boolean;
  schema: { type: 'string' | 'integer'; enum?: string[] } | { type: 'array'; items: { type: 'string' } };
}

/** What the document says about one method of a route; answers of every route (401, 405, ...) are added by themselves. */
export interface OperationDocument {
  summary: string;
  description?: string;
  parameters?: Parameter[];
  /** JSON: by its schema; text: by media type; a form: the same parameters as the URL's. */
  body?: { schema: GenericSchema } | { text: string; description: string } | { form: readonly Parameter[] };
  /** `type`: one media type, or several. */
  responses: Record<number, { description: string; type?: string | readonly string[] }>;
}

export interface Operation {
  handle: Handler;
  document: OperationDocument;
}

export type Method = 'GET' | 'POST';

/**
 * Who may ask: `open` anyone; `bearer` needs `Authorization: Bearer <JWT>`; `influx` takes `Token <JWT>` as well.
 * Without a key in the config everyone may.
 */
export type Access = 'open' | 'bearer' | 'influx';

export interface Route {
  /** Without trailing slash; both forms are answered. `:name` matches one segment. */
  path: string;
  access: Access;
  operations: Partial<Record<Method, Operation>>;
  /** The body of this route's error answers, that of Prometheus's API; absent: `errorBody`. */
  renderError?: (error: HttpError) => string;
}
